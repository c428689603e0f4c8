package cli

import (
	"bytes"
	"net"
	"strings"
	"testing"
)

func TestYield(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	taken := l.Addr().String()
	for _, tt := range []struct {
		name, addr string
		free       bool
		want       string
		says       string
	}{
		{"taken", taken, false, "127.0.0.1:0", taken + " is taken, so the API is at a free port instead.\n"},
		{"not taken", "127.0.0.1:0", false, "127.0.0.1:0", ""},
		{"any port is wanted", taken, true, "127.0.0.1:0", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			d := &dev{World: &World{Stdout: &out}}
			got := tt.addr
			if d.yield("the API", &got, tt.free); got != tt.want || out.String() != tt.says {
				t.Errorf("%s, said %q; want %s, %q", got, out.String(), tt.want, tt.says)
			}
		})
	}
}

func TestMakeWayMovesOnlyWhatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	d := &dev{World: &World{Stdout: &bytes.Buffer{}, Environ: []string{"ORDERS_ADMIN_ADDR=127.0.0.1:1"}}, http: "127.0.0.1:0"}
	if err := d.configure(); err != nil {
		t.Fatal(err)
	}
	d.makeWay()
	got := strings.Join([]string{d.apiConfig.HTTPAddr, d.apiConfig.AdminAddr, d.workerConfig.AdminAddr}, " ")
	if want := "127.0.0.1:0 127.0.0.1:1 127.0.0.1:0"; got != want {
		t.Errorf("addresses %s, want %s", got, want)
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80",
		":80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "shop.example:80": "shop.example:80",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("reachable(%s) = %s, want %s", addr, got, want)
		}
	}
}
