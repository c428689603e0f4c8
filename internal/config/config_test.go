package config_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
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
		Books:           1,
		IDRetention:     168 * time.Hour,
		MaxQueueLength:  100_000,
		RetryFor:        24 * time.Hour,
		AttemptTimeout:  30 * time.Second,
		ShutdownTimeout: 35 * time.Second,
		Terms:           config.Terms{Currency: "USD", Currencies: []order.Currency{"USD"}, AddressRequired: true},
		Rules:           config.Rules{HighValueAbove: order.Cents(1000_00), MaxAmount: order.Cents(10_000_00), MaxItems: 50},
		LogLevel:        slog.LevelInfo,
	}
}

func TestDefaultsAreTheContract(t *testing.T) {
	t.Parallel()
	wantAPI := config.API{
		Common: defaultCommon(t), HTTPAddr: "127.0.0.1:8080", AdminAddr: "127.0.0.1:8081",
	}
	wantWorker := config.Worker{
		Common: defaultCommon(t), AdminAddr: "127.0.0.1:8082",
		Concurrency: 64, Lanes: 2, ReservedCritical: 4, Prefetch: true,
		QueueWeights: order.QueueWeights(),
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
		"REDIS_URL=rediss://u:p@cache:7000/3", "ORDERS_RETENTION=48h", "ORDERS_MAX_ATTEMPTS=5", "ORDERS_RETRY_FOR=36h",
		"ORDERS_ATTEMPT_TIMEOUT=20s", "ORDERS_SHUTDOWN_TIMEOUT=25s", "ORDERS_HIGH_VALUE_ABOVE=99.5",
		"ORDERS_MAX_AMOUNT=500", "ORDERS_MAX_ITEMS=7", "ORDERS_LOG_LEVEL=warn", "ORDERS_LOG_FORMAT=json",
		"ORDERS_HTTP_ADDR=0.0.0.0:80", "ORDERS_ADMIN_ADDR=:0", "ORDERS_MAX_QUEUE_LENGTH=10",
		"ORDERS_MONITORING_WRITABLE=true", "ORDERS_TRACE_URL=https://traces.example/{trace_id}", "ORDERS_WORKER_CONCURRENCY=20", "ORDERS_WORKER_LANES=2",
		"ORDERS_WORKER_RESERVED_CRITICAL=3", "ORDERS_WORKER_PREFETCH=false", "ORDERS_QUEUE_WEIGHTS=" + weights("low=5,default=2,critical=3"),
		"ORDERS_RETRY_BASE=2s", "ORDERS_RETRY_MAX=3m", "ORDERS_FULFILMENT_URL=https://shop.example/hook",
		"ORDERS_FULFILMENT_SECRET=" + secret(32), "ORDERS_FULFILMENT_TIMEOUT=4s",
		"ORDERS_API_KEYS=shop:submit+read:" + hashOf("a"), "ORDERS_API_KEYS_FILE=" + keyFile(t, "ops:admin:"+hashOf("b")),
		"ORDERS_INSECURE=true", "ORDERS_RATE_LIMIT=100", "ORDERS_RATE_BURST=7", "ORDERS_CURRENCY=EUR", "ORDERS_CURRENCIES=EUR, JPY,KWD",
		"ORDERS_ALLOW_FREE=true", "ORDERS_ADDRESS_REQUIRED=false",
		"ORDERS_ARCHIVE_URL=sqlite:///var/lib/orders.db", "ORDERS_ARCHIVE_RETENTION=87600h", "ORDERS_ID_RETENTION=1h", "ORDERS_BOOKS=16",
		"PATH=/bin", "not a pair", "ORDERSX=1",
	}
	redis, err := config.ParseRedis("rediss://cache:7000/3")
	must(t, err)
	common := config.Common{
		Archive: "sqlite:///var/lib/orders.db", ArchiveRetention: 87600 * time.Hour, IDRetention: time.Hour, Books: 16, MaxQueueLength: 10,
		Redis: redis, Retention: 48 * time.Hour, MaxAttempts: 5, RetryFor: 36 * time.Hour, AttemptTimeout: 20 * time.Second,
		ShutdownTimeout: 25 * time.Second, Rules: config.Rules{HighValueAbove: order.Cents(99_50), MaxAmount: order.Cents(500_00), MaxItems: 7},
		Terms:    config.Terms{Currency: "EUR", Currencies: []order.Currency{"EUR", "JPY", "KWD"}, AllowFree: true},
		LogLevel: slog.LevelWarn, LogFormat: config.LogJSON,
	}
	wantWeights := map[order.Queue]int{}
	for _, q := range order.Queues() {
		wantWeights[q] = 1
	}
	wantWeights[order.QueueCritical], wantWeights[order.QueueDefault], wantWeights[order.QueueLow] = 3, 2, 5
	wantAPI := config.API{
		Common: common, HTTPAddr: "0.0.0.0:80", AdminAddr: ":0", MonitoringWritable: true, TraceURL: "https://traces.example/{trace_id}",
		Keys: []config.APIKey{
			{Name: "shop", Scopes: []access.Scope{access.Submit, access.Read}, Hash: rawHash("a")},
			{Name: "ops", Scopes: []access.Scope{access.Admin}, Hash: rawHash("b")},
		},
		Insecure: true, RateLimit: 100, RateBurst: 7,
	}
	_, file, _ := strings.Cut(environ[len(environ)-15], "=")
	wantAPI.KeysFile = file
	wantWorker := config.Worker{
		Common: common, AdminAddr: ":0", Concurrency: 20, Lanes: 2, ReservedCritical: 3,
		QueueWeights: wantWeights,
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
	terms := func(a config.API, _ config.Worker) string { return fmt.Sprintf("%s of %s", a.Currency, a.Currencies) }
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
		{"ORDERS_CURRENCY=JPY", terms, "JPY of [JPY]"},
		{"ORDERS_CURRENCIES=JPY", terms, "USD of [JPY]"},
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

// secret returns a signing key of so many bytes, as base64.
func secret(bytes int) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", bytes)))
}

// bound is one variable with values on both sides of each of its bounds.
type bound struct {
	name      string
	good, bad []string
}

func bounds() []bound {
	return []bound{
		{"ORDERS_RETENTION", []string{"1s", "8760h"}, []string{"999ms", "8760h1s", "1d", "60"}},
		{"ORDERS_ARCHIVE_URL", []string{"sqlite:///a", "postgres://u:p@db/orders?sslmode=require", "postgresql://db"}, []string{
			"sqlite://", "sqlite:///", "sqlite://a.db", "sqlite:///a.db?mode=ro", "postgres://", "mysql://u@db/orders", "/a.db",
		}},
		{"ORDERS_ARCHIVE_RETENTION", []string{"0", "876000h"}, []string{"-1s", "876001h", "1y"}},
		{"ORDERS_BOOKS", []string{"1", "64"}, []string{"0", "65"}},
		{"ORDERS_ID_RETENTION", []string{"0", "8760h"}, []string{"-1s", "8761h"}},
		{"ORDERS_RETRY_FOR", []string{"1s", "720h"}, []string{"999ms", "721h", "0"}},
		{"ORDERS_MAX_ATTEMPTS", []string{"0", "100"}, []string{"101", "-1", "1.5", "x", "9999999999999"}},
		{"ORDERS_ATTEMPT_TIMEOUT", []string{"100ms", "1h", "10500ms"}, []string{"99ms", "3601s"}},
		{"ORDERS_SHUTDOWN_TIMEOUT", []string{"100ms", "1h", "1500ms"}, []string{"99ms", "1h1s"}},
		{"ORDERS_HIGH_VALUE_ABOVE", []string{"0", "999999999999.99"}, []string{"-0.01", "1.001", "1000000000000", "ten"}},
		{"ORDERS_MAX_AMOUNT", []string{"0.01", "999999999999.99"}, []string{"0", "-1", "0.001"}},
		{"ORDERS_CURRENCY", []string{"USD", "JPY", "KWD", "CLF"}, []string{"usd", "XYZ", "US", "USD,EUR", "Euro"}},
		{"ORDERS_CURRENCIES", []string{"USD", "EUR,JPY"}, []string{"usd", "USD,", ",", "USD;EUR", "USD,USD", "USD,XYZ"}},
		{"ORDERS_ALLOW_FREE", []string{"true", "false"}, []string{"yes"}},
		{"ORDERS_ADDRESS_REQUIRED", []string{"true", "false"}, []string{"no"}},
		{"ORDERS_MAX_ITEMS", []string{"1", strconv.Itoa(order.MaxItems)}, []string{"0", strconv.Itoa(order.MaxItems + 1)}},
		{"ORDERS_LOG_LEVEL", []string{"debug", "info", "warn", "error"}, []string{"trace", "INFO", "info+2"}},
		{"ORDERS_LOG_FORMAT", []string{"text", "json"}, []string{"xml", "JSON"}},
		{"ORDERS_HTTP_ADDR", []string{":0", "[::1]:65535", "localhost:80"}, []string{":65536", "8080", "127.0.0.1", "a b:80", "::1:80", ":http", ":-1"}},
		{"ORDERS_ADMIN_ADDR", []string{":0", "0.0.0.0:65535"}, []string{":65536", "8081", "http://x:80"}},
		{"ORDERS_MAX_QUEUE_LENGTH", []string{"1", "10000000"}, []string{"0", "10000001"}},
		{"ORDERS_API_KEYS", []string{"shop:submit:" + hashOf("a"), "a:read+admin+submit:" + hashOf("a") + ", a:read:" + strings.ToUpper(hashOf("b"))}, []string{
			"shop", "shop:submit:", ":submit:" + hashOf("a"), "shop::" + hashOf("a"), "shop:write:" + hashOf("a"), "shop:read+read:" + hashOf("a"),
			"shop:read:" + hashOf("a")[1:], "shop:read:" + hashOf("a") + "00", "shop:read:" + strings.Repeat("g", 64), "a b:read:" + hashOf("a"),
			strings.Repeat("x", 65) + ":read:" + hashOf("a"), "shop:read:" + hashOf("a") + ",", "a:read:" + hashOf("a") + ",b:admin:" + hashOf("a"),
			"shop:read:" + hashOf("a") + ":x", "shop:READ:" + hashOf("a"),
		}},
		{"ORDERS_INSECURE", []string{"true", "false"}, []string{"yes", "TRUE"}},
		{"ORDERS_RATE_LIMIT", []string{"0", "1000000"}, []string{"-1", "1000001", "10/s"}},
		{"ORDERS_RATE_BURST", []string{"0", "1000000"}, []string{"-1", "1000001"}},
		{"ORDERS_TRACE_URL", []string{"http://[::1]:16686/trace/{trace_id}?x=1", "https://{trace_id}.traces.example"}, []string{
			"https://traces.example", "{trace_id}", "javascript://{trace_id}",
		}},
		{"ORDERS_MONITORING_WRITABLE", []string{"true", "false"}, []string{"yes", "1"}},
		{"ORDERS_WORKER_CONCURRENCY", []string{"1", "4096"}, []string{"0", "4097"}},
		{"ORDERS_WORKER_PREFETCH", []string{"true", "false"}, []string{"on", "1"}},
		{"ORDERS_WORKER_LANES", []string{"1", "64"}, []string{"0", "65"}},
		{"ORDERS_WORKER_RESERVED_CRITICAL", []string{"0", "63"}, []string{"-1", "64", "4096"}},
		{"ORDERS_QUEUE_WEIGHTS", []string{weights("low=100"), weights("low=1,critical=6,default=3")}, []string{
			weights("critical=0"), weights("critical=101"), "critical=1,default=1", weights("low=1,low=2"), weights("none=1"),
			weights("critical=1.5"), weights("critical:1"), weights("") + ",", weights("low=1") + "x",
		}},
		{"ORDERS_RETRY_BASE", []string{"1ms", "1h"}, []string{"999us", "1h1s"}},
		{"ORDERS_RETRY_MAX", []string{"1ms", "24h"}, []string{"999us", "24h1s"}},
		{"ORDERS_FULFILMENT_URL", []string{"http://shop", "https://shop.example:8443/orders?x=1", "http://[::1]:1/"}, []string{
			"shop.example", "/orders", "ftp://shop", "https://", "https://u:p@shop", "http://shop:65536", "http://shop:0", "mailto:x@y", "http://a b/",
		}},
		{"ORDERS_FULFILMENT_TIMEOUT", []string{"10ms", "29999ms"}, []string{"9ms", "30s", "2h"}},
		// OpenTelemetry itself would ignore an invalid value.
		{"OTEL_SDK_DISABLED", []string{"False"}, []string{"yes", "0"}},
		{"OTEL_TRACES_EXPORTER", []string{"otlp", "console"}, []string{"zipkin", "otlp,console", "logging"}},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", []string{"grpc", "http/protobuf"}, []string{"http/json", "http"}},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", []string{"grpc", "http/protobuf"}, []string{"http/json"}},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", []string{"http://c", "https://[::1]:4317/x"}, []string{"c:4318", "/v1", "ftp://c", "http://", "http://c x", "http://c:x"}},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", []string{"http://c:4318"}, []string{"localhost:4317"}},
		{"OTEL_TRACES_SAMPLER", []string{"always_on", "parentbased_traceidratio"}, []string{"ratio", "jaeger_remote"}},
		{"OTEL_TRACES_SAMPLER_ARG", []string{"0", "1", "0.05", "1e-3"}, []string{"-0.1", "1.1", "5%", "NaN"}},
		{"OTEL_BSP_MAX_QUEUE_SIZE", []string{"1", "1000000"}, []string{"0", "1000001", "1e3", "-1"}},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", []string{"1"}, []string{"0", "many"}},
		{"OTEL_BSP_SCHEDULE_DELAY", []string{"1", "3600000"}, []string{"0", "3600001", "5s"}},
		{"OTEL_BSP_EXPORT_TIMEOUT", []string{"30000"}, []string{"0", "30s"}},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", []string{"10000"}, []string{"10s"}},
		{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", []string{"10000"}, []string{"-1"}},
	}
}

// TestBounds checks every variable on both sides of its bounds, and that a bad value of an
// OpenTelemetry variable, which may contain a password, is not shown.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, b := range bounds() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			load := func(value string) error {
				environ := []string{"OTEL_TRACES_EXPORTER=otlp", b.name + "=" + value}
				_, err := config.LoadWorker(environ)
				if _, errAPI := config.LoadAPI(environ); strings.HasPrefix(b.name, "OTEL_") && fmt.Sprint(errAPI) != fmt.Sprint(err) {
					t.Errorf("%q: the API has the problem %v, the worker %v", value, errAPI, err)
				}
				return err
			}
			for _, value := range b.good {
				if err := load(value); err != nil {
					t.Errorf("%q is refused: %v", value, err)
				}
			}
			for _, value := range b.bad {
				err := load(value)
				if got := namesOf(t, err); !slices.Equal(got, []string{b.name}) {
					t.Errorf("%q: want one problem with it, got %v", value, err)
				} else if strings.HasPrefix(b.name, "OTEL_") && !strings.Contains(err.Error(), b.name+" must be ") {
					t.Errorf("%q: %v", value, err)
				}
			}
		})
	}
	if _, err := config.LoadAPI([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:hunter2@c d"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the value is shown: %v", err)
	}
}

// weights completes the weights in text by 1 for each queue that it does not name.
func weights(text string) string {
	pairs := strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
	for _, q := range order.Queues() {
		if !strings.Contains(text, string(q)) {
			pairs = append(pairs, string(q)+"=1")
		}
	}
	return strings.Join(pairs, ",")
}

// TestAmountsFitTheCurrency holds the limits to the decimals of ORDERS_CURRENCY. The
// defaults fit every currency.
func TestAmountsFitTheCurrency(t *testing.T) {
	t.Parallel()
	for environ, problem := range map[string]string{
		"ORDERS_CURRENCY=JPY":                                "",
		"ORDERS_CURRENCY=JPY ORDERS_MAX_AMOUNT=500":          "",
		"ORDERS_CURRENCY=JPY ORDERS_MAX_AMOUNT=500.00":       "",
		"ORDERS_CURRENCY=JPY ORDERS_MAX_AMOUNT=99.5":         `ORDERS_MAX_AMOUNT="99.50" must have no decimals: ORDERS_CURRENCY is JPY`,
		"ORDERS_CURRENCY=KWD ORDERS_HIGH_VALUE_ABOVE=1.001":  "",
		"ORDERS_CURRENCY=KWD ORDERS_HIGH_VALUE_ABOVE=1.0001": `ORDERS_HIGH_VALUE_ABOVE="1.0001" must have at most three decimals: ORDERS_CURRENCY is KWD`,
		"ORDERS_HIGH_VALUE_ABOVE=1.001":                      `ORDERS_HIGH_VALUE_ABOVE="1.001" must have at most two decimals: ORDERS_CURRENCY is USD`,
		"ORDERS_MAX_AMOUNT=1.00001":                          `ORDERS_MAX_AMOUNT="1.00001" must be an amount from 0.01 to 999999999999.99, with no more decimals than ORDERS_CURRENCY has`,
	} {
		_, _, err := config.LoadAll(strings.Fields(environ))
		if (err == nil) != (problem == "") || err != nil && !strings.HasSuffix(err.Error(), "\n  "+problem) {
			t.Errorf("%s: got %v, want %q", environ, err, problem)
		}
	}
}
