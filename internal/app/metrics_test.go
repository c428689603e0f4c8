package app_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
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
	client := &http.Client{Timeout: programtest.Patience}
	resp, err := client.Get("http://" + p.AdminAddr() + "/metrics")
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the scrape is answered %d", resp.StatusCode)
	}
	series := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		text := lines.Text()
		i := strings.LastIndexByte(text, ' ')
		if i < 0 {
			continue
		}
		name, value := text[:i], text[i+1:]
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			series[name] = n
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

// moodyShop answers each order by the name of its customer.
func moodyShop(t *testing.T) (url string) {
	t.Helper()
	var later atomic.Int32
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			Data struct {
				Order struct {
					Customer string `json:"customer"`
				} `json:"order"`
			} `json:"data"`
		}
		err := json.NewDecoder(r.Body).Decode(&call)
		switch {
		case err != nil || call.Data.Order.Customer == "refused":
			w.WriteHeader(http.StatusUnprocessableEntity)
		case call.Data.Order.Customer == "later" && later.Add(1) == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(shop.Close)
	return shop.URL
}

// TestMetricsOfBothPrograms works orders that end in every way, and compares what was
// answered with what is counted.
func TestMetricsOfBothPrograms(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--maxmemory", "1gb")
	s := startReady(t, environ(redis.URL(), "ORDERS_FULFILMENT_URL="+moodyShop(t), "ORDERS_RETRY_BASE=10ms", "ORDERS_RETRY_MAX=10ms"))
	url := s.url
	for _, row := range []struct {
		body string
		code int
	}{
		{orderOf("a", "good", 1), 201},
		{orderOf("a", "good", 1), 200},
		{orderOf("a", "good", 2), 409},
		{orderOf("b", "later", 1), 201},
		{orderOf("c", "refused", 1), 201},
		{orderOf("d", "too dear", 20000), 201},
		{`{"id":1}`, 400},
	} {
		if got := ask(t, "POST", url+"/orders", row.body); got.code != row.code {
			t.Errorf("%s is answered %+v", row.body, got)
		}
	}
	batch := "[" + orderOf("e", "good", 1) + "," + orderOf("f", "good", 1) + "," + orderOf("a", "good", 1) + "]"
	resp, err := http.Post(url+"/orders/batch", "application/json", strings.NewReader(batch))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the batch is answered %v, %v", resp, err)
	}
	_ = resp.Body.Close()
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
// holds that both report the same books.
func TestMetricsOfRefusals(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	one, other := startAPI(t, environ(redis.URL(), "ORDERS_MAX_QUEUE_LENGTH=1")), startAPI(t, environ(redis.URL()))
	answered := map[int]float64{}
	for n := 0; answered[503] < 3; n++ {
		answered[ask(t, "POST", "http://"+one.Addr()+"/orders", orderOf(strconv.Itoa(n), "waits", 1)).code]++
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
