package cli

import (
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"orderprocessor/internal/order"
)

// answers counts what became of the orders of a load, in bounded memory.
type answers struct {
	run  string
	plan loadPlan
	pace *pace

	requests int64
	accepted int64
	refused  map[refusal]int64
	lost     int64  // orders without an answer
	lostFor  string // why the first of them has none
	latency  vegeta.LatencyMetrics
}

// refusal is a kind of answer that takes no order.
type refusal struct {
	Status int    `json:"status"`
	Reason string `json:"reason"`
}

func newAnswers(run string, p loadPlan, sent *pace) *answers {
	return &answers{run: run, plan: p, pace: sent, refused: map[refusal]int64{}}
}

// add counts the answer to one request. Latency is counted from the time at which
// the request was due.
func (a *answers) add(r *vegeta.Result) {
	a.requests++
	if r.Code == 0 {
		a.lose(int64(a.plan.size()), withoutURL(r.Error))
		return
	}
	waited := r.Timestamp.Sub(a.pace.due(r.Seq))
	a.latency.Add(max(0, waited) + r.Latency)
	if a.plan.size() > 1 && r.Code == httpOK {
		a.addLines(r.Body)
		return
	}
	a.addVerdict(int(r.Code), r.Body, int64(a.plan.size()))
}

// addVerdict counts so many orders with the same answer.
func (a *answers) addVerdict(status int, problem []byte, orders int64) {
	if status/100 == 2 {
		a.accepted += orders
		return
	}
	kind := newRefusal(status, problem)
	if _, known := a.refused[kind]; !known && len(a.refused) >= maxRefusalKinds {
		kind = refusal{Reason: "other reasons"}
	}
	a.refused[kind] += orders
}

// lose counts orders of which nobody knows whether they were accepted.
func (a *answers) lose(orders int64, reason string) {
	a.lost += orders
	if a.lostFor == "" {
		a.lostFor = order.Printable(reason)
	}
}

// withoutURL leaves out what http.Client puts in front of an error.
func withoutURL(text string) string {
	if _, reason, found := strings.Cut(text, `": `); found {
		return reason
	}
	return text
}

// sent is how many orders went out.
func (a *answers) sent() int64 { return a.requests * int64(a.plan.size()) }

// quantiles returns the latency of the answers, or zeros if there are none.
func (a *answers) quantiles() loadLatency {
	if a.latency.Max == 0 {
		return loadLatency{}
	}
	at := func(q float64) float64 { return inMilliseconds(a.latency.Quantile(q)) }
	return loadLatency{P50: at(0.50), P90: at(0.90), P95: at(0.95), P99: at(0.99), Max: inMilliseconds(a.latency.Max)}
}

func inMilliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
