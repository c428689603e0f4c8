package config_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/access"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// byURL compares addresses of Redis by what they show.
var byURL = cmp.Transformer("Redis", func(r config.Redis) string { return r.String() })

func defaultCommon(t *testing.T) config.Common {
	t.Helper()
	redis, err := config.ParseRedis("redis://127.0.0.1:6379/0")
	must(t, err)
	return config.Common{
		Redis:           redis,
		Retention:       24 * time.Hour,
		MaxAttempts:     8,
		AttemptTimeout:  30 * time.Second,
		ShutdownTimeout: 35 * time.Second,
		HighValueAbove:  1000_00,
		MaxAmount:       10_000_00,
		MaxItems:        50,
		LogLevel:        slog.LevelInfo,
	}
}

func TestDefaultsAreTheContract(t *testing.T) {
	t.Parallel()
	wantAPI := config.API{
		Common: defaultCommon(t), HTTPAddr: "127.0.0.1:8080", AdminAddr: "127.0.0.1:8081", MaxQueueLength: 100_000,
	}
	wantWorker := config.Worker{
		Common: defaultCommon(t), AdminAddr: "127.0.0.1:8082",
		Concurrency: 64, Lanes: 2, ReservedCritical: 4, Prefetch: true,
		QueueWeights: map[order.Queue]int{order.QueueCritical: 6, order.QueueDefault: 3, order.QueueLow: 1},
		RetryBase:    time.Second, RetryMax: 10 * time.Minute, FulfilmentTimeout: 10 * time.Second,
	}
	// An empty value counts as unset.
	var empty []string
	for _, name := range config.Names() {
		empty = append(empty, name+"=")
	}
	for name, environ := range map[string][]string{"nothing set": nil, "all empty": empty} {
		t.Run(name, func(t *testing.T) {
			api, errAPI := config.LoadAPI(environ)
			worker, errWorker := config.LoadWorker(environ)
			must(t, errors.Join(errAPI, errWorker))
			bothAPI, bothWorker, err := config.LoadAll(environ)
			must(t, err)
			for _, diff := range []string{
				cmp.Diff(wantAPI, api, byURL), cmp.Diff(wantWorker, worker, byURL),
				cmp.Diff(wantAPI, bothAPI, byURL), cmp.Diff(wantWorker, bothWorker, byURL),
			} {
				if diff != "" {
					t.Errorf("not the defaults (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestEveryVariableReachesItsField(t *testing.T) {
	t.Parallel()
	environ := []string{
		"REDIS_URL=rediss://u:p@cache:7000/3", "ORDERS_RETENTION=48h", "ORDERS_MAX_ATTEMPTS=5",
		"ORDERS_ATTEMPT_TIMEOUT=20s", "ORDERS_SHUTDOWN_TIMEOUT=25s", "ORDERS_HIGH_VALUE_ABOVE=99.5",
		"ORDERS_MAX_AMOUNT=500", "ORDERS_MAX_ITEMS=7", "ORDERS_LOG_LEVEL=warn", "ORDERS_LOG_FORMAT=json",
		"ORDERS_HTTP_ADDR=0.0.0.0:80", "ORDERS_ADMIN_ADDR=:0", "ORDERS_MAX_QUEUE_LENGTH=10",
		"ORDERS_MONITORING_WRITABLE=true", "ORDERS_WORKER_CONCURRENCY=20", "ORDERS_WORKER_LANES=2",
		"ORDERS_WORKER_RESERVED_CRITICAL=3", "ORDERS_WORKER_PREFETCH=false", "ORDERS_QUEUE_WEIGHTS=low=1,default=2,critical=3",
		"ORDERS_RETRY_BASE=2s", "ORDERS_RETRY_MAX=3m", "ORDERS_FULFILMENT_URL=https://shop.example/hook",
		"ORDERS_FULFILMENT_SECRET=" + secret(32), "ORDERS_FULFILMENT_TIMEOUT=4s",
		"ORDERS_API_KEYS=shop:submit+read:" + hashOf("a"), "ORDERS_API_KEYS_FILE=" + keyFile(t, "ops:admin:"+hashOf("b")),
		"ORDERS_INSECURE=true", "ORDERS_RATE_LIMIT=100", "ORDERS_RATE_BURST=7",
		"PATH=/bin", "not a pair", "ORDERSX=1",
	}
	redis, err := config.ParseRedis("rediss://cache:7000/3")
	must(t, err)
	common := config.Common{
		Redis: redis, Retention: 48 * time.Hour, MaxAttempts: 5, AttemptTimeout: 20 * time.Second,
		ShutdownTimeout: 25 * time.Second, HighValueAbove: 99_50, MaxAmount: 500_00, MaxItems: 7,
		LogLevel: slog.LevelWarn, LogFormat: config.LogJSON,
	}
	wantAPI := config.API{
		Common: common, HTTPAddr: "0.0.0.0:80", AdminAddr: ":0", MaxQueueLength: 10, MonitoringWritable: true,
		Keys: []config.APIKey{
			{Name: "shop", Scopes: []access.Scope{access.Submit, access.Read}, Hash: rawHash("a")},
			{Name: "ops", Scopes: []access.Scope{access.Admin}, Hash: rawHash("b")},
		},
		Insecure: true, RateLimit: 100, RateBurst: 7,
	}
	_, file, _ := strings.Cut(environ[len(environ)-7], "=")
	wantAPI.KeysFile = file
	wantWorker := config.Worker{
		Common: common, AdminAddr: ":0", Concurrency: 20, Lanes: 2, ReservedCritical: 3,
		QueueWeights: map[order.Queue]int{order.QueueCritical: 3, order.QueueDefault: 2, order.QueueLow: 1},
		RetryBase:    2 * time.Second, RetryMax: 3 * time.Minute, FulfilmentURL: "https://shop.example/hook",
		FulfilmentSecret: config.Secret(secret(32)), FulfilmentTimeout: 4 * time.Second,
	}
	api, errAPI := config.LoadAPI(environ)
	worker, errWorker := config.LoadWorker(environ)
	bothAPI, bothWorker, errAll := config.LoadAll(environ)
	must(t, errors.Join(errAPI, errWorker, errAll))
	if diff := cmp.Diff(wantAPI, api, byURL) + cmp.Diff(wantWorker, worker, byURL); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantWorker.AdminAddr = "127.0.0.1:8082" // the API has the one that is set
	if diff := cmp.Diff(wantAPI, bothAPI, byURL) + cmp.Diff(wantWorker, bothWorker, byURL); diff != "" {
		t.Errorf("both in one process, -want +got:\n%s", diff)
	}
}

// TestDerivedDefaults checks that a setting which others depend on can be set alone.
func TestDerivedDefaults(t *testing.T) {
	t.Parallel()
	slots := func(_ config.API, w config.Worker) string {
		return fmt.Sprint(w.Concurrency, w.Lanes, w.ReservedCritical)
	}
	call := func(_ config.API, w config.Worker) string { return w.FulfilmentTimeout.String() }
	waits := func(_ config.API, w config.Worker) string { return fmt.Sprint(w.RetryBase, w.RetryMax) }
	limit := func(a config.API, _ config.Worker) string { return fmt.Sprint(a.RateLimit, a.RateBurst) }
	for _, row := range []struct {
		environ string
		of      func(config.API, config.Worker) string
		want    string
	}{
		{"ORDERS_WORKER_CONCURRENCY=1", slots, "1 1 0"},
		{"ORDERS_WORKER_CONCURRENCY=4", slots, "4 2 1"},
		{"ORDERS_WORKER_CONCURRENCY=16", slots, "16 2 4"},
		{"ORDERS_WORKER_CONCURRENCY=4096", slots, "4096 2 4"},
		{"ORDERS_WORKER_CONCURRENCY=8 ORDERS_WORKER_LANES=8", slots, "8 8 0"},
		{"ORDERS_WORKER_CONCURRENCY=8 ORDERS_WORKER_RESERVED_CRITICAL=7", slots, "8 1 7"},
		{"ORDERS_WORKER_RESERVED_CRITICAL=0", slots, "64 2 0"},
		{"ORDERS_WORKER_LANES=62", slots, "64 62 2"},
		{"ORDERS_ATTEMPT_TIMEOUT=1h", call, "10s"},
		{"ORDERS_ATTEMPT_TIMEOUT=10s", call, "9s"},
		{"ORDERS_ATTEMPT_TIMEOUT=1s", call, "900ms"},
		{"ORDERS_RETRY_MAX=200ms", waits, "200ms 200ms"},
		{"ORDERS_RETRY_BASE=20m", waits, "20m0s 20m0s"},
		{"ORDERS_RETRY_MAX=2h", waits, "1s 2h0m0s"},
		{"ORDERS_RETRY_BASE=10ms", waits, "10ms 10m0s"},
		{"ORDERS_RATE_LIMIT=5", limit, "5 5"},
		{"ORDERS_RATE_LIMIT=5 ORDERS_RATE_BURST=0", limit, "5 5"},
		{"ORDERS_RATE_LIMIT=5 ORDERS_RATE_BURST=20", limit, "5 20"},
		{"ORDERS_RATE_LIMIT=5 ORDERS_RATE_BURST=1", limit, "5 1"},
	} {
		a, w, err := config.LoadAll(strings.Fields(row.environ))
		if err != nil || row.of(a, w) != row.want {
			t.Errorf("%s: %s, %v, want %s", row.environ, row.of(a, w), err, row.want)
		}
	}
}
