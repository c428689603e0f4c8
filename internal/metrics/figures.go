package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// figure is one metric of the books, and what a reading says of it.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	tell func(now stats.Snapshot, value func(v float64, labels ...string))
}

func (f figure) collect(now stats.Snapshot, out chan<- prometheus.Metric) {
	f.tell(now, func(v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...)
	})
}

// figures lists all metrics of the books but the durations.
func figures() []figure {
	return append(append(ledgerFigures(), queueFigures()...), fleetFigures()...)
}

func ledgerFigures() []figure {
	return []figure{
		total("accepted_total", "Orders ever accepted.", func(now stats.Snapshot) int64 { return now.Accepted }),
		total("attempts_total", "Attempts ever begun.", func(now stats.Snapshot) int64 { return now.Attempts }),
		total("retried_total", "Retries of failed and rejected orders by operators.", func(now stats.Snapshot) int64 { return now.Retried }),
		number("drift_orders", "How many orders the books are from balancing; 0 unless something is wrong.",
			func(now stats.Snapshot) float64 { return float64(now.Drift()) }),
		{
			booksDesc("orders", "Orders by status. Settled orders stay counted when their records leave after the retention.", "status"),
			prometheus.GaugeValue,
			func(now stats.Snapshot, value func(float64, ...string)) {
				for _, s := range order.Statuses() {
					value(float64(now.ByStatus[s]), string(s))
				}
			},
		},
		{
			booksDesc("repairs_total", "Repairs of what crashes left behind, by kind.", "kind"),
			prometheus.CounterValue,
			func(now stats.Snapshot, value func(float64, ...string)) {
				for _, kind := range order.Repairs() {
					value(float64(now.Repairs[kind]), string(kind))
				}
			},
		},
	}
}

func queueFigures() []figure {
	return []figure{
		{
			booksDesc("queue_tasks", "Tasks by queue and Asynq's state of them: pending, active, scheduled, retry, archived.", "queue", "state"),
			prometheus.GaugeValue, tellTasks,
		},
		{
			booksDesc("queue_paused", "1 if workers take nothing from the queue, else 0.", "queue"),
			prometheus.GaugeValue,
			func(now stats.Snapshot, value func(float64, ...string)) {
				for _, q := range order.Queues() {
					value(oneIf(now.Depths[q].Paused), string(q))
				}
			},
		},
		{
			booksDesc("queue_oldest_waiting_seconds", "How long the first pending task of the queue has waited, 0 when none waits.", "queue"),
			prometheus.GaugeValue,
			func(now stats.Snapshot, value func(float64, ...string)) {
				for _, q := range order.Queues() {
					value(now.Depths[q].OldestPending.Seconds(), string(q))
				}
			},
		},
	}
}

func tellTasks(now stats.Snapshot, value func(float64, ...string)) {
	for _, q := range order.Queues() {
		d := now.Depths[q]
		value(float64(d.Pending), string(q), "pending")
		value(float64(d.Active), string(q), "active")
		value(float64(d.Scheduled), string(q), "scheduled")
		value(float64(d.Retry), string(q), "retry")
		value(float64(d.Archived), string(q), "archived")
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func fleetFigures() []figure {
	return []figure{
		number("workers", "Worker processes that are alive. One that was killed counts for up to ten seconds more.",
			func(now stats.Snapshot) float64 { return float64(now.Workers) }),
		number("worker_slots", "How many orders the workers alive can work at once, over all processes.",
			func(now stats.Snapshot) float64 { return float64(now.Slots) }),
		number("redis_memory_used_bytes", "Memory that Redis uses, 0 where it does not tell.",
			func(now stats.Snapshot) float64 { return float64(now.Memory.Used) }),
		number("redis_memory_limit_bytes", "The maxmemory of Redis, 0 for no limit.",
			func(now stats.Snapshot) float64 { return float64(now.Memory.Limit) }),
	}
}

// total is a counter without labels.
func total(name, help string, read func(now stats.Snapshot) int64) figure {
	return figure{booksDesc(name, help), prometheus.CounterValue, func(now stats.Snapshot, value func(float64, ...string)) {
		value(float64(read(now)))
	}}
}

// number is a gauge without labels.
func number(name, help string, read func(now stats.Snapshot) float64) figure {
	return figure{booksDesc(name, help), prometheus.GaugeValue, func(now stats.Snapshot, value func(float64, ...string)) {
		value(read(now))
	}}
}
