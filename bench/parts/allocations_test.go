package parts_test

import (
	"runtime"
	"testing"

	"orderprocessor/bench/clients"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/load"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// senders is how many clients send at once.
const senders = 32

// BenchmarkAllocationsAPI measures what the API allocates for an order that is posted,
// its client's few allocations among them.
func BenchmarkAllocationsAPI(b *testing.B) {
	addr := startAPI(b, redistest.Start(b))
	b.ReportAllocs()
	b.ResetTimer()
	submit(b, addr, b.N)
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

// submit posts so many orders from several clients, which allocate next to nothing
// themselves.
func submit(b *testing.B, addr string, orders int) {
	b.Helper()
	mix := load.NewOrders(load.Mix{order.QueueCritical: 1, order.QueueDefault: 1, order.QueueLow: 1})
	if _, err := clients.Closed(b.Context(), addr, senders, orders, mix); err != nil {
		b.Fatal(err)
	}
}
