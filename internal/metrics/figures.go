package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// figure is one metric of the ledger, with what it reads of a snapshot.
type figure struct {
	desc    *prometheus.Desc
	collect func(now stats.Snapshot, out chan<- prometheus.Metric)
}

// emit adds one series of a metric.
type emit func(value float64, labels ...string)

func newFigure(kind prometheus.ValueType, name, help string, labels []string, read func(now stats.Snapshot, add emit)) figure {
	desc := ledgerDesc(name, help, labels...)
	return figure{desc, func(now stats.Snapshot, out chan<- prometheus.Metric) {
		read(now, func(value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
		})
	}}
}

// figures lists the metrics of the ledger that are no durations.
func figures() []figure {
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	return []figure{
		single(counter, "accepted_total", "Orders ever accepted.", func(now stats.Snapshot) int64 { return now.Accepted }),
		single(counter, "attempts_total", "Attempts ever begun.", func(now stats.Snapshot) int64 { return now.Attempts }),
		single(counter, "retried_total", "Retries of failed and rejected orders by operators.", func(now stats.Snapshot) int64 { return now.Retried }),
		single(gauge, "drift_orders", "How many orders the books are from balancing; 0 unless something is wrong.",
			func(now stats.Snapshot) int64 { return now.Drift() }),
		single(gauge, "away", "How many of several books do not answer; they count as they did last in the totals and gauges of orders.",
			func(now stats.Snapshot) int64 { return int64(now.Away()) }),
		perBook(counter, "book_accepted_total", "Orders ever accepted by book, where there are several.",
			func(b stats.BookTotals) int64 { return b.Accepted }),
		perBook(gauge, "book_unsettled_orders", "Orders without an outcome by book, likewise.", func(b stats.BookTotals) int64 { return b.Unsettled }),
		perBook(gauge, "book_drift_orders", "How many orders each book is from balancing, likewise.", func(b stats.BookTotals) int64 { return b.Drift }),
		perBook(gauge, "book_away", "1 if the book does not answer, else 0, likewise.", func(b stats.BookTotals) int64 { return int64(oneIf(b.Away)) }),
		single(gauge, "shop_down", "1 while the shop takes no orders, else 0.", func(now stats.Snapshot) int64 { return int64(oneIf(now.Fulfilment.Down())) }),
		newFigure(gauge, "fulfilment_breaker", "1 for the state of the circuit breaker, 0 for the other states.", []string{"state"},
			func(now stats.Snapshot, add emit) {
				for _, s := range order.BreakerStates() {
					add(oneIf(now.Fulfilment.State == s), string(s))
				}
			}),
		newFigure(gauge, "fulfilment_calls_per_second", "Calls to the shop by all workers, over the last minute.", nil,
			func(now stats.Snapshot, add emit) { add(now.Fulfilment.CallsPerSecond()) }),
		newFigure(gauge, "fulfilment_success_ratio", "Share of these calls after which the shop had the order; 1 without calls.", nil,
			func(now stats.Snapshot, add emit) { add(now.Fulfilment.SuccessRatio()) }),
		newFigure(gauge, "orders",
			"Orders by status. Settled orders stay counted when their records leave after the retention.", []string{"status"},
			func(now stats.Snapshot, add emit) {
				for _, s := range order.Statuses() {
					add(float64(now.ByStatus[s]), string(s))
				}
			}),
		newFigure(counter, "repairs_total", "Repairs after crashes, by kind.", []string{"kind"},
			func(now stats.Snapshot, add emit) {
				for _, kind := range order.Repairs() {
					add(float64(now.Repairs[kind]), string(kind))
				}
			}),
		perQueue("queue_tasks", "Tasks by queue and Asynq's state of them: pending, active, scheduled, retry, archived.",
			func(d stats.Depth, add emit) {
				add(float64(d.Pending), "pending")
				add(float64(d.Active), "active")
				add(float64(d.Scheduled), "scheduled")
				add(float64(d.Retry), "retry")
				add(float64(d.Archived), "archived")
			}, "state"),
		perQueue("queue_paused", "1 if workers take no orders from the queue, else 0.",
			func(d stats.Depth, add emit) { add(oneIf(d.Paused)) }),
		perQueue("queue_oldest_waiting_seconds", "How long the first pending task of the queue has waited, 0 when none waits.",
			func(d stats.Depth, add emit) { add(d.OldestPending.Seconds()) }),
		perPool("workers", "Worker processes that are alive. One that was killed counts for up to ten seconds more.",
			func(p stats.WorkerPool) int { return p.Workers }),
		perPool("worker_slots", "How many orders the workers alive can process at once, over all processes.",
			func(p stats.WorkerPool) int { return p.Slots }),
		single(gauge, "archive_due_orders", "Orders that have changed and that the archive lacks, 0 without an archive.",
			func(now stats.Snapshot) int64 { return now.Archive.Orders }),
		newFigure(gauge, "archive_behind_seconds", "How long ago the oldest change of a settled order was that the archive lacks, 0 without an archive.", nil,
			func(now stats.Snapshot, add emit) { add(now.Archive.Behind.Seconds()) }),
		single(gauge, "redis_memory_used_bytes", "Memory that Redis uses, 0 where it does not report it.",
			func(now stats.Snapshot) int64 { return now.Memory.Used }),
		single(gauge, "redis_memory_limit_bytes", "The maxmemory of Redis, 0 for no limit.",
			func(now stats.Snapshot) int64 { return now.Memory.Limit }),
	}
}

// single is a metric without labels.
func single(kind prometheus.ValueType, name, help string, read func(now stats.Snapshot) int64) figure {
	return newFigure(kind, name, help, nil, func(now stats.Snapshot, add emit) { add(float64(read(now))) })
}

// perPool is a gauge of the workers, absent while they are not known.
func perPool(name, help string, read func(p stats.WorkerPool) int) figure {
	return newFigure(prometheus.GaugeValue, name, help, nil, func(now stats.Snapshot, add emit) {
		if !now.PoolUnknown {
			add(float64(read(now.WorkerPool)))
		}
	})
}

// perBook is a metric with the label book, without series where there is one book.
func perBook(kind prometheus.ValueType, name, help string, read func(b stats.BookTotals) int64) figure {
	return newFigure(kind, name, help, []string{"book"}, func(now stats.Snapshot, add emit) {
		for n, b := range now.Books {
			add(float64(read(b)), strconv.Itoa(n))
		}
	})
}

// perQueue is a gauge with the label queue and further labels.
func perQueue(name, help string, read func(d stats.Depth, add emit), labels ...string) figure {
	return newFigure(prometheus.GaugeValue, name, help, append([]string{"queue"}, labels...), func(now stats.Snapshot, add emit) {
		for _, q := range order.Queues() {
			read(now.Depths[q], func(value float64, labels ...string) { add(value, append([]string{string(q)}, labels...)...) })
		}
	})
}
