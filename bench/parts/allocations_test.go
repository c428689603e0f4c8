package parts_test

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/redistest"
)

// clients is how many send at once.
const clients = 32

// BenchmarkAllocationsAPI measures what the API allocates for an order that is posted,
// its client's few allocations among them.
func BenchmarkAllocationsAPI(b *testing.B) {
	url := startAPI(b, redistest.Start(b))
	submit(b, url, clients) // opens the connections
	b.ReportAllocs()
	b.ResetTimer()
	submit(b, url, b.N)
}

// BenchmarkAllocationsWorker measures what the worker allocates for an order that waits:
// fetched, begun, settled and acknowledged.
func BenchmarkAllocationsWorker(b *testing.B) {
	redis := redistest.Start(b)
	submit(b, startAPI(b, redis), b.N)
	books := ledger.New(redis.Client())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	startWorker(b, redis)
	await(b, func() bool {
		totals, err := books.Totals(b.Context())
		return err == nil && totals.Processed() == int64(b.N)
	})
	b.StopTimer()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N), "allocs/order")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N), "B/order")
}

// submit posts so many orders from several clients, of a kind that allocates next to
// nothing itself.
func submit(b *testing.B, url string, orders int) {
	b.Helper()
	var next atomic.Int64
	var sending sync.WaitGroup
	for range clients {
		sending.Go(func() {
			for n := next.Add(1); n <= int64(orders); n = next.Add(1) {
				if err := postOne(url, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
}

func postOne(url string, n int64) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(url + "/orders")
	req.Header.SetMethod(http.MethodPost)
	req.Header.SetContentType("application/json")
	req.SetBody(fmt.Appendf(nil, `{"amount":%d.25,"items":["tea","cups"],"customer":"customer-%d@example.com",`+
		`"address":"12 Main Street, London","priority":%d}`, 1+n%900, n%1000, 1+n%3))
	if err := fasthttp.Do(req, resp); err != nil {
		return err
	}
	if resp.StatusCode() != http.StatusCreated {
		return fmt.Errorf("POST /orders answered %d: %.200s", resp.StatusCode(), resp.Body())
	}
	return nil
}
