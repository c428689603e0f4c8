package archive_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/postgrestest"
)

// orders is how many orders the benchmark of searches has:
//
//	go test ./internal/archive -run '^$' -bench Search -args -orders 1000000
var orders = flag.Int("orders", 20_000, "orders that BenchmarkSearch searches")

// onBothTo runs a benchmark on SQLite and on PostgreSQL.
func onBothTo(b *testing.B, bench func(b *testing.B, a *bundle)) {
	b.Helper()
	b.Run("SQLite", func(b *testing.B) { bench(b, open(b, sqliteAddress(b))) })
	b.Run("PostgreSQL", func(b *testing.B) {
		server, err := postgrestest.Start("max_wal_size=4GB")
		address := database(b, server, err)
		b.Cleanup(func() {
			_ = server.Close()
			b.Logf("PostgreSQL itself used %v of CPU", server.Used())
		})
		bench(b, open(b, address))
	})
}

// BenchmarkPut measures settled orders in batches as the leader of the workers sends them.
// cpu-µs/order is that of this process, which is all of it with SQLite.
func BenchmarkPut(b *testing.B) {
	onBothTo(b, func(b *testing.B, a *bundle) {
		made := generator{at: day}
		used, n := time.Duration(0), 0
		for b.Loop() {
			b.StopTimer()
			batch := made.next(500)
			before := cpu()
			b.StartTimer()
			a.put(b, batch...)
			used += cpu() - before
			n += len(batch)
		}
		b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-µs/order")
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "orders/s")
	})
}

// BenchmarkSearch measures pages of 50 orders and single look-ups.
func BenchmarkSearch(b *testing.B) {
	onBothTo(b, func(b *testing.B, a *bundle) {
		made := generator{at: day}
		start := time.Now()
		for made.n < *orders {
			a.put(b, made.next(1000)...)
		}
		b.Logf("made and put %d orders in %v", made.n, time.Since(start))
		if a.sqlite {
			info, err := os.Stat(strings.TrimPrefix(a.address, "sqlite://"))
			b.Logf("%d bytes for each (%v)", info.Size()/int64(made.n), err)
		} else if err := a.Exec(b.Context(), "ANALYZE"); err != nil { // as autovacuum does
			b.Fatal(err)
		}
		b.Run("Get", func(b *testing.B) {
			measure(b, func() {
				if _, _, err := a.Get(b.Context(), made.ids[rand.IntN(len(made.ids))]); err != nil {
					b.Fatal(err)
				}
			})
		})
		for _, row := range searches(made) {
			b.Run(row.name, func(b *testing.B) {
				var n int
				measure(b, func() {
					records, _, err := a.Search(b.Context(), row.filter(), row.after, 50)
					if n = len(records); err != nil {
						b.Fatal(err)
					}
				})
				b.ReportMetric(float64(n), "found")
			})
		}
		b.Run("Failures", func(b *testing.B) {
			measure(b, func() {
				if _, err := a.Failures(b.Context(), time.Time{}, 100); err != nil {
					b.Fatal(err)
				}
			})
		})
	})
}

// measure reports the 99th percentile beside the mean.
func measure(b *testing.B, once func()) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		once()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

type search struct {
	name   string
	filter func() order.Filter
	after  order.Position
}

func searches(made generator) []search {
	further := func(f order.Further) func() order.Filter {
		return func() order.Filter { return order.Filter{Further: f} }
	}
	middle := order.Position{CreatedAt: made.at.Add(-time.Duration(made.n/2) * gap), ID: "~"}
	small, large := order.Cents(100), order.Cents(99_000)
	someone := func() string { return fmt.Sprintf("customer %d", rand.IntN(50_000)) }
	return []search{
		{name: "all", filter: further(order.Further{})},
		{name: "all, from the middle", filter: further(order.Further{}), after: middle},
		{name: "customer", filter: func() order.Filter { return order.Filter{Customer: someone()} }},
		{name: "customer and status", filter: func() order.Filter { return order.Filter{Customer: someone(), Status: order.StatusFailed} }},
		{name: "status", filter: func() order.Filter { return order.Filter{Status: order.StatusFailed} }, after: middle},
		{name: "a rare status", filter: func() order.Filter { return order.Filter{Status: order.StatusCancelled} }},
		{name: "id prefix of few", filter: func() order.Filter {
			return order.Filter{Further: order.Further{IDPrefix: made.ids[rand.IntN(len(made.ids))][:12]}}
		}},
		{name: "id prefix of all", filter: further(order.Further{IDPrefix: "o"})},
		{name: "metadata", filter: func() order.Filter {
			return order.Filter{Further: order.Further{Metadata: map[string]string{"basket": strconv.Itoa(rand.IntN(made.n))}}}
		}},
		{name: "tag", filter: further(order.Further{Tag: "vip"}), after: middle},
		{name: "country", filter: further(order.Further{Country: "IS"})},
		{name: "error contains", filter: further(order.Further{ErrorContains: "503"}), after: middle},
		{name: "error contains nothing known", filter: further(order.Further{ErrorContains: "no such text"})},
		{name: "settled in a second", filter: further(order.Further{SettledFrom: middle.CreatedAt, SettledTo: middle.CreatedAt.Add(time.Second)})},
		{name: "settled in the older half", filter: further(order.Further{SettledTo: middle.CreatedAt})},
		{name: "queue and handling", filter: further(order.Further{Queue: order.QueueLow, Handling: order.HandlingPriority})},
		{name: "amount of 1 in 100", filter: further(order.Further{AmountMin: &large})},
		{name: "amount of nobody", filter: further(order.Further{AmountMax: &small})},
	}
}

// gap is the time between two orders of the generator: 5,000 a second.
const gap = 200 * time.Microsecond

// generator makes orders such as a shop might have.
type generator struct {
	at  time.Time
	n   int
	ids []string // of some of them
}

func (g *generator) next(n int) []order.History {
	batch := make([]order.History, n)
	for i := range batch {
		batch[i] = g.one()
	}
	if len(g.ids) < 100_000 {
		g.ids = append(g.ids, batch[0].Record.ID)
	}
	return batch
}

func (g *generator) one() order.History {
	g.n++
	g.at = g.at.Add(gap)
	id := fmt.Sprintf("o%012x-7%03x-%012x", g.at.UnixMilli(), rand.IntN(1<<12), rand.Int64N(1<<48))
	h := completed(id, acceptedAt(g.at), of(fmt.Sprintf("customer %d", rand.IntN(50_000))), func(rec *order.Record) {
		rec.Amount = order.Cents(101 + rand.Int64N(100_000))
		rec.Metadata = map[string]string{"basket": strconv.Itoa(g.n)}
		rec.Queue = order.Queues()[rand.IntN(3)]
		rec.Country = "DE"
		switch rand.IntN(1000) {
		case 0:
			rec.Country = "IS"
		case 1:
			rec.Status = order.StatusCancelled
		case 2, 3, 4, 5, 6, 7, 8, 9:
			rec.Handling = order.HandlingPriority
		}
	})
	if rand.IntN(100) == 0 {
		tagged("vip")(&h.Record)
	}
	if rand.IntN(100) == 0 {
		h.Record.Status = order.StatusFailed
		h.Record.Error = []string{"fulfilment answered 503 Service Unavailable", "sku 77-" + strconv.Itoa(g.n) + " is unknown", "no answer within 10s"}[rand.IntN(3)]
	}
	return h
}

// cpu is what this process has used.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
