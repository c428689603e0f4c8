package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/app"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// TestReadyzShowsChecks checks that both programs report every check, and log what a
// crash of Redis can lose.
func TestReadyzShowsChecks(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--maxmemory", "1gb", "--appendonly", "yes", "--appendfsync", "no")
	log := &programtest.Log{}
	s := startSystem(t, logTo(log), environ(redis.URL()))
	for name, p := range s.programs() {
		for _, check := range []string{"redis_version", "eviction_policy", "memory_limit", "writable", "clock"} {
			programtest.Until(t, name+": "+check+" is fine", func() bool { return checkState(t, p, check) == "200 ok" })
		}
		if got := checkState(t, p, "persistence"); got != "200 warning" {
			t.Errorf("%s: persistence is %s", name, got)
		}
	}
	for _, want := range []string{`"level":"WARN"`, "half a minute", `"appendfsync":"no"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
}

// TestChecksWhileRunning lets Redis evict keys for a while: the API accepts no order
// meanwhile. The clocks of both programs are off, which only affects the worker: it
// fetches no order until its clock is corrected.
func TestChecksWhileRunning(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	rdb := redis.Client()
	var ahead atomic.Int64
	ahead.Store(int64(6 * time.Second))
	log := &programtest.Log{}
	s := startSystem(t, app.Options{
		Log:   slog.New(slog.NewJSONHandler(log, nil)),
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	}, environ(redis.URL()))
	wantFailed := func(eviction float64) {
		t.Helper()
		for p, clock := range map[program]float64{s.api: 0, s.worker: 1} {
			compareSeries(t, map[string]float64{
				`orders_check_failed{check="eviction_policy"}`: eviction, `orders_check_failed{check="clock"}`: clock,
				`orders_check_failed{check="redis_version"}`: 0, `orders_check_failed{check="memory_limit"}`: 0,
				`orders_check_failed{check="persistence"}`: 0, `orders_check_failed{check="writable"}`: 0,
			}, scrape(t, p))
		}
	}
	programtest.Until(t, "the worker reports its clock", func() bool { return checkState(t, s.worker, "clock") == "503 failed" })
	programtest.Until(t, "the API is ready", func() bool { return checkState(t, s.api, "clock") == "200 failed" })
	wantFailed(0)

	must(t, rdb.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	for _, p := range s.programs() {
		programtest.Until(t, "the change is noticed", func() bool { return checkState(t, p, "eviction_policy") == "503 failed" })
	}
	wantFailed(1)
	if got := ask(t, "POST", s.url+"/orders", order); got.code != 503 {
		t.Errorf("submit is answered %+v", got)
	}
	if n := strings.Count(log.String(), `"check":"eviction_policy","state":"failed"`); n != 2 {
		t.Errorf("both programs logged it %d times: %s", n, log)
	}
	must(t, rdb.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	awaitReady(t, "the API", s.api)
	submit(t, s.url, order)

	ahead.Store(int64(2 * time.Second))
	if got := ask(t, "GET", s.url+"/orders/ord_1", ""); got.body["status"] != "pending" {
		t.Errorf("the order is %v", got.body["status"])
	}
	programtest.Until(t, "the worker warns", func() bool { return checkState(t, s.worker, "clock") == "200 warning" })
	awaitStatus(t, s.url, "ord_1", "completed")
	ledgertest.CheckBooks(t, rdb)
}

// harm is a reason why a Redis that answers cannot be used, and its remedy.
type harm struct {
	name     string
	do, undo func(t *testing.T, rdb *redis.Client)
	reason   string // a regular expression
}

func command(args ...any) func(*testing.T, *redis.Client) {
	return func(t *testing.T, rdb *redis.Client) {
		must(t, rdb.Do(t.Context(), args...).Err())
	}
}

func commands(all ...func(*testing.T, *redis.Client)) func(*testing.T, *redis.Client) {
	return func(t *testing.T, rdb *redis.Client) {
		for _, do := range all {
			do(t, rdb)
		}
	}
}

// user changes the user of the deployment.
func user(rules ...string) func(*testing.T, *redis.Client) {
	args := []any{"acl", "setuser", "orders"}
	for _, r := range rules {
		args = append(args, r)
	}
	return command(args...)
}

// deployedUser creates the user of the deployment, with more rules after its own.
func deployedUser(t *testing.T, more ...string) func(*testing.T, *redis.Client) {
	t.Helper()
	return user(slices.Concat([]string{"reset", "on", ">secret"}, permissions(t), more)...)
}

func harms(t *testing.T) []harm {
	t.Helper()
	master, whole := command("replicaof", "no", "one"), deployedUser(t)
	replica := command("replicaof", "127.0.0.1", "1")
	lacks := func(reason string, rules ...string) harm {
		return harm{name: strings.Join(rules, " "), do: user(rules...), undo: whole, reason: reason}
	}
	return []harm{
		{name: "replica", do: replica, undo: master, reason: "is a replica"},
		{
			name: "replica that accepts writes", do: commands(command("config", "set", "replica-read-only", "no"), replica),
			undo: master, reason: "is a replica",
		},
		{
			name: "replica without its master", do: commands(command("config", "set", "replica-serve-stale-data", "no"), replica),
			undo: master, reason: "is a replica",
		},
		{
			name: "too few replicas", do: command("config", "set", "min-replicas-to-write", "1"),
			undo: command("config", "set", "min-replicas-to-write", "0"), reason: "too few replicas",
		},
		{
			name: "disk",
			do:   commands(command("config", "set", "save", "3600 1", "stop-writes-on-bgsave-error", "yes"), failSnapshot),
			undo: command("config", "set", "stop-writes-on-bgsave-error", "no"), reason: "cannot write its files",
		},
		{name: "password", do: user("resetpass", ">another"), undo: whole, reason: "user or password"},
		{name: "user off", do: user("off"), undo: whole, reason: "user or password"},
		{name: "user deleted", do: command("acl", "deluser", "orders"), undo: whole, reason: "user or password"},
		lacks("may not run evalsha", "-evalsha"),
		lacks("may not run", "-eval"),
		lacks("may not run", "-info"),
		lacks("may not run", "-time"),
		lacks("may not run hset", "-hset"),
		lacks("may not run publish", "-publish"),
		lacks("may not run .*xadd", "-xadd"),
		lacks("may not run .*sadd", "-sadd"),
		lacks("may not run", "-@all"),
		lacks("may not run publish asynq:wake", "resetchannels"),
		lacks("may not run .*asynq", "resetkeys", "~orders:*", "~rate:*"),
		lacks("may not run .*asynq:.low.", "resetkeys", "~orders:*", "~rate:*", "~asynq:queues", "~asynq:{default}*", "~asynq:{critical}*"),
		lacks("may not run", "resetkeys", "~asynq:*", "~rate:*"),
	}
}

// TestUnusableRedis starts both programs with a Redis that answers and cannot be used.
// Every probe gives the reason, until Redis is usable. The same happens when Redis
// becomes unusable again while they run. Clients are asked to come back, and never see
// an internal error.
func TestUnusableRedis(t *testing.T) {
	t.Parallel()
	for _, h := range harms(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			deployedUser(t)(t, rdb)
			h.do(t, rdb)
			log := &programtest.Log{}
			s := startSystem(t, logTo(log), environ(asOrders(server)))
			reason := regexp.MustCompile(h.reason)
			for name, p := range s.programs() {
				programtest.Until(t, name+" gives the reason", func() bool {
					got := readyz(t, p)
					if got.code == 200 {
						t.Fatalf("%s is ready", name)
					}
					return reason.MatchString(got.reason())
				})
			}
			checkHealth(t, s.url, reason)
			if got := submitAs(t, s.url, "early"); got.code != 503 || got.header.Get("Retry-After") == "" {
				t.Errorf("submit is answered %+v", got)
			}
			if !reason.MatchString(log.String()) {
				t.Errorf("the log does not give the reason: %s", log)
			}
			h.undo(t, rdb)
			programtest.Until(t, "an order completes", func() bool {
				return submitAs(t, s.url, "late").code == 200 && ask(t, "GET", s.url+"/orders/late", "").body["status"] == "completed"
			})

			h.do(t, rdb)
			for n := 0; checkState(t, s.api, "writable") != "503 failed"; n++ {
				got := submitAs(t, s.url, fmt.Sprintf("order-%d", n))
				if got.code != 201 && (got.code != 503 || got.header.Get("Retry-After") == "") {
					t.Fatalf("submit is answered %+v", got)
				}
			}
			for name, p := range s.programs() {
				programtest.Until(t, name+" fails", func() bool { return checkState(t, p, "writable") == "503 failed" })
				if got := readyz(t, p); !reason.MatchString(got.reason()) {
					t.Errorf("%s: the reason is %v", name, got.reason())
				}
				if flag := scrape(t, p)[`orders_check_failed{check="writable"}`]; flag != 1 {
					t.Errorf("%s: the metric is %v", name, flag)
				}
			}
			checkHealth(t, s.url, reason)
			for method, path := range map[string]string{"GET": "/orders/order-0", "POST": "/orders", "DELETE": "/orders/order-0"} {
				if got := ask(t, method, s.url+path, order); got.code == 500 {
					t.Errorf("%s %s is answered %+v", method, path, got)
				}
			}

			h.undo(t, rdb)
			s.awaitReady(t)
			programtest.Until(t, "orders are accepted again", func() bool { return submitAs(t, s.url, "afterwards").code/100 == 2 })
		})
	}
}

func checkHealth(t *testing.T, url string, reason *regexp.Regexp) {
	t.Helper()
	if got := ask(t, "GET", url+"/health", ""); got.code != 503 || !reason.MatchString(got.reason()) {
		t.Errorf("/health is answered %+v", got)
	}
}

func submitAs(t *testing.T, url, id string) answer {
	t.Helper()
	return ask(t, "POST", url+"/orders", orderOf(id, "tea", 1))
}

// TestFullMemoryIsTheReason checks that the reason is a Redis without memory, and not
// that no worker is alive: Redis refuses their heartbeats.
func TestFullMemoryIsTheReason(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	url := startSystem(t, logTo(io.Discard), environ(server.URL())).url
	programtest.Until(t, "the API is healthy", func() bool { return ask(t, "GET", url+"/health", "").code == 200 })

	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for _, key := range rdb.Keys(t.Context(), "asynq:servers:*").Val() { // they would expire after ten seconds
		must(t, rdb.Del(t.Context(), key).Err())
	}
	const reason = "Redis is nearly full: all new orders are refused"
	for range 20 {
		got := ask(t, "GET", url+"/health", "")
		pool, _ := got.body["pool"].(map[string]any)
		if _, has := pool["workers"]; got.code != 503 || got.body["reason"] != reason || has {
			t.Fatalf("/health is answered %+v", got)
		}
		var stats answer
		programtest.Until(t, "the statistics are read in time", func() bool {
			stats = ask(t, "GET", url+"/stats", "")
			return stats.code == 200
		})
		if _, has := stats.body["active_workers"]; has || stats.body["workers"] != nil || stats.body["by_status"] == nil {
			t.Fatalf("/stats is answered %+v", stats)
		}
	}
	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "1gb").Err())
	programtest.Until(t, "the workers are seen again", func() bool {
		got := ask(t, "GET", url+"/health", "")
		pool, _ := got.body["pool"].(map[string]any)
		return got.code == 200 && pool["workers"] == 4.0
	})
}

// TestQueuesAfterFlush checks that programs register the queues with Asynq again after
// somebody has emptied Redis.
func TestQueuesAfterFlush(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := startReady(t, environ(server.URL()))
	completes := func(id string) {
		programtest.Until(t, "an order is accepted", func() bool { return submitAs(t, s.url, id).code/100 == 2 })
		awaitStatus(t, s.url, id, "completed")
	}
	completes("before")
	must(t, server.Client().FlushAll(t.Context()).Err())
	completes("after")
	programtest.Until(t, "Asynqmon shows the queues", func() bool {
		queues, _ := ask(t, "GET", s.url+"/monitoring/api/queues", "").body["queues"].([]any)
		return len(queues) == 3
	})
}
