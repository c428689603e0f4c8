package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// statsView is the JSON of a snapshot. It counts orders, never attempts.
type statsView struct {
	TotalProcessed       int64                  `json:"total_processed"`
	SuccessCount         int64                  `json:"success_count"`
	ErrorCount           int64                  `json:"error_count"`
	AverageProcessTimeMS float64                `json:"average_process_time_ms"`
	ActiveWorkers        *int                   `json:"active_workers,omitempty"` // nil while unknown
	Workers              *int                   `json:"workers,omitempty"`        // nil while unknown
	QueueLength          int64                  `json:"queue_length"`
	UptimeSeconds        int64                  `json:"uptime_seconds"`
	ThroughputPerSecond  float64                `json:"throughput_per_second"`
	CompletedPerSecond   float64                `json:"completed_per_second"`
	FailedPerSecond      float64                `json:"failed_per_second"`
	ByStatus             map[order.Status]int64 `json:"by_status"`
	Queues               queueViews             `json:"queues"`
	LatencyMS            latencyView            `json:"latency_ms"`
	Ledger               ledgerView             `json:"ledger"`
	Redis                redisView              `json:"redis"`
	Fulfilment           fulfilmentView         `json:"fulfilment"`
}

// fulfilmentView is how the shop answered in the last minute.
type fulfilmentView struct {
	State          order.BreakerState `json:"state"`
	Since          *order.Timestamp   `json:"since,omitempty"`
	CallsPerSecond float64            `json:"calls_per_second"`
	SuccessRatio   float64            `json:"success_ratio"`
	LastError      string             `json:"last_error,omitempty"`
}

func viewFulfilment(f stats.Fulfilment) fulfilmentView {
	v := fulfilmentView{
		State: cmp.Or(f.State, order.BreakerClosed), CallsPerSecond: hundredths(f.CallsPerSecond()), SuccessRatio: f.SuccessRatio(), LastError: f.LastError,
	}
	if !f.Since.IsZero() {
		v.Since = &order.Timestamp{Time: f.Since}
	}
	return v
}

// hundredths rounds a rate to two decimals.
func hundredths(rate float64) float64 { return math.Round(rate*100) / 100 }

type redisView struct {
	MemoryUsedBytes  int64 `json:"memory_used_bytes"`
	MemoryLimitBytes int64 `json:"memory_limit_bytes"`
}

type latencyView struct {
	QueueWait  quantilesView `json:"queue_wait"`
	Processing quantilesView `json:"processing"`
	EndToEnd   quantilesView `json:"end_to_end"`
}

type quantilesView struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

type ledgerView struct {
	Accepted int64                  `json:"accepted"`
	Attempts int64                  `json:"attempts"`
	Requeued int64                  `json:"requeued"`
	Retried  int64                  `json:"retried"`
	Repairs  map[order.Repair]int64 `json:"repairs"`
	Drift    int64                  `json:"drift"`
	Books    []bookView             `json:"books,omitempty"` // only where there are several
}

// bookView is one of several books.
type bookView struct {
	Book      int   `json:"book"`
	Accepted  int64 `json:"accepted"`
	Unsettled int64 `json:"unsettled"`
	Drift     int64 `json:"drift"`
	// Away means that it does not answer: the numbers are the last that are known.
	Away bool `json:"away,omitempty"`
}

// getStats answers GET /stats.
func (s *Server) getStats(c *fiber.Ctx) error {
	snap, err := s.Stats.Snapshot(c.UserContext())
	if err != nil {
		return err
	}
	v := viewStats(snap)
	if facts := (stats.Facts{Unusable: s.cfg.Ready(), Snapshot: snap}); !facts.WorkersKnown() {
		v.ActiveWorkers, v.Workers = nil, nil
	}
	return c.JSON(v)
}

func viewStats(snap stats.Snapshot) statsView {
	v := statsView{
		TotalProcessed:       snap.Processed(),
		SuccessCount:         snap.ByStatus[order.StatusCompleted],
		ErrorCount:           snap.ByStatus[order.StatusRejected] + snap.ByStatus[order.StatusFailed],
		AverageProcessTimeMS: milliseconds(snap.MeanProcessing()),
		ActiveWorkers:        &snap.Slots,
		Workers:              &snap.Workers,
		QueueLength:          snap.Waiting(),
		UptimeSeconds:        int64(snap.Uptime.Seconds()),
		ThroughputPerSecond:  hundredths(snap.Throughput),
		CompletedPerSecond:   hundredths(snap.CompletedRate),
		FailedPerSecond:      hundredths(snap.FailedRate),
		ByStatus:             map[order.Status]int64{},
		Queues:               queueViews{},
		LatencyMS: latencyView{
			QueueWait:  viewQuantiles(snap.Recent.QueueWait),
			Processing: viewQuantiles(snap.Recent.Processing),
			EndToEnd:   viewQuantiles(snap.Recent.EndToEnd),
		},
		Ledger: ledgerView{
			Accepted: snap.Accepted, Attempts: snap.Attempts, Requeued: snap.Requeued, Retried: snap.Retried,
			Repairs: map[order.Repair]int64{}, Drift: snap.Drift(),
		},
		Redis:      redisView{snap.Memory.Used, snap.Memory.Limit},
		Fulfilment: viewFulfilment(snap.Fulfilment),
	}
	for n, b := range snap.Books {
		v.Ledger.Books = append(v.Ledger.Books, bookView{n, b.Accepted, b.Unsettled, b.Drift, b.Away})
	}
	for _, kind := range order.Repairs() {
		v.Ledger.Repairs[kind] = snap.Repairs[kind]
	}
	for _, status := range order.Statuses() {
		v.ByStatus[status] = snap.ByStatus[status]
	}
	for _, q := range order.Queues() {
		v.Queues[q] = viewQueue(q, snap.Depths[q])
	}
	return v
}

// queueViews encodes as an object that has the queues in the order of order.Queues.
type queueViews map[order.Queue]queueView

// MarshalJSON implements json.Marshaler.
func (v queueViews) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, q := range order.Queues() {
		if i > 0 {
			text = append(text, ',')
		}
		view, err := json.Marshal(v[q])
		if err != nil {
			return nil, err
		}
		text = append(fmt.Appendf(text, "%q:", q), view...)
	}
	return append(text, '}'), nil
}

func viewQuantiles(h stats.Histogram) quantilesView {
	return quantilesView{
		P50: milliseconds(h.Quantile(0.50)), P95: milliseconds(h.Quantile(0.95)), P99: milliseconds(h.Quantile(0.99)),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
