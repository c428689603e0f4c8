package app_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/redistest"
)

// checkState returns what /readyz says of one check, and the code of the answer.
func checkState(t *testing.T, p program, name string) string {
	t.Helper()
	got := readyz(t, p)
	checks, _ := got.body["checks"].([]any)
	for _, c := range checks {
		if one, _ := c.(map[string]any); one["name"] == name {
			return fmt.Sprintf("%d %v", got.code, one["state"])
		}
	}
	return fmt.Sprintf("%d, no check", got.code)
}

// TestReadyzTellsChecks shows every check of both programs.
func TestReadyzTellsChecks(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--maxmemory", "1gb", "--appendonly", "yes")
	for name, p := range map[string]program{
		"API": newAPI(t, io.Discard, environ(redis.URL())), "worker": newWorker(t, io.Discard, environ(redis.URL())),
	} {
		start(t, p)
		for _, check := range []string{"redis_version", "eviction_policy", "memory_limit", "persistence", "writable", "clock"} {
			eventually(t, name+": "+check+" is fine", func() bool { return checkState(t, p, check) == "200 ok" })
		}
	}
}

// TestEvictionWhileRunning stops taking orders when somebody lets Redis evict
// them, and goes on when that is put right.
func TestEvictionWhileRunning(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb := redis.Client()
	log := &logBuffer{}
	api := newAPI(t, log, environ(redis.URL()))
	start(t, api)
	eventually(t, "the API is ready", func() bool { return readyz(t, api).code == 200 })
	rdb.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru")
	eventually(t, "the change is seen", func() bool { return checkState(t, api, "eviction_policy") == "503 failed" })
	if got := ask(t, "POST", "http://"+api.Addr()+"/orders", order); got.code != 503 {
		t.Errorf("submit is answered %+v", got)
	}
	if n := strings.Count(log.String(), `"check":"eviction_policy","state":"failed"`); n != 1 {
		t.Errorf("it was logged %d times: %s", n, log)
	}
	rdb.ConfigSet(t.Context(), "maxmemory-policy", "noeviction")
	eventually(t, "the API is ready again", func() bool { return readyz(t, api).code == 200 })
	if got := ask(t, "POST", "http://"+api.Addr()+"/orders", order); got.code != 201 {
		t.Errorf("submit is answered %+v", got)
	}
	ledgertest.CheckBooks(t, rdb)
}

// TestClockOff holds that a worker whose clock is off fetches no orders, says so,
// and fetches them when the clock is right again.
func TestClockOff(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb := redis.Client()
	var ahead atomic.Int64
	ahead.Store(int64(6 * time.Second))
	cfg, err := config.LoadWorker(environ(redis.URL()))
	if err != nil {
		t.Fatal(err)
	}
	worker, err := app.NewWorker(cfg, app.Options{
		Log:   slog.New(slog.DiscardHandler),
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	api := newAPI(t, io.Discard, environ(redis.URL()))
	start(t, api)
	start(t, worker)
	eventually(t, "the worker says so", func() bool { return checkState(t, worker, "clock") == "503 failed" })
	url := "http://" + api.Addr() + "/orders"
	eventually(t, "the order is taken", func() bool { return ask(t, "POST", url, order).code == 201 })
	ahead.Store(int64(2 * time.Second))
	if got := ask(t, "GET", url+"/ord_1", ""); got.body["status"] != "pending" {
		t.Errorf("the order is %v", got.body["status"])
	}
	eventually(t, "the worker warns", func() bool { return checkState(t, worker, "clock") == "200 warning" })
	eventually(t, "the order completes", func() bool { return ask(t, "GET", url+"/ord_1", "").body["status"] == "completed" })
	ledgertest.CheckBooks(t, rdb)
}

// TestDiagnosis holds that profiles and metrics are on the admin address, and not
// where clients are.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	api := newAPI(t, io.Discard, environ(redis.URL()))
	start(t, api)
	eventually(t, "the API is ready", func() bool { return readyz(t, api).code == 200 })
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=1"} {
		if code := codeOf(t, "http://"+api.AdminAddr()+path); code != http.StatusOK {
			t.Errorf("%s on the admin address is answered %d", path, code)
		}
		if code := codeOf(t, "http://"+api.Addr()+path); code != http.StatusNotFound {
			t.Errorf("%s where clients are is answered %d", path, code)
		}
	}
}

// TestAdminHost answers for the names of this machine only.
func TestAdminHost(t *testing.T) {
	t.Parallel()
	api := newAPI(t, io.Discard, environ(redistest.Start(t).URL()))
	start(t, api)
	_, port, _ := strings.Cut(api.AdminAddr(), ":")
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:" + port: 200, "127.0.0.1": 200, "[::1]:1": 200, "evil.example": 421, "127.0.0.1.evil.example:80": 421,
	} {
		if code := codeFor(t, host, "http://"+api.AdminAddr()+"/livez"); code != want {
			t.Errorf("as %s it is answered %d, want %d", host, code, want)
		}
	}
}

// TestRequestsWithoutHost answers on the admin address what names no host, as the
// checks of load balancers do, and keeps requests of HTTP/1.1 to where clients are to
// the letter.
func TestRequestsWithoutHost(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	api, worker := newAPI(t, io.Discard, environ(redis.URL())), newWorker(t, io.Discard, environ(redis.URL()))
	for _, p := range []program{api, worker} {
		start(t, p)
		eventually(t, "the program is ready", func() bool { return readyz(t, p).code == 200 })
		for request, want := range map[string]int{
			"OPTIONS / HTTP/1.0\r\n\r\n":                        200,
			"GET /readyz HTTP/1.0\r\n\r\n":                      200,
			"GET /livez HTTP/1.0\r\nConnection: close\r\n\r\n":  200,
			"GET /livez HTTP/1.0\n\n":                           200,
			"HEAD /readyz HTTP/1.0\r\n\r\n":                     200,
			"GET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n": 200,
			"GET /readyz HTTP/1.1\r\nConnection: close\r\nX-Long: " + strings.Repeat("x", 9000) + "\r\n\r\n": 200,
			"OPTIONS / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n":                                       200,
			"GET /nothing HTTP/1.0\r\n\r\n":                                                                  404,
			"GET /readyz HTTP/1.0\r\nHost: evil.example\r\n\r\n":                                             421,
			"GET /readyz HTTP/1.1\r\nhost : evil.example\r\nConnection: close\r\n\r\n":                       400,
			"GET http://evil.example/readyz HTTP/1.1\r\nConnection: close\r\n\r\n":                           421,
			"GET /readyz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n":                             400,
			"GET /readyz HTTP/1.1\r\nX-Long: " + strings.Repeat("x", 64<<10) + "\r\n\r\n":                    431,
		} {
			if code := sayTo(t, p.AdminAddr(), request); code != want {
				t.Errorf("%.60q on the admin address is answered %d, want %d", request, code, want)
			}
		}
	}
	eventually(t, "the API is healthy", func() bool { return ask(t, "GET", "http://"+api.Addr()+"/health", "").code == 200 })
	for request, want := range map[string]int{
		"GET /health HTTP/1.0\r\n\r\n": 200, "HEAD /health HTTP/1.0\r\nConnection: close\r\n\r\n": 200,
		"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n": 400,
	} {
		if code := sayTo(t, api.Addr(), request); code != want {
			t.Errorf("%.60q where clients are is answered %d, want %d", request, code, want)
		}
	}
}

// sayTo sends a request as it is, and returns the status of its answer.
func sayTo(t *testing.T, addr, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	go func() { _, _ = io.WriteString(conn, request) }() // one that is refused early is not read to its end
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func codeOf(t *testing.T, url string) int {
	t.Helper()
	return codeFor(t, "", url)
}

func codeFor(t *testing.T, host, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
