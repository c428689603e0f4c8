package metrics_test

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"orderprocessor/internal/metrics"
	"orderprocessor/internal/order"
)

// everything returns a registry with every metric that there is.
func everything() *metrics.Registry {
	r := metrics.New("commit 1")
	r.AddLedger(&system{})
	r.AddPool(func() metrics.Pool { return metrics.Pool{} })
	r.NewIntake(&submitter{})
	r.NewAttempts()
	r.NewFulfilment(shop{})
	r.NewRequests().Observe("/orders", "GET", 200, 0)
	r.Gauge("event_streams", "Event streams that are open.", func() int { return 3 })
	r.Flags("check_failed", "1 while it is so.", "check", []string{"clock", "version"}, func(name string) bool { return name == "clock" })
	return r
}

// TestNames checks that the metrics follow the conventions of Prometheus, and begin with
// the names that ours have.
func TestNames(t *testing.T) {
	t.Parallel()
	text := page(t, everything())
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, name := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`^(orders|go|process|promhttp)_`).MatchString(name[1]) {
			t.Errorf("%s does not begin with orders_", name[1])
		}
	}
}

// TestRuntime checks that there are metrics of the runtime, the process and the build.
func TestRuntime(t *testing.T) {
	t.Parallel()
	text := page(t, metrics.New("commit 1"))
	for _, name := range []string{"go_goroutines", "go_info", "go_build_info", "process_start_time_seconds"} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("there is no %s", name)
		}
	}
}

// TestSingleMetrics checks the metrics that need no test of their own.
func TestSingleMetrics(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]map[string]float64{
		buildInfo:              {`orders_build_info{version="commit 1"}`: 1},
		"orders_event_streams": {"orders_event_streams": 3},
		"orders_check_failed":  {`orders_check_failed{check="clock"}`: 1, `orders_check_failed{check="version"}`: 0},
	} {
		compare(t, want, scrape(t, everything(), name))
	}
}

// TestCountingAllocatesNothing checks that counting costs the hot path no memory. It runs
// alone, as it counts the allocations of the process.
func TestCountingAllocatesNothing(t *testing.T) {
	r, ctx := metrics.New("commit 1"), context.Background()
	attempts, in, requests := r.NewAttempts(), r.NewIntake(&submitter{isNew: true}), r.NewRequests()
	ledger := attempts.Ledger(ledgerStub{})
	handler := attempts.Handler(work(func(ctx context.Context, _ string) error {
		return ledger.Settle(ctx, order.Claim{}, order.Outcome{Status: order.StatusCompleted})
	}))
	for name, count := range map[string]func(){
		"an attempt":   func() { _ = handler.Work(ctx, "ord_1") },
		"a submission": func() { _, _, _ = in.Submit(ctx, order.Order{ID: "ord_1"}) },
		"a request":    func() { requests.Observe("/orders", "POST", 201, time.Millisecond) },
	} {
		if n := testing.AllocsPerRun(1000, count); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestPrivate checks that two programs in one process share no numbers.
func TestPrivate(t *testing.T) {
	t.Parallel()
	one, other := metrics.New("commit 1"), metrics.New("commit 1")
	one.NewRequests().Observe("/orders", "GET", 200, 0)
	other.NewRequests()
	if got := slices.Collect(maps.Keys(scrape(t, other, "orders_"))); len(got) != 0 {
		t.Errorf("the other one has %v", got)
	}
}

func TestPool(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		pool metrics.Pool
		want map[string]float64
	}{
		{"ordinary", metrics.Pool{Hits: 1, Misses: 2, Timeouts: 3, Stale: 4, Open: 7, Idle: 5}, map[string]float64{
			"orders_redis_pool_hits_total": 1, "orders_redis_pool_misses_total": 2,
			"orders_redis_pool_timeouts_total": 3, "orders_redis_pool_stale_total": 4,
			`orders_redis_pool_connections{state="used"}`: 2, `orders_redis_pool_connections{state="idle"}`: 5,
		}},
		{"one closed between two readings", metrics.Pool{Open: 4, Idle: 5}, map[string]float64{
			`orders_redis_pool_connections{state="idle"}`: 4,
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := metrics.New("commit 1")
			r.AddPool(func() metrics.Pool { return row.pool })
			compare(t, row.want, nonzero(scrape(t, r, "orders_")))
		})
	}
}
