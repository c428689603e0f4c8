package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	domain "orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// examine runs the doctor and returns its findings by area and check.
func examine(t *testing.T, url string) map[string]app.Finding {
	t.Helper()
	r, err := config.ParseRedis(url)
	must(t, err)
	found := map[string]app.Finding{}
	var all []app.Finding
	var asked bool
	programtest.Until(t, "Redis is read in time", func() bool { // a busy machine delays it
		all, asked = app.Examine(t.Context(), r, 0)
		return !slices.ContainsFunc(all, func(f app.Finding) bool {
			return strings.HasPrefix(f.Found, "cannot be read") && strings.Contains(f.Found, "deadline exceeded")
		})
	})
	for _, f := range all {
		name := f.Area + "/" + f.Check
		if _, twice := found[name]; twice {
			t.Errorf("%s is reported twice", name)
		}
		found[name] = f
		if acts := f.State == app.FindingWarning || f.State == app.FindingProblem; acts != (f.Advice != "") || f.Found == "" || f.Area == "" {
			t.Errorf("the finding is %+v", f)
		}
	}
	if _, barred := found["redis/everything else"]; barred == asked {
		t.Errorf("asked is %t, and this was found: %+v", asked, all)
	}
	return found
}

// mustFind compares one finding.
func mustFind(t *testing.T, found map[string]app.Finding, name string, state app.FindingState, pattern string) {
	t.Helper()
	f := found[name]
	if f.State != state || !regexp.MustCompile(pattern).MatchString(f.Found+" | "+f.Advice) {
		t.Errorf("%s is %+v, want %s and %q", name, f, state, pattern)
	}
}

// wellSet returns settings without a finding.
func wellSet() []string {
	return []string{"--maxmemory", "1gb", "--appendonly", "yes", "--appendfsync", "everysec", "--hash-max-listpack-value", "1024"}
}

// TestExamineFindsNothing examines a healthy service with an order.
func TestExamineFindsNothing(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, wellSet()...)
	s := startReady(t, environ(redis.URL()))
	submit(t, s.url, order)
	awaitStatus(t, s.url, "ord_1", "completed")
	found := examine(t, redis.URL())
	want := map[string]string{
		"access/permissions":  `every command of the programs is allowed`,
		"redis/redis version": `^(Valkey )?\d+\.`, "redis/eviction policy": `noeviction`, "redis/memory limit": `1073741824 bytes`,
		"redis/writable": `accepts writes`, "redis/persistence": `up to a second`, "redis/clock": `ms from the clock`, "redis/memory use": ` MiB of 1024 MiB, \d+ %`,
		"redis/fragmentation": `times the memory`, "redis/evicted keys": `none`, "redis/last snapshot": `ok`,
		"redis/append-only file": `ok`, "redis/replication": `0 replicas, and writes need 0`, "redis/compact records": `is 1024`,
		"books/drift": `^0: all 1 accepted orders`, "books/types of keys": `^\d+ of \d+ well-known keys exist`,
		"books/form of records": `order ord_1 is kept as a listpack`, "queues/workers": `alive, with 4 slots`,
		"queues/asynq": `version whose keys are known`, "queues/orders with workers": `^0, 0 of them`,
		"shop/calls": `^0.0 a second in the last minute, 100 % of them accepted`,
	}
	for _, q := range domain.Queues() {
		want["queues/"+string(q)] = `0 waiting`
	}
	for name, pattern := range want {
		mustFind(t, found, name, app.FindingOK, pattern)
		delete(found, name)
	}
	if took := found["redis/connection"]; !regexp.MustCompile(`^unix:.* answers in `).MatchString(took.Found) { // slowly, on a busy machine
		t.Errorf("the connection is %+v", took)
	}
	delete(found, "redis/connection")
	for name := range found {
		t.Errorf("%s is not expected", name)
	}
}

// TestExamineFindsKeys checks that the keys which are checked are those that the programs
// write.
func TestExamineFindsKeys(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, wellSet()...)
	submit(t, "http://"+startAPI(t, environ(server.URL())).Addr(), order)
	mustFind(t, examine(t, server.URL()), "books/types of keys", app.FindingOK, `^6 of `) // c, e, n, s:pending; queues, pending
}

// TestExamineWritesNothing counts the changes in Redis before and after.
func TestExamineWritesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	rdb.HSet(t.Context(), "orders:{b0}:c", "accepted", 1)
	rdb.LPush(t.Context(), "asynq:{low}:pending", "a")
	before := rdb.InfoMap(t.Context(), "persistence").Item("Persistence", "rdb_changes_since_last_save")
	examine(t, server.URL())
	after := rdb.InfoMap(t.Context(), "persistence").Item("Persistence", "rdb_changes_since_last_save")
	if before == "" || before != after {
		t.Errorf("Redis was changed %s times before and %s times after", before, after)
	}
}

// TestExamineFinds brings Redis into each state that has a finding.
func TestExamineFinds(t *testing.T) {
	t.Parallel()
	const problem, warning = app.FindingProblem, app.FindingWarning
	set := func(name, value string) func(*testing.T, *redis.Client) { return command("config", "set", name, value) }
	for _, tt := range []struct {
		name    string
		prepare func(*testing.T, *redis.Client)
		check   string
		state   app.FindingState
		found   string
	}{
		{"eviction", set("maxmemory-policy", "allkeys-lru"), "redis/eviction policy", problem, `maxmemory-policy noeviction`},
		{"no limit", set("maxmemory", "0"), "redis/memory limit", warning, `set maxmemory`},
		{"no append-only file", set("appendonly", "no"), "redis/persistence", warning, `appendonly yes`},
		{"no sync", set("appendfsync", "no"), "redis/persistence", warning, `half a minute`},
		{"fairly full", share(70), "redis/memory use", warning, `, (69|70|71) %: new orders of the queue low (and default )?are refused`},
		{"full", share(95), "redis/memory use", problem, `all new orders are refused`},
		{"evicted", evict, "redis/evicted keys", problem, `^\d+ since Redis started: orders may be lost`},
		{"snapshot failed", failSnapshot, "redis/last snapshot", problem, `the last snapshot failed`},
		{"replica", command("replicaof", "127.0.0.1", "1"), "redis/replication", problem, `this Redis is a replica`},
		{"replicas missing", set("min-replicas-to-write", "2"), "redis/replication", problem, `0 replicas, and writes need 2 that follow closely`},
		{"tables", set("hash-max-listpack-value", "64"), "redis/compact records", warning, `is 64: records take up to twice`},
		{"drift", command("hset", "orders:{b0}:c", "accepted", "3"), "books/drift", problem, `^3: the books do not balance`},
		{"another's counters", command("set", "orders:{b0}:c", "x"), "books/types of keys", problem, `orders:\{b0\}:c is a string and should be a hash`},
		{"another's index", command("sadd", "orders:{b0}:s:failed", "x"), "books/types of keys", problem, `s:failed is a set and should be a zset`},
		{"another's queue", command("set", "asynq:{low}:retry", "x"), "books/types of keys", problem, `asynq:\{low\}:retry is a string`},
		{"record as a table", bigRecord, "books/form of records", warning, `order big is kept as a hashtable`},
		{"no worker", command("ping"), "queues/workers", problem, `none is alive`},
		{"paused", command("set", "asynq:{low}:paused", "1"), "queues/low", warning, `paused: .*orderctl queues resume low`},
		{"long wait", longWaiting, "queues/low", warning, `the oldest waits for 1h0m\ds: 1 waiting`},
		{"corrupt", command("zadd", "asynq:{default}:corrupt_at", "1", "a"), "queues/corrupt in default", warning, `1 tasks .*orderctl queues corrupt shows them`},
		{"shop down", shopDown, "shop/calls", problem, `^The shop takes no orders since 2025-.*Z: fulfilment answered 500 \| .*They go out by themselves`},
		{"held by nobody", heldByNobody, "queues/orders with workers", warning, `^2, 1 of them with a worker that is gone`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			tt.prepare(t, server.Client())
			mustFind(t, examine(t, server.URL()), tt.check, tt.state, tt.found)
		})
	}
}

// share sets maxmemory so that this percentage of it is used.
func share(percent int64) func(*testing.T, *redis.Client) {
	return func(t *testing.T, rdb *redis.Client) {
		const ballast = 32 << 20
		must(t, rdb.Set(t.Context(), "ballast", strings.Repeat("x", ballast), 0).Err())
		var used int64
		programtest.Until(t, "the buffers of that write are gone", func() bool {
			_, err := fmt.Sscan(rdb.InfoMap(t.Context(), "memory").Item("Memory", "used_memory"), &used)
			return err == nil && used < ballast*3/2
		})
		must(t, rdb.ConfigSet(t.Context(), "maxmemory", strconv.FormatInt(used*100/percent, 10)).Err())
	}
}

// evict makes Redis evict a key, and then corrects the settings.
func evict(t *testing.T, rdb *redis.Client) {
	for i := range 100 {
		must(t, rdb.Set(t.Context(), fmt.Sprint("ballast", i), strings.Repeat("x", 1<<17), 0).Err())
	}
	must(t, rdb.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-random").Err())
	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "8mb").Err())
	_ = rdb.Set(t.Context(), "one more", "x", 0)
	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "1gb").Err())
}

// failSnapshot puts a folder where Redis writes its file.
func failSnapshot(t *testing.T, rdb *redis.Client) {
	must(t, os.MkdirAll(filepath.Join(rdb.ConfigGet(t.Context(), "dir").Val()["dir"], "dump.rdb", "in the way"), 0o700))
	must(t, rdb.BgSave(t.Context()).Err())
	programtest.Until(t, "the snapshot has failed", func() bool {
		return rdb.InfoMap(t.Context(), "persistence").Item("Persistence", "rdb_last_bgsave_status") == "err"
	})
}

func bigRecord(t *testing.T, rdb *redis.Client) {
	must(t, rdb.HSet(t.Context(), "orders:{b0}:o:big", "a", strings.Repeat("x", 2000)).Err())
	must(t, rdb.ZAdd(t.Context(), "orders:{b0}:s:completed", redis.Z{Member: "big"}).Err())
}

func longWaiting(t *testing.T, rdb *redis.Client) {
	since := time.Now().Add(-time.Hour).UnixNano()
	must(t, rdb.LPush(t.Context(), "asynq:{low}:pending", "a").Err())
	must(t, rdb.HSet(t.Context(), "asynq:{low}:t:a", "pending_since", since).Err())
}

func shopDown(t *testing.T, rdb *redis.Client) {
	must(t, rdb.ZAdd(t.Context(), "orders:{b0}:f", redis.Z{Member: "shop"}).Err())
	must(t, rdb.HSet(t.Context(), "orders:{b0}:f:shop", "state", "open", "since", "1750000000000000", "error", "fulfilment answered 500").Err())
}

func heldByNobody(t *testing.T, rdb *redis.Client) {
	must(t, rdb.LPush(t.Context(), "asynq:{low}:active", "a", "b").Err())
	must(t, rdb.ZAdd(t.Context(), "asynq:{low}:lease",
		redis.Z{Member: "a", Score: float64(time.Now().Add(-time.Minute).Unix())},
		redis.Z{Member: "b", Score: float64(time.Now().Add(time.Minute).Unix())}).Err())
}

// TestExamineUnusable checks that the doctor names the cause, and does not call workers
// dead whose heartbeats Redis refuses.
func TestExamineUnusable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		do    func(*testing.T, *redis.Client)
		check string
		found string
	}{
		{"replica", command("replicaof", "127.0.0.1", "1"), "redis/writable", `is a replica`},
		{"too few replicas", command("config", "set", "min-replicas-to-write", "1"), "redis/writable", `too few replicas`},
		{"full", command("config", "set", "maxmemory", "1"), "redis/memory use", `all new orders are refused`},
		{"a permission", user("-setex"), "access/permissions", `setex`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			deployedUser(t)(t, rdb)
			tt.do(t, rdb)
			found := examine(t, asOrders(server))
			mustFind(t, found, tt.check, app.FindingProblem, tt.found)
			mustFind(t, found, "queues/workers", app.FindingNotChecked, `unknown, because Redis refuses their heartbeats`)
		})
	}
}

// TestExamineWithoutAnswer returns in time, whatever Redis does.
func TestExamineWithoutAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		stop func(*redistest.Server)
	}{{"killed", (*redistest.Server).Kill}, {"frozen", (*redistest.Server).Freeze}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			tt.stop(server)
			begun := time.Now()
			found := examine(t, server.URL())
			if took := time.Since(begun); took > 100*time.Second {
				t.Errorf("it took %v", took)
			}
			mustFind(t, found, "redis/connection", app.FindingProblem, `^no answer from Redis at unix:.*start Redis`)
			mustFind(t, found, "redis/everything else", app.FindingNotChecked, `Redis cannot be asked`)
		})
	}
}

// permissions are those of the user that deployments create.
func permissions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/redis-users.acl")
	must(t, err)
	return strings.Fields(regexp.MustCompile(`(?m)^user orders on \S+ (.*)$`).FindStringSubmatch(string(text))[1])
}

// TestExamineAsUsers checks that the doctor works with the permissions of the deployment
// without an entry in ACL LOG, and names the permissions that a user lacks.
func TestExamineAsUsers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		more  []string
		state app.FindingState
		found string
	}{
		{"deployment", nil, app.FindingOK, `every command`},
		{"no zadd", []string{"-zadd"}, app.FindingProblem, `may not run zadd orders:\{b0\}:c, zadd asynq:.*deploy/redis-users.acl`},
		{"no queues", []string{"resetkeys", "~orders:*"}, app.FindingProblem, `may not run get rate:x, set rate:x, exists asynq:.* and \d+ more`},
		{"no channel", []string{"resetchannels"}, app.FindingProblem, `may not run publish asynq:wake, subscribe asynq:wake`},
		{"no scripts", []string{"-eval"}, app.FindingProblem, `may not run EVAL`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			deployedUser(t, tt.more...)(t, rdb)
			found := examine(t, asOrders(server))
			mustFind(t, found, "access/permissions", tt.state, tt.found)
			if tt.more != nil {
				return
			}
			mustFind(t, found, "books/types of keys", app.FindingNotChecked, `may not run TYPE`)
			if refused := rdb.ACLLog(t.Context(), 10).Val(); len(refused) > 0 {
				t.Errorf("Redis refused %+v", refused[0])
			}
		})
	}
}

// asOrders returns the address of a server for the user of deployments.
func asOrders(s *redistest.Server) string {
	return strings.Replace(s.URL(), "unix://", "unix://orders:secret@", 1)
}

// TestExamineMissesNoPermission removes each permission of the deployment once, except
// those of connections, of Asynqmon, of a Cluster, and those that other checks need.
func TestExamineMissesNoPermission(t *testing.T) {
	t.Parallel()
	others := []string{
		"auth", "hello", "select", "client|setname", "ping", "eval", "config|get", "unsubscribe",
		"hvals", "memory|usage", "command", "readonly",
		"cluster|info", "cluster|keyslot", "cluster|nodes", "cluster|slots",
	}
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	for _, right := range permissions(t) {
		command, isCommand := strings.CutPrefix(right, "+")
		if !isCommand || slices.Contains(others, command) {
			continue
		}
		deployedUser(t, "-"+command)(t, rdb)
		name, _, _ := strings.Cut(command, "|")
		mustFind(t, examine(t, asOrders(server)), "access/permissions", app.FindingProblem, `may not run (.*, )?`+name+` `)
	}
}

// TestExamineIsRefused checks that a Redis which refuses the user is distinguished from
// one that does not answer.
func TestExamineIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		login string // in REDIS_URL
		user  []string
		found string
	}{
		{"wrong password", "orders:wrong@", nil, `refuses the user or password of REDIS_URL: WRONGPASS .*\| set REDIS_URL to a user that Redis knows`},
		{"no such user", "somebody:secret@", nil, `refuses the user or password of REDIS_URL: WRONGPASS`},
		{"no password", "", nil, `refuses the user or password of REDIS_URL: NOAUTH`},
		{"not even PING", "orders:secret@", []string{"-ping"}, `the user of REDIS_URL may not run PING \| give the user the permissions`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			deployedUser(t, tt.user...)(t, rdb)
			must(t, rdb.ACLSetUser(t.Context(), "default", "resetpass", ">other").Err())
			found := examine(t, strings.Replace(server.URL(), "unix://", "unix://"+tt.login, 1))
			mustFind(t, found, "redis/connection", app.FindingOK, `^unix:.* answers \|`)
			mustFind(t, found, "redis/login", app.FindingProblem, tt.found)
			mustFind(t, found, "redis/everything else", app.FindingNotChecked, `Redis cannot be asked`)
		})
	}
}

// TestExamineWithoutConfig checks that settings which Redis does not report are not
// checked.
func TestExamineWithoutConfig(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	deployedUser(t, "-config")(t, rdb)
	found := examine(t, asOrders(server))
	for name, setting := range map[string]string{
		"redis/persistence": "appendfsync", "redis/replication": "min-replicas-to-write", "redis/compact records": "hash-max-listpack-value",
	} {
		mustFind(t, found, name, app.FindingNotChecked, `^this user may not run CONFIG GET, which reports `+setting+` \| $`)
	}

	must(t, rdb.ConfigSet(t.Context(), "appendonly", "no").Err())
	mustFind(t, examine(t, asOrders(server)), "redis/persistence", app.FindingWarning, `keeps no append-only file.*appendonly yes`)
}

// TestManagedRedis runs the programs on a Redis without the commands that ElastiCache,
// MemoryDB and Memorystore block, together. The doctor finds no fault, and does not check
// what such a Redis does not report.
func TestManagedRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, without("config", "acl", "client", "cluster", "command", "object", "debug", "monitor", "module",
		"save", "bgsave", "bgrewriteaof", "lastsave", "replicaof", "slaveof", "psync", "sync", "migrate", "failover", "shutdown", "swapdb", "keys")...)
	s := startReady(t, environ(server.URL()))
	submit(t, s.url, order)
	awaitStatus(t, s.url, "ord_1", "completed")
	notChecked := []string{"redis/persistence", "redis/replication", "redis/compact records", "books/form of records"}
	for name, f := range examine(t, server.URL()) {
		want := app.FindingOK
		if slices.Contains(notChecked, name) {
			want = app.FindingNotChecked
		}
		if f.State != want && name != "redis/connection" { // slow on a busy machine
			t.Errorf("%s is %+v, want %s", name, f, want)
		}
	}
}

// TestNoScripts runs the programs and the doctor on a Redis that runs no scripts: nothing is
// ready, and both say why.
func TestNoScripts(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, without("eval", "evalsha", "script")...)
	found := examine(t, server.URL())
	mustFind(t, found, "access/permissions", app.FindingProblem,
		`^Redis refuses EVAL, which everything needs: ERR unknown command '(?i:eval)' \| use a server that runs Lua scripts`)
	mustFind(t, found, "redis/everything else", app.FindingNotChecked, `Redis cannot be asked`)
	for name, p := range newBoth(t, environ(server.URL())) {
		start(t, p)
		programtest.Until(t, name+" says why it is not ready", func() bool {
			got := readyz(t, p)
			return got.code == 503 && strings.Contains(fmt.Sprint(got.body), "this Redis does not have a command that is needed; orderctl doctor names it")
		})
	}
}

// without returns good settings of a Redis that does not have some commands.
func without(commands ...string) []string {
	settings := wellSet()
	for _, c := range commands {
		settings = append(settings, "--rename-command", c, "")
	}
	return settings
}

// TestExamineReadsReplies checks the findings for a Redis that answers only with errors.
func TestExamineReadsReplies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, reply, check, found string }{
		{"loading", "LOADING Redis is loading the dataset in memory", "redis/loading", `^Redis is loading its data: LOADING .*\| wait until`},
		{"protected", "DENIED Redis is running in protected mode", "redis/answer", `^Redis answers with an error: DENIED .*\| read the error`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := fakeRedis(t, func(string) string { return "-" + tt.reply + "\r\n" })
			found := examine(t, "redis://"+addr)
			mustFind(t, found, "redis/connection", app.FindingOK, addr+`.* answers`)
			mustFind(t, found, tt.check, app.FindingProblem, tt.found)
		})
	}
}
