package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/app"
	"orderprocessor/internal/redistest"
)

// await asks until the condition holds, for minutes: a busy machine is no failure.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("still not so: %s", what)
		}
	}
}

// harm is a way in which a Redis that answers cannot be used, and how it is mended.
type harm struct {
	name     string
	do, undo func(t *testing.T, rdb *redis.Client)
	says     string // of the reason
}

func command(args ...any) func(*testing.T, *redis.Client) {
	return func(t *testing.T, rdb *redis.Client) {
		t.Helper()
		must(t, rdb.Do(t.Context(), args...).Err())
	}
}

func commands(all ...func(*testing.T, *redis.Client)) func(*testing.T, *redis.Client) {
	return func(t *testing.T, rdb *redis.Client) {
		t.Helper()
		for _, do := range all {
			do(t, rdb)
		}
	}
}

// user changes the user of the deployment.
func user(t *testing.T, rules ...string) func(*testing.T, *redis.Client) {
	t.Helper()
	args := []any{"acl", "setuser", "orders"}
	for _, r := range rules {
		args = append(args, r)
	}
	return command(args...)
}

// wholeUser is the user of the deployment as it should be.
func wholeUser(t *testing.T) func(*testing.T, *redis.Client) {
	t.Helper()
	return user(t, append([]string{"reset", "on", ">secret"}, rights(t)...)...)
}

func harms(t *testing.T) []harm {
	t.Helper()
	master, whole := command("replicaof", "no", "one"), wholeUser(t)
	replica := command("replicaof", "127.0.0.1", "1")
	lacks := func(says string, rules ...string) harm {
		return harm{name: strings.Join(rules, " "), do: user(t, rules...), undo: whole, says: says}
	}
	return []harm{
		{name: "replica", do: replica, undo: master, says: "is a replica"},
		{
			name: "replica that takes writes", do: commands(command("config", "set", "replica-read-only", "no"), replica),
			undo: master, says: "is a replica",
		},
		{
			name: "replica without its master", do: commands(command("config", "set", "replica-serve-stale-data", "no"), replica),
			undo: master, says: "is a replica",
		},
		{
			name: "too few replicas", do: command("config", "set", "min-replicas-to-write", "1"),
			undo: command("config", "set", "min-replicas-to-write", "0"), says: "too few replicas",
		},
		{
			name: "disk", do: commands(command("config", "set", "save", "3600 1"), failSnapshot),
			undo: command("config", "set", "stop-writes-on-bgsave-error", "no"), says: "cannot write its files",
		},
		{name: "password", do: user(t, "resetpass", ">another"), undo: whole, says: "user or password"},
		{name: "user off", do: user(t, "off"), undo: whole, says: "user or password"},
		{name: "user deleted", do: command("acl", "deluser", "orders"), undo: whole, says: "user or password"},
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

// TestUnusableRedis turns everything red that an operator looks at, with the reason,
// as soon as a Redis that answers cannot be used, and green when it can again.
// Meanwhile clients are told to come back, never of a fault.
func TestUnusableRedis(t *testing.T) {
	t.Parallel()
	for _, h := range harms(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			wholeUser(t)(t, rdb)
			api, worker := newAPI(t, io.Discard, environ(asOrders(server))), newWorker(t, io.Discard, environ(asOrders(server)))
			start(t, api)
			start(t, worker)
			both := map[string]program{"API": api, "worker": worker}
			url := "http://" + api.Addr()
			await(t, "the API is healthy", func() bool { return ask(t, "GET", url+"/health", "").code == 200 })

			h.do(t, rdb)
			reason := regexp.MustCompile(h.says)
			for n := 0; ; n++ { // not one of the answers on the way is a fault
				code, retryAfter := submitted(t, url, fmt.Sprintf("order-%d", n))
				if code != 201 && (code != 503 || retryAfter == "") {
					t.Fatalf("submit is answered %d, Retry-After %q", code, retryAfter)
				}
				if checkState(t, api, "writable") == "503 failed" {
					break
				}
			}
			for name, p := range both {
				await(t, name+" says so", func() bool { return checkState(t, p, "writable") == "503 failed" })
				if got := readyz(t, p); !reason.MatchString(fmt.Sprint(got.body["reason"])) {
					t.Errorf("%s: the reason is %v", name, got.body["reason"])
				}
				if flag := scrape(t, p)[`orders_check_failed{check="writable"}`]; flag != 1 {
					t.Errorf("%s: the metric is %v", name, flag)
				}
			}
			if got := ask(t, "GET", url+"/health", ""); got.code != 503 || !reason.MatchString(fmt.Sprint(got.body["reason"])) {
				t.Errorf("/health is answered %+v", got)
			}
			for method, path := range map[string]string{"GET": "/orders/order-0", "POST": "/orders", "DELETE": "/orders/order-0"} {
				if got := ask(t, method, url+path, order); got.code == 500 {
					t.Errorf("%s %s is answered %+v", method, path, got)
				}
			}

			h.undo(t, rdb)
			for name, p := range both {
				await(t, name+" is ready again", func() bool { return readyz(t, p).code == 200 })
			}
			await(t, "orders are taken again", func() bool { return taken(t, url, "afterwards") })
		})
	}
}

// submitted sends an order and returns the code of the answer, and its Retry-After.
func submitted(t *testing.T, url, id string) (code int, retryAfter string) {
	t.Helper()
	resp, err := http.Post(url+"/orders", "application/json", strings.NewReader(orderOf(id, "Ada", 1)))
	must(t, err)
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Retry-After")
}

// taken says whether an order is taken.
func taken(t *testing.T, url, id string) bool {
	t.Helper()
	code, _ := submitted(t, url, id)
	return code == http.StatusCreated
}

// TestUnusableRedisAtStart has both programs start, say why they are not ready, and
// begin their work when Redis can be used.
func TestUnusableRedisAtStart(t *testing.T) {
	t.Parallel()
	for _, h := range harms(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			wholeUser(t)(t, rdb)
			h.do(t, rdb)
			log := &logBuffer{}
			api, worker := newAPI(t, log, environ(asOrders(server))), newWorker(t, log, environ(asOrders(server)))
			start(t, api)
			start(t, worker)
			reason := regexp.MustCompile(h.says)
			for name, p := range map[string]program{"API": api, "worker": worker} {
				await(t, name+" gives the reason", func() bool {
					got := readyz(t, p)
					if got.code == 200 {
						t.Fatalf("%s is ready", name)
					}
					return reason.MatchString(fmt.Sprint(got.body["reason"]))
				})
			}
			if got := ask(t, "GET", "http://"+api.Addr()+"/health", ""); got.code != 503 || !reason.MatchString(fmt.Sprint(got.body["reason"])) {
				t.Errorf("/health is answered %+v", got)
			}
			if code, retryAfter := submitted(t, "http://"+api.Addr(), "early"); code != 503 || retryAfter == "" {
				t.Errorf("submit is answered %d", code)
			}
			if !reason.MatchString(log.String()) {
				t.Errorf("the log does not say so: %s", log)
			}
			h.undo(t, rdb)
			await(t, "an order completes", func() bool {
				code, _ := submitted(t, "http://"+api.Addr(), "late")
				return code == 200 && ask(t, "GET", "http://"+api.Addr()+"/orders/late", "").body["status"] == "completed"
			})
		})
	}
}

// TestExamineFindsUnusable has the doctor name the cause, and not call workers dead
// whose signs of life Redis refuses.
func TestExamineFindsUnusable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		do    func(*testing.T, *redis.Client)
		check string
		says  string
	}{
		{"replica", command("replicaof", "127.0.0.1", "1"), "redis/writable", `is a replica`},
		{"too few replicas", command("config", "set", "min-replicas-to-write", "1"), "redis/writable", `too few replicas`},
		{"full", command("config", "set", "maxmemory", "1"), "redis/memory use", `all new orders are refused`},
		{"a right", user(t, "-setex"), "access/permissions", `setex`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			wholeUser(t)(t, rdb)
			tt.do(t, rdb)
			found := examine(t, asOrders(server))
			mustFind(t, found, tt.check, app.FindingProblem, tt.says)
			mustFind(t, found, "queues/workers", app.FindingNotChecked, `not known, as Redis refuses their signs of life`)
		})
	}
}

// TestFullMemoryIsTheReason holds that a Redis without memory is what everybody hears
// of, and not that workers are gone whose signs of life it refuses.
func TestFullMemoryIsTheReason(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	api, worker := newAPI(t, io.Discard, environ(server.URL())), newWorker(t, io.Discard, environ(server.URL()))
	start(t, api)
	start(t, worker)
	url := "http://" + api.Addr()
	await(t, "the API is healthy", func() bool { return ask(t, "GET", url+"/health", "").code == 200 })

	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for _, key := range rdb.Keys(t.Context(), "asynq:servers:*").Val() { // as they end by themselves after ten seconds
		must(t, rdb.Del(t.Context(), key).Err())
	}
	const reason = "Redis is nearly full: all new orders are refused"
	for range 20 {
		got := ask(t, "GET", url+"/health", "")
		pool, _ := got.body["pool"].(map[string]any)
		if _, told := pool["workers"]; got.code != 503 || got.body["reason"] != reason || told {
			t.Fatalf("/health is answered %+v", got)
		}
		stats := ask(t, "GET", url+"/stats", "").body
		if slots, told := stats["active_workers"]; told || stats["workers"] != nil || stats["by_status"] == nil {
			t.Fatalf("/stats tells of %v slots", slots)
		}
	}
	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "1gb").Err())
	await(t, "the workers are seen again", func() bool {
		got := ask(t, "GET", url+"/health", "")
		pool, _ := got.body["pool"].(map[string]any)
		return got.code == 200 && pool["workers"] == 4.0
	})
}

// TestQueuesAfterFlush has Asynq know the queues again after somebody emptied Redis
// under programs that run.
func TestQueuesAfterFlush(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	api, worker := newAPI(t, io.Discard, environ(server.URL())), newWorker(t, io.Discard, environ(server.URL()))
	start(t, api)
	start(t, worker)
	url := "http://" + api.Addr()
	completes := func(id string) func() bool {
		return func() bool { return ask(t, "GET", url+"/orders/"+id, "").body["status"] == "completed" }
	}
	await(t, "an order is taken", func() bool { return taken(t, url, "before") })
	await(t, "it completes", completes("before"))

	must(t, rdb.FlushAll(t.Context()).Err())
	await(t, "an order is taken", func() bool { return taken(t, url, "after") })
	await(t, "it completes", completes("after"))
	await(t, "Asynqmon shows the queues", func() bool {
		queues, _ := ask(t, "GET", url+"/monitoring/api/queues", "").body["queues"].([]any)
		return len(queues) == 3
	})
}
