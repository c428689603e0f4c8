package cli

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

func TestChoosePort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	taken := l.Addr().String()
	for _, tt := range []struct {
		name, addr string
		anyPort    bool
		want       string
	}{
		{"taken", taken, false, taken + " is taken, so the API is at a free port instead.\n"},
		{"not taken", "127.0.0.1:0", false, ""},
		{"any port", taken, true, ""},
	} {
		var out bytes.Buffer
		d := &devCommand{World: &World{Stdout: &out}}
		got := tt.addr
		if d.choosePort("the API", &got, tt.anyPort); got != "127.0.0.1:0" || out.String() != tt.want {
			t.Errorf("%s: %s, wrote %q", tt.name, got, out.String())
		}
	}
	d := &devCommand{World: &World{Stdout: &bytes.Buffer{}, Environ: []string{"ORDERS_ADMIN_ADDR=127.0.0.1:1"}}, http: "127.0.0.1:0"}
	if err := d.configure(); err != nil {
		t.Fatal(err)
	}
	d.choosePorts() // leaves alone what was asked for
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

var defaultLimits = rules.Limits{HighValueAbove: order.Cents(1000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50}

// TestSampleFindsDifferences checks that every field is compared.
func TestSampleFindsDifferences(t *testing.T) {
	t.Parallel()
	content := order.Content{Amount: order.Cents(1000_01), Items: order.Names("lamp"), Priority: order.PriorityMedium}
	want := sampleOrder{Content: content}.expected(rules.Builtin(defaultLimits))
	right := client.Order{
		Status: "completed", Handling: "priority", Result: "Order marked for priority processing",
		Queue: "critical", Content: content,
	}
	if got := difference(want, right); got != "" {
		t.Fatal(got)
	}
	for name, change := range map[string]func(*client.Order){
		"status":   func(o *client.Order) { o.Status = order.StatusRejected },
		"error":    func(o *client.Order) { o.Error = "no" },
		"handling": func(o *client.Order) { o.Handling = order.HandlingStandard },
		"result":   func(o *client.Order) { o.Result = "" },
		"queue":    func(o *client.Order) { o.Queue = order.QueueLow },
		"content":  func(o *client.Order) { o.Amount = order.Cents(1000_02) },
	} {
		wrong := right
		if change(&wrong); !strings.HasPrefix(difference(want, wrong), name+" is ") {
			t.Errorf("a wrong %s goes unnoticed", name)
		}
	}
	if err := (&sample{}).report(&World{Stdout: &bytes.Buffer{}}, client.Stats{}, 1); err != nil {
		t.Error(err)
	}
	var stats client.Stats
	if stats.Ledger.Drift = 1; (&sample{}).report(&World{Stdout: &bytes.Buffer{}}, stats, 1) == nil {
		t.Error("books that do not balance go unnoticed")
	}
}

// TestSampleIsVaried checks that ten orders in a row have every queue and every bound;
// TestDevSample counts the outcomes. A sample can be repeated.
func TestSampleIsVaried(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	for i := range 10 {
		o := newSampleOrder("run", i, defaultLimits, order.DefaultCurrency)
		if diff := cmp.Diff(o, newSampleOrder("run", i, defaultLimits, order.DefaultCurrency)); diff != "" {
			t.Fatalf("order %d is not the same twice:\n%s", i, diff)
		}
		kinds[string(o.expected(rules.Builtin(defaultLimits)).Queue)]++
		switch {
		case o.Amount == defaultLimits.MaxAmount && len(o.Items) == defaultLimits.MaxItems:
			kinds["on both bounds"]++
		case o.Amount == defaultLimits.HighValueAbove:
			kinds["at the high value"]++
		}
	}
	want := map[string]int{"critical": 6, "default": 3, "low": 1, "on both bounds": 1, "at the high value": 1}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}
