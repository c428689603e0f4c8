package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/redistest"
)

// TestOrderThroughBothPrograms submits an order over HTTP, watches it complete,
// and stops both programs without an error.
func TestOrderThroughBothPrograms(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb := redis.Client()
	api := newAPI(t, io.Discard, environ(redis.URL()))
	worker := newWorker(t, io.Discard, environ(redis.URL()))
	a, w := start(t, api), start(t, worker)
	for _, p := range []program{api, worker} {
		eventually(t, "the program is ready", func() bool { return readyz(t, p).code == 200 })
	}
	url := "http://" + api.Addr()
	if got := ask(t, "POST", url+"/orders", order); got.code != 201 {
		t.Fatalf("submit is answered %+v", got)
	}
	eventually(t, "the order completes", func() bool {
		return ask(t, "GET", url+"/orders/ord_1", "").body["status"] == "completed"
	})
	eventually(t, "the API is healthy", func() bool { return ask(t, "GET", url+"/health", "").code == 200 })
	if got := ask(t, "GET", url+"/stats", ""); got.body["success_count"] != 1.0 || got.body["active_workers"] != 4.0 {
		t.Errorf("stats are %v", got.body)
	}
	for name, r := range map[string]*running{"API": a, "worker": w} {
		r.stop()
		if err := r.wait(t); err != nil {
			t.Errorf("%s: Run returned %v", name, err)
		}
	}
	ledgertest.CheckBooks(t, rdb)
}

// TestRedisAwayAtStart waits for Redis, says so, and serves once it is there.
func TestRedisAwayAtStart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb := redis.Client()
	redis.Kill()
	log := &logBuffer{}
	api, worker := newAPI(t, log, environ(redis.URL())), newWorker(t, io.Discard, environ(redis.URL()))
	start(t, api)
	start(t, worker)
	url := "http://" + api.Addr()
	for _, p := range []program{api, worker} {
		eventually(t, "the program lives", func() bool {
			return ask(t, "GET", "http://"+p.AdminAddr()+"/livez", "").code == 200
		})
		if got := readyz(t, p); got.code != 503 || !strings.HasPrefix(fmt.Sprint(got.body["reason"]), "starting") {
			t.Errorf("/readyz is answered %+v", got)
		}
	}
	if got := ask(t, "POST", url+"/orders", order); got.code != 503 || got.body["request_id"] == nil {
		t.Errorf("submit is answered %+v", got)
	}
	if got := ask(t, "GET", url+"/health", ""); got.code != 503 || got.body["reason"] != "starting: waiting for Redis" {
		t.Errorf("/health is answered %+v", got)
	}
	if !strings.Contains(log.String(), "waiting for Redis") {
		t.Errorf("the log says %s", log)
	}
	redis.Restart()
	for _, p := range []program{api, worker} {
		eventually(t, "the program is ready", func() bool { return readyz(t, p).code == 200 })
	}
	if got := ask(t, "POST", url+"/orders", order); got.code != 201 {
		t.Errorf("submit is answered %+v", got)
	}
	eventually(t, "the order completes", func() bool {
		return ask(t, "GET", url+"/orders/ord_1", "").body["status"] == "completed"
	})
	ledgertest.CheckBooks(t, rdb)
}

// promptly is within two seconds, as is promised, and ten times that for a machine that
// is busy. The tests of package api hold the promise at the pace of the machine.
const promptly = 20 * time.Second

// TestRedisGoneWhileServing turns /readyz red for as long as Redis is away, and
// never /livez.
func TestRedisGoneWhileServing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"killed", "frozen"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			api := newAPI(t, io.Discard, environ(redis.URL()))
			start(t, api)
			eventually(t, "the API is ready", func() bool { return readyz(t, api).code == 200 })
			away, back := redis.Kill, redis.Restart
			if name == "frozen" {
				away, back = redis.Freeze, redis.Thaw
			}
			away()
			begun := time.Now()
			got := ask(t, "POST", "http://"+api.Addr()+"/orders", order)
			if took := time.Since(begun); got.code != 503 || took > promptly {
				t.Errorf("submit is answered %+v after %v", got, took)
			}
			if got := readyz(t, api); got.code != 503 {
				t.Errorf("/readyz is answered %+v", got)
			}
			if got := ask(t, "GET", "http://"+api.AdminAddr()+"/livez", ""); got.code != 200 {
				t.Errorf("/livez is answered %+v", got)
			}
			back()
			eventually(t, "the API is ready again", func() bool { return readyz(t, api).code == 200 })
			if got := ask(t, "POST", "http://"+api.Addr()+"/orders", order); got.code != 201 && got.code != 200 {
				t.Errorf("submit is answered %+v", got)
			}
		})
	}
}

// TestEviction refuses a Redis that may throw orders away.
func TestEviction(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"allkeys-lru", "volatile-ttl"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t, "--maxmemory-policy", policy)
			for name, p := range map[string]program{
				"API": newAPI(t, io.Discard, environ(redis.URL())), "worker": newWorker(t, io.Discard, environ(redis.URL())),
			} {
				err := start(t, p).wait(t)
				if err == nil || !strings.Contains(err.Error(), "maxmemory-policy") || !strings.Contains(err.Error(), policy) {
					t.Errorf("%s: Run returned %v", name, err)
				}
			}
		})
	}
}

// TestPersistenceIsLogged tells at start what a crash of Redis can lose.
func TestPersistenceIsLogged(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		settings []string
		want     []string
	}{
		{"none", nil, []string{`"level":"WARN"`, "keeps no append-only file", "loses accepted orders"}},
		{"everysec", []string{"--appendonly", "yes", "--appendfsync", "everysec"}, []string{`"everysec"`, "loses up to a second"}},
		{"always", []string{"--appendonly", "yes", "--appendfsync", "always"}, []string{`"always"`, "a crash loses no accepted order"}},
		{"no", []string{"--appendonly", "yes", "--appendfsync", "no"}, []string{`"appendfsync":"no"`, "half a minute"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t, row.settings...)
			log := &logBuffer{}
			api := newAPI(t, log, environ(redis.URL()))
			start(t, api)
			eventually(t, "the API is ready", func() bool { return readyz(t, api).code == 200 })
			for _, want := range row.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %q: %s", want, log)
				}
			}
		})
	}
}

// TestDraining turns /readyz red while a request that has begun is finished.
func TestDraining(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb := redis.Client()
	api := newAPI(t, io.Discard, environ(redis.URL()))
	r := start(t, api)
	eventually(t, "the API is ready", func() bool { return readyz(t, api).code == 200 })
	c, err := net.Dial("tcp", api.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = fmt.Fprintf(c, "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		len(order), order[:10])
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the request has begun", func() bool {
		return ask(t, "GET", "http://"+api.Addr()+"/health", "").code != 0
	})
	r.stop()
	eventually(t, "the API says that it is draining", func() bool {
		got := readyz(t, api)
		return got.code == 503 && strings.HasPrefix(fmt.Sprint(got.body["reason"]), "draining")
	})
	if _, err := io.WriteString(c, order[10:]); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 201 {
		t.Errorf("submit is answered %d", resp.StatusCode)
	}
	if err := r.wait(t); err != nil {
		t.Errorf("Run returned %v", err)
	}
	ledgertest.CheckBooks(t, rdb)
}
