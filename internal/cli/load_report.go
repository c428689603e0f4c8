package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
)

// rateKept is the part of the rate that counts as all of it while a load goes on,
// as clocks and timers are not perfect.
const rateKept = 0.99

// loadReport is the result of a load, as JSON has it.
type loadReport struct {
	Run             string          `json:"run"` // the ids begin with load- and this
	Rate            int             `json:"rate"`
	DurationSeconds float64         `json:"duration_seconds"`
	Mix             mix             `json:"mix"`
	Batch           int             `json:"batch"`
	Connections     int             `json:"connections"`
	Interrupted     bool            `json:"interrupted"`
	Sent            int64           `json:"sent"`
	SentPerSecond   float64         `json:"sent_per_second"`
	RateKept        bool            `json:"rate_kept"`
	Accepted        int64           `json:"accepted"`
	Refused         []refusedOrders `json:"refused"`
	NoAnswer        int64           `json:"no_answer"`
	NoAnswerReason  string          `json:"no_answer_reason,omitempty"` // of the first
	LatencyMS       loadLatency     `json:"latency_ms"`
	System          *meanwhile      `json:"system"` // null if the statistics could not be had

	noStats error // why System is missing
}

// refusedOrders says how many orders were refused in one way.
type refusedOrders struct {
	refusal
	Orders int64 `json:"orders"`
}

// loadLatency is the latency of the answers in milliseconds, from when a request
// was due.
type loadLatency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func newLoadReport(p loadPlan, a *answers) *loadReport {
	r := &loadReport{
		Run: a.run, Rate: p.rate, DurationSeconds: p.duration.Seconds(), Mix: p.mix,
		Batch: p.batch, Connections: p.connections,
		Sent: a.sent(), Accepted: a.accepted, Refused: refusals(a.refused),
		NoAnswer: a.lost, NoAnswerReason: a.lostFor, LatencyMS: a.quantiles(),
	}
	if took := a.pace.took(a.requests); took > 0 {
		r.SentPerSecond = perSecond(r.Sent, took)
	}
	r.RateKept = a.requests == p.requests() || r.SentPerSecond >= rateKept*float64(p.rate)
	return r
}

// refusals sorts them, the most frequent first.
func refusals(counts map[refusal]int64) []refusedOrders {
	list := make([]refusedOrders, 0, len(counts))
	for kind, orders := range counts {
		list = append(list, refusedOrders{kind, orders})
	}
	slices.SortFunc(list, func(a, b refusedOrders) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

// compare adds what the system did since then. It asks for the statistics even if
// the load was interrupted.
func (r *loadReport) compare(ctx context.Context, c *Client, before snapshot) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadGrace)
	defer cancel()
	after, err := look(ctx, c)
	if err != nil {
		r.noStats = err
		return
	}
	r.System = newMeanwhile(before, after)
}

func (w *World) printAsJSON(r *loadReport) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return w.printJSON(text)
}
