package app_test

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/app"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// scrape returns every series of a program.
func scrape(t *testing.T, p program) map[string]float64 {
	t.Helper()
	got := ask(t, "GET", "http://"+p.AdminAddr()+"/metrics", "")
	if got.code != 200 {
		t.Fatalf("the scrape is answered %d", got.code)
	}
	series := map[string]float64{}
	for line := range strings.Lines(got.text) {
		line = strings.TrimSpace(line)
		if i := strings.LastIndexByte(line, ' '); i > 0 {
			if n, err := strconv.ParseFloat(line[i+1:], 64); err == nil {
				series[line[:i]] = n
			}
		}
	}
	return series
}

// compareSeries compares those series that are wanted.
func compareSeries(t *testing.T, want, series map[string]float64) {
	t.Helper()
	got := maps.Clone(want)
	maps.DeleteFunc(got, func(name string, _ float64) bool { _, there := series[name]; return !there })
	for name := range got {
		got[name] = series[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

// TestMetricsOfBothPrograms works orders that end in every way, and compares what was
// answered with what is counted.
func TestMetricsOfBothPrograms(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--maxmemory", "1gb")
	s := startReady(t, environ(redis.URL(), "ORDERS_FULFILMENT_URL="+newShop(t).URL, "ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=10ms"))
	url := s.url
	for _, row := range []struct {
		body string
		code int
	}{
		{orderOf("a", "200", 1), 201},
		{orderOf("a", "200", 1), 200},
		{orderOf("a", "200", 2), 409},
		{orderOf("b", "503 200", 1), 201},
		{orderOf("c", "422", 1), 201},
		{orderOf("d", "200", 20000), 201},
		{`{"id":1}`, 400},
	} {
		if got := ask(t, "POST", url+"/orders", row.body); got.code != row.code {
			t.Errorf("%s is answered %+v", row.body, got)
		}
	}
	batch := "[" + orderOf("e", "200", 1) + "," + orderOf("f", "200", 1) + "," + orderOf("a", "200", 1) + "]"
	if got := ask(t, "POST", url+"/orders/batch", batch); got.code != 200 {
		t.Fatalf("the batch is answered %+v", got)
	}
	ask(t, "GET", url+"/orders/nosuch/events", "")
	ask(t, "GET", url+"/nosuch", "")
	programtest.Until(t, "all orders are settled", func() bool {
		stats := ask(t, "GET", url+"/stats", "").body
		return stats["total_processed"] == 6.0 && scrape(t, s.worker)["orders_attempts_running"] == 0
	})
	compareSeries(t, wantOfAPI(), scrape(t, s.api))
	compareSeries(t, wantOfWorker(), scrape(t, s.worker))
	ledgertest.CheckBooks(t, redis.Client())
}

func wantOfAPI() map[string]float64 {
	return map[string]float64{
		"orders_books_up": 1, "orders_books_accepted_total": 6, "orders_books_attempts_total": 7,
		"orders_books_drift_orders": 0, "orders_books_worker_slots": 4, "orders_books_workers": 1, "orders_event_streams": 0, "orders_books_redis_memory_limit_bytes": 1 << 30,
		`orders_books_orders{status="completed"}`: 4, `orders_books_orders{status="rejected"}`: 1, `orders_books_orders{status="failed"}`: 1,
		`orders_books_end_to_end_seconds_count{queue="default"}`:                           5,
		`orders_books_end_to_end_seconds_count{queue="critical"}`:                          1,
		`orders_books_queue_tasks{queue="default",state="pending"}`:                        0,
		`orders_submissions_total{kind="single",result="accepted"}`:                        4,
		`orders_submissions_total{kind="single",result="repeated"}`:                        1,
		`orders_submissions_total{kind="single",result="conflict"}`:                        1,
		`orders_submissions_total{kind="batch",result="accepted"}`:                         2,
		`orders_submissions_total{kind="batch",result="repeated"}`:                         1,
		"orders_submission_duration_seconds_count":                                         6,
		`orders_refusals_total{queue="default",reason="queue_full"}`:                       0,
		`orders_http_requests_total{method="POST",route="/orders",status="2xx"}`:           5,
		`orders_http_requests_total{method="POST",route="/orders",status="4xx"}`:           2,
		`orders_http_requests_total{method="POST",route="/orders/batch",status="2xx"}`:     1,
		`orders_http_requests_total{method="GET",route="/orders/:id/events",status="4xx"}`: 1,
		`orders_http_requests_total{method="GET",route="none",status="4xx"}`:               1,
		`orders_http_request_duration_seconds_count{method="POST",route="/orders"}`:        7,
		"orders_redis_pool_timeouts_total":                                                 0,
		fmt.Sprintf("orders_build_info{version=%q}", app.Version()):                        1,
	}
}

func wantOfWorker() map[string]float64 {
	return map[string]float64{
		`orders_attempts_total{result="completed"}`: 4, `orders_attempts_total{result="rejected"}`: 1,
		`orders_attempts_total{result="failed"}`: 1, `orders_attempts_total{result="retrying"}`: 1,
		`orders_attempts_total{result="lost"}`: 0, "orders_attempts_running": 0,
		`orders_fulfilment_duration_seconds_count{result="ok"}`:        4,
		`orders_fulfilment_duration_seconds_count{result="transient"}`: 1,
		`orders_fulfilment_duration_seconds_count{result="permanent"}`: 1,
		"orders_redis_pool_timeouts_total":                             0,
	}
}

// TestMetricsOfRefusals counts what two APIs of one Redis refused, each its own, and
// checks that both report the same books.
func TestMetricsOfRefusals(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	one, other := startAPI(t, environ(redis.URL(), "ORDERS_MAX_QUEUE_LENGTH=1")), startAPI(t, environ(redis.URL()))
	answered := map[int]float64{}
	for n := 0; answered[503] < 3; n++ {
		answered[ask(t, "POST", "http://"+one.Addr()+"/orders", orderOf(strconv.Itoa(n), "200", 1)).code]++
	}
	compareSeries(t, map[string]float64{
		"orders_books_accepted_total":                                answered[201],
		`orders_submissions_total{kind="single",result="accepted"}`:  answered[201],
		`orders_submissions_total{kind="single",result="no_room"}`:   answered[503],
		`orders_refusals_total{queue="default",reason="queue_full"}`: answered[503],
	}, scrape(t, one))
	compareSeries(t, map[string]float64{
		"orders_books_accepted_total":                                answered[201],
		"orders_books_worker_slots":                                  0,
		`orders_submissions_total{kind="single",result="accepted"}`:  0,
		`orders_refusals_total{queue="default",reason="queue_full"}`: 0,
	}, scrape(t, other))
	ledgertest.CheckBooks(t, redis.Client())
}
