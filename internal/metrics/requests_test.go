package metrics_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"

	"orderprocessor/internal/metrics"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	requests := r.NewRequests()
	for range 2 {
		requests.Observe("/orders", "POST", 201, 20*time.Millisecond)
	}
	requests.Observe("/orders", "POST", 503, time.Second)
	requests.Observe("/orders/:id", "GET", 404, time.Millisecond)
	requests.Observe("none", "GET", 302, time.Millisecond)
	requests.Observe("none", "GET", 101, time.Millisecond)
	compare(t, map[string]float64{
		`orders_http_requests_total{method="POST",route="/orders",status="2xx"}`:    2,
		`orders_http_requests_total{method="POST",route="/orders",status="5xx"}`:    1,
		`orders_http_requests_total{method="GET",route="/orders/:id",status="4xx"}`: 1,
		`orders_http_requests_total{method="GET",route="none",status="3xx"}`:        1,
		`orders_http_requests_total{method="GET",route="none",status="1xx"}`:        1,
	}, scrape(t, r, "orders_http_requests_total"))
	for bound, want := range map[string]float64{"0.01": 0, "0.025": 2, "1": 3} {
		name := fmt.Sprintf(`orders_http_request_duration_seconds_bucket{method="POST",route="/orders",le=%q}`, bound)
		compare(t, map[string]float64{name: want}, scrape(t, r, name))
	}
}

// TestHostileRequests checks that the number of series is bounded, whatever clients send.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	requests := r.NewRequests()
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 1000 {
				requests.Observe(fmt.Sprintf("/orders/%d-%d", n, i), "GET", 200, 0)
				requests.Observe("/orders", fmt.Sprintf("METHOD%d", i), 200, 0)
				requests.Observe("/orders", "GET", i*100, 0)
			}
		})
	}
	all.Wait()
	series := scrape(t, r, "orders_http_requests_total")
	if len(series) > 150 {
		t.Errorf("there are %d series", len(series))
	}
	var sum float64
	for _, n := range series {
		sum += n
	}
	if sum != 8*3000 {
		t.Errorf("%v requests are counted", sum)
	}
}

// TestMethodIsNotKept checks that the memory of a method may be used again.
func TestMethodIsNotKept(t *testing.T) {
	t.Parallel()
	r := metrics.New("commit 1")
	requests := r.NewRequests()
	method := []byte("GET")
	for _, next := range []string{"GET", "PUT"} {
		copy(method, next)
		requests.Observe("/orders", unsafeText(method), 200, 0)
	}
	compare(t, map[string]float64{
		`orders_http_requests_total{method="GET",route="/orders",status="2xx"}`: 1,
		`orders_http_requests_total{method="PUT",route="/orders",status="2xx"}`: 1,
	}, scrape(t, r, "orders_http_requests_total"))
}

// unsafeText is the text of bytes that may change, as Fiber's are.
func unsafeText(b []byte) string { return unsafe.String(&b[0], len(b)) }
