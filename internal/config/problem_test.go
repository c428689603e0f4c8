package config_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

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
		{"ORDERS_MAX_ATTEMPTS", []string{"1", "100"}, []string{"0", "101", "-1", "1.5", "x", "9999999999999"}},
		{"ORDERS_ATTEMPT_TIMEOUT", []string{"100ms", "1h", "10500ms"}, []string{"99ms", "3601s"}},
		{"ORDERS_SHUTDOWN_TIMEOUT", []string{"100ms", "1h", "1500ms"}, []string{"99ms", "1h1s"}},
		{"ORDERS_HIGH_VALUE_ABOVE", []string{"0", "999999999999.99"}, []string{"-0.01", "1.001", "1000000000000", "ten"}},
		{"ORDERS_MAX_AMOUNT", []string{"0.01", "999999999999.99"}, []string{"0", "-1", "0.001"}},
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
		{"ORDERS_MONITORING_WRITABLE", []string{"true", "false"}, []string{"yes", "1"}},
		{"ORDERS_WORKER_CONCURRENCY", []string{"1", "4096"}, []string{"0", "4097"}},
		{"ORDERS_WORKER_PREFETCH", []string{"true", "false"}, []string{"on", "1"}},
		{"ORDERS_WORKER_LANES", []string{"1", "64"}, []string{"0", "65"}},
		{"ORDERS_WORKER_RESERVED_CRITICAL", []string{"0", "63"}, []string{"-1", "64", "4096"}},
		{"ORDERS_QUEUE_WEIGHTS", []string{"critical=1,default=1,low=100", "low=1,critical=6,default=3"}, []string{
			"critical=0,default=1,low=1", "critical=101,default=1,low=1", "critical=1,default=1", "critical=1,default=1,low=1,low=2",
			"critical=1,default=1,low=1,bulk=1", "critical=1,default=1,lows=1", "critical=1.5,default=1,low=1", "critical:1", "critical=1,default=1,low=1,",
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

func TestPairsOfVariables(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		environ string // with spaces between the variables
		problem string // the variable that is reported; empty for none
	}{
		"concurrency at its most":             {"ORDERS_WORKER_CONCURRENCY=64 ORDERS_WORKER_LANES=60 ORDERS_WORKER_RESERVED_CRITICAL=4", ""},
		"a lane without a slot":               {"ORDERS_WORKER_CONCURRENCY=64 ORDERS_WORKER_LANES=61 ORDERS_WORKER_RESERVED_CRITICAL=4", "ORDERS_WORKER_RESERVED_CRITICAL"},
		"more lanes than slots":               {"ORDERS_WORKER_CONCURRENCY=8 ORDERS_WORKER_LANES=9", "ORDERS_WORKER_LANES"},
		"everything reserved":                 {"ORDERS_WORKER_CONCURRENCY=8 ORDERS_WORKER_RESERVED_CRITICAL=8", "ORDERS_WORKER_RESERVED_CRITICAL"},
		"a bad concurrency blames no other":   {"ORDERS_WORKER_CONCURRENCY=x ORDERS_WORKER_LANES=9", "ORDERS_WORKER_CONCURRENCY"},
		"retry max at base":                   {"ORDERS_RETRY_BASE=5s ORDERS_RETRY_MAX=5s", ""},
		"retry max below base":                {"ORDERS_RETRY_BASE=5s ORDERS_RETRY_MAX=4999ms", "ORDERS_RETRY_MAX"},
		"fulfilment as long as the attempt":   {"ORDERS_FULFILMENT_TIMEOUT=10s ORDERS_ATTEMPT_TIMEOUT=10s", "ORDERS_FULFILMENT_TIMEOUT"},
		"a short attempt":                     {"ORDERS_FULFILMENT_URL=http://shop ORDERS_ATTEMPT_TIMEOUT=1s", ""},
		"a secret with a URL":                 {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=" + secret(24), ""},
		"a secret with its prefix":            {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=whsec_" + secret(64), ""},
		"a secret without a URL":              {"ORDERS_FULFILMENT_SECRET=" + secret(24), "ORDERS_FULFILMENT_SECRET"},
		"a secret that is too short":          {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=" + secret(23), "ORDERS_FULFILMENT_SECRET"},
		"a secret that is too long":           {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=" + secret(65), "ORDERS_FULFILMENT_SECRET"},
		"a secret that is not base64":         {"ORDERS_FULFILMENT_URL=http://shop ORDERS_FULFILMENT_SECRET=whsec_" + strings.Repeat("?", 40), "ORDERS_FULFILMENT_SECRET"},
		"the last of two values counts":       {"ORDERS_MAX_ATTEMPTS=0 ORDERS_MAX_ATTEMPTS=3", ""},
		"an unknown name, even without value": {"ORDERS_SECRET=", "ORDERS_SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := strings.Split(row.environ, " ")
			_, err := config.LoadWorker(environ)
			if got := strings.Join(namesOf(t, err), " "); got != row.problem {
				t.Errorf("worker: want a problem with %q, got %v", row.problem, err)
			}
			if _, _, all := config.LoadAll(environ); (all == nil) != (err == nil) {
				t.Errorf("both: got %v", all)
			}
		})
	}
}

// TestTheOtherBinarysVariables checks that the API checks the form of a worker's
// variable, but not whether the worker's variables fit together.
func TestTheOtherBinarysVariables(t *testing.T) {
	t.Parallel()
	if _, err := config.LoadAPI([]string{"ORDERS_RETRY_BASE=1h", "ORDERS_FULFILMENT_URL=http://shop", "ORDERS_ATTEMPT_TIMEOUT=5s"}); err != nil {
		t.Errorf("a worker's pair stops the API: %v", err)
	}
	_, err := config.LoadAPI([]string{"ORDERS_RETRY_BASE=soon", "ORDERS_WORKER_LANES=65"})
	if got := namesOf(t, err); len(got) != 2 {
		t.Errorf("API: want two problems, got %v", err)
	}
	_, err = config.LoadWorker([]string{"ORDERS_HTTP_ADDR=8080", "ORDERS_MAX_QUEUE_LENGTH=0"})
	if got := namesOf(t, err); len(got) != 2 {
		t.Errorf("worker: want two problems, got %v", err)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.LoadWorker([]string{
		"ORDERS_MAX_ATTEMPTS=many", "ORDERS_WORKER_CONCURENCY=5", "REDIS_URL=redis://:hunter2@/0", "ORDERS_BANANA=yellow",
		"ORDERS_RETRY_MAX=1us", "ORDERS_LOG_LEVEL=loud\nand \x1b[31mred", "ORDERS_MAX_ITEMS=0",
	})
	want := `invalid configuration:
  ORDERS_BANANA is not a known variable
  ORDERS_LOG_LEVEL="loud and  [31mred" must be debug, info, warn or error
  ORDERS_MAX_ATTEMPTS="many" must be a whole number from 1 to 100
  ORDERS_MAX_ITEMS="0" must be a whole number from 1 to 1000
  ORDERS_RETRY_MAX="1us" must be a duration such as 1m30s, from 1ms to 24h
  ORDERS_WORKER_CONCURENCY is not a known variable; did you mean ORDERS_WORKER_CONCURRENCY?
  REDIS_URL must be a redis://, rediss:// or unix:// URL (with ?master_name=… for Sentinel, with ?addr=host:port for each further node of a Cluster); its value is not shown: it names no host`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 5000)
	_, err := config.LoadAPI([]string{"ORDERS_LOG_LEVEL=" + long, "ORDERS_" + long + "=1"})
	if n := len(namesOf(t, err)); n != 2 || len(err.Error()) > 1000 {
		t.Errorf("want two short problems, got %d in %d bytes", n, len(err.Error()))
	}
}

// namesOf returns the variables that have a problem; none for no error.
func namesOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var bad *config.Error
	if !errors.As(err, &bad) {
		t.Fatalf("want a *config.Error, got %T: %v", err, err)
	}
	var names []string
	for _, p := range bad.Problems {
		names = append(names, p.Name)
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
