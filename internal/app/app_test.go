package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// TestOrderThroughBothPrograms submits an order over HTTP, waits until it completes,
// and stops both programs. While they run, Redis, the log and /readyz contain their
// versions.
func TestOrderThroughBothPrograms(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb, log := redis.Client(), &programtest.Log{}
	s := startSystem(t, logTo(log), environ(redis.URL()))
	s.awaitReady(t)
	submit(t, s.url, order)
	awaitStatus(t, s.url, "ord_1", "completed")
	programtest.Until(t, "the API is healthy", func() bool { return ask(t, "GET", s.url+"/health", "").code == 200 })
	if got := ask(t, "GET", s.url+"/stats", ""); got.body["success_count"] != 1.0 || got.body["active_workers"] != 4.0 {
		t.Errorf("stats are %v", got.body)
	}

	books := ledger.New(rdb)
	registered := func() (kinds []string) {
		programs, err := books.Programs(t.Context())
		must(t, err)
		for _, p := range programs {
			if p.Version != app.Version() || p.Name == "" {
				t.Errorf("%+v is registered", p)
			}
			kinds = append(kinds, p.Kind)
		}
		return kinds
	}
	programtest.Until(t, "both are registered", func() bool { return len(registered()) == 2 })
	for name, p := range s.programs() {
		if got := readyz(t, p).body["version"]; got != app.Version() {
			t.Errorf("%s: /readyz has the version %v", name, got)
		}
	}
	if n := strings.Count(log.String(), `"version":"`+app.Version()+`"`); n != 2 {
		t.Errorf("the version is logged %d times: %s", n, log)
	}
	for _, one := range []struct {
		r    *running
		left string
	}{{s.workerRun, "[api]"}, {s.apiRun, "[]"}} {
		one.r.stop()
		if err := one.r.wait(t); err != nil {
			t.Errorf("Run returned %v", err)
		}
		if got := fmt.Sprint(registered()); got != one.left {
			t.Errorf("%s are registered, want %s", got, one.left)
		}
	}
	ledgertest.CheckBooks(t, rdb)
}

// TestProgramsAreForgotten checks that a killed program does not stay registered, in Redis
// either.
func TestProgramsAreForgotten(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client()
	books, now := ledger.New(rdb), time.Now()
	for _, row := range []struct {
		name string
		at   time.Time
		want int
	}{{"killed", now.Add(-2 * time.Hour), 0}, {"alive", now, 1}, {"another", now, 2}} {
		must(t, books.Announce(t.Context(), ledger.Program{Kind: "worker", Name: row.name, Version: "commit 1, go1"}, row.at))
		if got, err := books.Programs(t.Context()); err != nil || len(got) != row.want {
			t.Errorf("%s: %v, %v", row.name, got, err)
		}
	}
	if n := rdb.ZCard(t.Context(), "orders:{b0}:p").Val(); n != 2 {
		t.Errorf("%d programs are kept", n)
	}
}

// TestRedisAwayAtStart checks that both programs wait for Redis, log that, and serve
// once it answers.
func TestRedisAwayAtStart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb := redis.Client()
	redis.Kill()
	log := &programtest.Log{}
	s := startSystem(t, logTo(log), environ(redis.URL()))
	for name, p := range s.programs() {
		programtest.Until(t, name+" lives", func() bool { return ask(t, "GET", "http://"+p.AdminAddr()+"/livez", "").code == 200 })
		if got := readyz(t, p); got.code != 503 || !strings.HasPrefix(got.reason(), "starting") {
			t.Errorf("%s: /readyz is answered %+v", name, got)
		}
	}
	if got := ask(t, "POST", s.url+"/orders", order); got.code != 503 || got.body["request_id"] == nil {
		t.Errorf("submit is answered %+v", got)
	}
	if got := ask(t, "GET", s.url+"/health", ""); got.code != 503 || got.reason() != "starting: waiting for Redis" {
		t.Errorf("/health is answered %+v", got)
	}
	if !strings.Contains(log.String(), "waiting for Redis") {
		t.Errorf("the log is %s", log)
	}
	redis.Restart()
	s.awaitReady(t)
	submit(t, s.url, order)
	awaitStatus(t, s.url, "ord_1", "completed")
	ledgertest.CheckBooks(t, rdb)
}

// promptly is the promised two seconds, times ten for a busy machine. The tests of
// package api check the promise itself.
const promptly = 20 * time.Second

// TestRedisGoneWhileServing checks that /readyz fails while Redis does not answer, and
// /livez does not. Scrapes are answered without the metrics of the books.
func TestRedisGoneWhileServing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ stop, back func(*redistest.Server) }{
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart}, "frozen": {(*redistest.Server).Freeze, (*redistest.Server).Thaw},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t)
			s := startReady(t, environ(redis.URL()))
			programtest.Until(t, "the books are scraped", func() bool { return scrape(t, s.api)["orders_books_up"] == 1 })
			row.stop(redis)
			begun := time.Now()
			got := ask(t, "POST", s.url+"/orders", order)
			if took := time.Since(begun); got.code != 503 || took > promptly {
				t.Errorf("submit is answered %+v after %v", got, took)
			}
			if got := readyz(t, s.api); got.code != 503 {
				t.Errorf("/readyz is answered %+v", got)
			}
			if got := ask(t, "GET", "http://"+s.api.AdminAddr()+"/livez", ""); got.code != 200 {
				t.Errorf("/livez is answered %+v", got)
			}
			series := scrape(t, s.api)
			up, hasUp := series["orders_books_up"]
			if _, hasBooks := series["orders_books_accepted_total"]; !hasUp || up != 0 || hasBooks {
				t.Errorf("the scrape has orders_books_up %v, and books: %t", up, hasBooks)
			}
			for name, p := range s.programs() {
				if got := scrape(t, p); got["go_goroutines"] == 0 || got["process_start_time_seconds"] == 0 {
					t.Errorf("%s: the other metrics are missing", name)
				}
			}
			row.back(redis)
			awaitReady(t, "the API", s.api)
			programtest.Until(t, "the books are scraped again", func() bool { return scrape(t, s.api)["orders_books_up"] == 1 })
			if got := ask(t, "POST", s.url+"/orders", order); got.code != 201 && got.code != 200 {
				t.Errorf("submit is answered %+v", got)
			}
		})
	}
}

// TestEviction checks that no program starts with a Redis that may evict orders.
func TestEviction(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"allkeys-lru", "volatile-ttl"} {
		redis := redistest.Start(t, "--maxmemory-policy", policy)
		for name, p := range newBoth(t, environ(redis.URL())) {
			err := start(t, p).wait(t)
			if err == nil || !strings.Contains(err.Error(), "maxmemory-policy") || !strings.Contains(err.Error(), policy) {
				t.Errorf("%s: Run returned %v", name, err)
			}
		}
	}
}

// TestDraining checks that /readyz fails while a request that has begun is finished.
func TestDraining(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	api := newAPI(t, logTo(io.Discard), environ(redis.URL()))
	r := start(t, api)
	awaitReady(t, "the API", api)
	c, err := net.Dial("tcp", api.Addr())
	must(t, err)
	defer func() { _ = c.Close() }()
	_, err = fmt.Fprintf(c, "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		len(order), order[:10])
	must(t, err)
	programtest.Until(t, "the request has begun", func() bool {
		return ask(t, "GET", "http://"+api.Addr()+"/health", "").code != 0
	})
	r.stop()
	programtest.Until(t, "the API drains", func() bool {
		got := readyz(t, api)
		return got.code == 503 && strings.HasPrefix(got.reason(), "draining")
	})
	_, err = io.WriteString(c, order[10:])
	must(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(t, err)
	_ = resp.Body.Close()
	if resp.StatusCode != 201 {
		t.Errorf("submit is answered %d", resp.StatusCode)
	}
	if err := r.wait(t); err != nil {
		t.Errorf("Run returned %v", err)
	}
	ledgertest.CheckBooks(t, redis.Client())
}

// TestStopBeforeServing checks that a program stops without an error before Redis has
// passed its checks: while Redis does not answer, or at once.
func TestStopBeforeServing(t *testing.T) {
	t.Parallel()
	stops := func(redisURL string, when func(name string, p program)) {
		for name, p := range newBoth(t, environ(redisURL)) {
			r := start(t, p)
			when(name, p)
			r.stop()
			if err := r.wait(t); err != nil {
				t.Errorf("%s: Run returned %v", name, err)
			}
		}
	}
	stops("unix://"+filepath.Join(t.TempDir(), "nobody"), func(name string, p program) {
		programtest.Until(t, name+" lives", func() bool { return readyz(t, p).code == 503 })
	})
	redis := redistest.Start(t)
	for range 10 {
		stops(redis.URL(), func(string, program) {})
	}
}

// TestStopDuringTheCheck checks that a program stops without an error when Redis hangs
// during the check.
func TestStopDuringTheCheck(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 64)
	addr := fakeRedis(t, func(command string) string {
		if command == "info" {
			asked <- struct{}{}
			return ""
		}
		return "-ERR unknown command\r\n"
	})
	r := start(t, newAPI(t, logTo(io.Discard), environ("redis://"+addr+"/0")))
	select {
	case <-asked:
	case <-time.After(programtest.Patience):
		t.Fatal("Redis was not asked for its settings")
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("Run returned %v", err)
	}
}

// fakeRedis answers each command with the reply that answer returns for its name, in
// lower case; an empty reply is none. It returns its address.
func fakeRedis(t *testing.T, answer func(command string) string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				// A command is *words, $length, name and so on, each on a line.
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if strings.HasPrefix(lines.Text(), "*") && lines.Scan() && lines.Scan() {
						_, _ = io.WriteString(conn, answer(strings.ToLower(lines.Text())))
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}
