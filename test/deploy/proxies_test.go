package deploy_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
	"orderprocessor/test/kit"
)

// caddyModule is the Caddy that the example is for.
const caddyModule = "github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9"

// caddy returns the path of the Caddy on the PATH, or of one that it builds into the folder
// of the programs.
func caddy() (string, error) {
	if path, err := exec.LookPath("caddy"); err == nil {
		return path, nil
	}
	install := exec.Command("go", "install", caddyModule)
	install.Env = append(os.Environ(), "GOBIN="+binaries)
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install %s: %w: %s", caddyModule, err, out)
	}
	return filepath.Join(binaries, "caddy"), nil
}

// nginxRest is what nginx needs in addition to its example to run in a folder of its own.
const nginxRest = `daemon off;
pid %[1]s/nginx.pid;
error_log stderr;
%[2]s
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	%[3]s
}
`

// startNginx starts nginx with these lines in its http block.
func startNginx(t *testing.T, http string) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	need(t, "nginx", err)
	dir, user := t.TempDir(), ""
	if os.Getuid() == 0 {
		user = "user root;" // another could not enter the folder
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxRest, dir, user, http), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, nil, path, "-p", dir, "-e", "stderr", "-c", conf)
}

// startHAProxy starts HAProxy from the example, with changes, and returns its port.
func startHAProxy(t *testing.T, certs string, changes ...string) string {
	t.Helper()
	path, err := exec.LookPath("haproxy")
	need(t, "haproxy", err)
	port := programtest.FreePorts(t, 1)[0]
	pem := readFile(t, filepath.Join(certs, "api.crt")) + readFile(t, filepath.Join(certs, "api.key"))
	if err := os.WriteFile(filepath.Join(certs, "api.pem"), []byte(pem), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := kit.Example(t, "haproxy/haproxy.cfg", t.TempDir(), append(changes, "bind :443", "bind 127.0.0.1:"+port, "/etc/haproxy/tls/", certs+"/")...)
	start(t, nil, path, "-db", "-f", conf)
	return port
}

// TestProxies sends orders and receives events through each proxy that the document
// names, from its example and, for nginx, as it comes.
func TestProxies(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		bare  bool // without the example, and so without TLS and large bodies
		start func(t *testing.T, api, admin, certs string) (port string)
	}{
		{"nginx as it comes", true, func(t *testing.T, api, _, _ string) string {
			t.Helper()
			port := programtest.FreePorts(t, 1)[0]
			startNginx(t, "server { listen 127.0.0.1:"+port+"; location / { proxy_pass http://127.0.0.1:"+api+"; } }")
			return port
		}},
		{"nginx", false, func(t *testing.T, api, _, certs string) string {
			t.Helper()
			port := programtest.FreePorts(t, 1)[0]
			startNginx(t, "include "+kit.Example(t, "nginx/orders.conf", t.TempDir(), "listen 443 ssl", "listen 127.0.0.1:"+port+" ssl",
				"127.0.0.1:8080", "127.0.0.1:"+api, "/etc/nginx/tls/", certs+"/")+";")
			return port
		}},
		{"HAProxy", false, func(t *testing.T, api, admin, certs string) string {
			t.Helper()
			return startHAProxy(t, certs, "127.0.0.1:8080 port 8081", "127.0.0.1:"+api+" port "+admin)
		}},
		{"HAProxy with its plain check", false, func(t *testing.T, api, admin, certs string) string {
			t.Helper()
			return startHAProxy(t, certs, "127.0.0.1:8080 port 8081", "127.0.0.1:"+api+" port "+admin, "option httpchk GET /readyz", "option httpchk")
		}},
		{"HAProxy with a check of HTTP/1.1", false, func(t *testing.T, api, admin, certs string) string {
			t.Helper()
			return startHAProxy(t, certs, "127.0.0.1:8080 port 8081", "127.0.0.1:"+api+" port "+admin, "GET /readyz", "GET /readyz HTTP/1.1")
		}},
		{"Caddy", false, func(t *testing.T, api, _, certs string) string {
			t.Helper()
			path, err := caddy()
			need(t, "Caddy", err)
			port := programtest.FreePorts(t, 1)[0]
			conf := kit.Example(t, "tls/Caddyfile", t.TempDir(), "orders.example.com {", "https://localhost:"+port+" {",
				"127.0.0.1:8080", "127.0.0.1:"+api, "/etc/caddy/tls/", certs+"/")
			start(t, []string{"XDG_DATA_HOME=" + t.TempDir(), "XDG_CONFIG_HOME=" + t.TempDir()}, path,
				"run", "--config", conf, "--adapter", "caddyfile")
			return port
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			certs, ports, redis := certificates(t, "api=localhost"), programtest.FreePorts(t, 2), startRedis(t)
			f := startAPI(t, redis, "ORDERS_HTTP_ADDR=127.0.0.1:"+ports[0], "ORDERS_ADMIN_ADDR=127.0.0.1:"+ports[1])
			start(t, settings([]string{redis}), filepath.Join(binaries, "worker"))
			f.URL = "https://localhost:" + row.start(t, ports[0], ports[1], certs)
			if row.bare {
				f.URL = strings.Replace(f.URL, "https", "http", 1)
			}
			f.HTTP.Transport = &http.Transport{TLSClientConfig: trusting(t, certs)}
			f.awaitHealth()
			checkProxy(f, row.bare)
		})
	}
}

// checkProxy sends what a proxy may get wrong.
func checkProxy(f *system, bare bool) {
	f.t.Helper()
	f.submit("first.1")
	f.settle("first.1")
	if got := f.Send(http.MethodGet, "/orders/%66irst%2E1", ""); got.Code != http.StatusOK {
		f.t.Errorf("an encoded id is answered %d: %s", got.Code, got.Body)
	}
	f.submit("a/b#c:d")
	f.settle("a/b#c:d")
	f.subscribe("/events?status=pending", "subscribed")
	if bare {
		return // it has the client's Host and large bodies from the example
	}
	if got := f.Send(http.MethodPost, "/orders", order("own-page"), "Origin", f.URL); got.Code != http.StatusCreated {
		f.t.Errorf("a page of the API's own is answered %d: %s", got.Code, got.Body)
	}
	if got := f.Send(http.MethodPost, "/orders", order("other-page"), "Origin", "https://elsewhere.example"); got.Code != http.StatusForbidden {
		f.t.Errorf("a page of another site is answered %d: %s", got.Code, got.Body)
	}
	batch := f.Send(http.MethodPost, "/orders/batch", order("batch")+strings.Repeat("\n", 15<<20), "Content-Type", "application/x-ndjson")
	if batch.Code != http.StatusOK || !strings.Contains(string(batch.Body), `"status":201`) {
		f.t.Errorf("a large batch is answered %d: %s", batch.Code, batch.Body)
	}
}

// subscribe receives events, and submits an order once the stream is open: its event must
// arrive while the answer is not complete.
func (f *system) subscribe(path, id string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), programtest.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL+path, http.NoBody)
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := f.HTTP.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		f.t.Fatalf("events are answered %d %v", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		switch text := lines.Text(); {
		case text == ": alive":
			f.submit(id)
		case strings.HasPrefix(text, "data: ") && strings.Contains(text, id):
			return
		}
	}
	f.t.Errorf("the events ended without that of %s: %v", id, lines.Err())
}
