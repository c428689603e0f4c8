package deploy_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"orderprocessor/internal/programtest"
)

// caddyModule is the Caddy that the example is for.
const caddyModule = "github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9"

// caddyInstalled builds Caddy into the folder of the programs, once. It returns the reason
// if that fails.
var caddyInstalled = sync.OnceValue(func() error {
	install := exec.Command("go", "install", caddyModule)
	install.Env = append(os.Environ(), "GOBIN="+binaries)
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("install %s: %w: %s", caddyModule, err, out)
	}
	return nil
})

// startProxy starts Caddy from the example in front of an address, and returns its
// URL and a client that trusts it.
func startProxy(t *testing.T, upstream string) (string, *http.Client) {
	t.Helper()
	certs := certificates(t, "api=localhost")
	need(t, "Caddy", caddyInstalled())
	port := programtest.FreePorts(t, 1)[0]
	conf := example(t, "tls/Caddyfile", t.TempDir(), "orders.example.com {", "https://localhost:"+port+" {",
		"127.0.0.1:8080", upstream, "/etc/caddy/tls/", certs+"/")
	start(t, []string{"XDG_DATA_HOME=" + t.TempDir(), "XDG_CONFIG_HOME=" + t.TempDir()}, filepath.Join(binaries, "caddy"),
		"run", "--config", conf, "--adapter", "caddyfile")

	client := &http.Client{Timeout: programtest.Patience, Transport: &http.Transport{TLSClientConfig: trusting(t, certs)}}
	t.Cleanup(client.CloseIdleConnections)
	return "https://localhost:" + port, client
}

// TestProxyHandsOnTheHost holds that a page of the proxy's own name may send
// orders and one of another site may not, for which the API needs the name that
// the browser asked for.
func TestProxyHandsOnTheHost(t *testing.T) {
	t.Parallel()
	port := programtest.FreePorts(t, 1)[0]
	keys := filepath.Join(t.TempDir(), "keys")
	key := newKey(t, keys, "submit", "read")
	redis := startRedis(t)
	f := startSystem(t, 1, redis, "ORDERS_HTTP_ADDR=127.0.0.1:"+port, "ORDERS_API_KEYS_FILE="+keys)
	f.url, f.client = startProxy(t, "127.0.0.1:"+port)
	programtest.Until(t, "the proxy serves", func() bool { status, _ := f.get("/health"); return status == http.StatusOK })
	for _, row := range []struct {
		name, origin string
		status       int
	}{
		{"a program", "", http.StatusCreated},
		{"a page of the API's own", f.url, http.StatusOK},
		{"a page of another site", "https://elsewhere.example", http.StatusForbidden},
	} {
		req := f.order("behind-a-proxy")
		req.Header.Set("Authorization", "Bearer "+key)
		if row.origin != "" {
			req.Header.Set("Origin", row.origin)
		}
		if status, text := f.send(req); status != row.status {
			t.Errorf("%s was answered %d: %s", row.name, status, text)
		}
	}
}

// TestProxyHandsOnEvents holds that an event passes while the answer goes on: the
// server sends the second one only when the first has arrived.
func TestProxyHandsOnEvents(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/events" {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("id: 1\n\n"))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-arrived:
			_, _ = w.Write([]byte("id: 2\n\n"))
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(upstream.Close)
	url, client := startProxy(t, strings.TrimPrefix(upstream.URL, "http://"))
	programtest.Until(t, "the proxy serves", func() bool {
		resp, err := client.Get(url + "/")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
	resp, err := client.Get(url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	for _, want := range []string{"id: 1", "", "id: 2"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("got %q, not %q: %v", lines.Text(), want, lines.Err())
		}
		if want == "" {
			close(arrived)
		}
	}
}

// startRedis starts a Redis from the example and returns its REDIS_URL.
func startRedis(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	port := programtest.FreePorts(t, 1)[0]
	conf := example(t, "redis.conf", dir)
	start(t, nil, "redis-server", conf, "--port", port, "--dir", dir, "--bind", "127.0.0.1")
	return "REDIS_URL=redis://127.0.0.1:" + port + "/0"
}
