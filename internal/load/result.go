package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"orderprocessor/internal/order"
)

const (
	// rateKept is the part of the rate that counts as all of it in an interrupted
	// load, because clocks and timers are not perfect.
	rateKept = 0.99
	// maxReasons bounds the reasons for refusals that are counted separately, and
	// maxReasonChars the length of one.
	maxReasons     = 20
	maxReasonChars = 40
)

// Result is what the API answered.
type Result struct {
	// Sent is the number of orders, SentPerSecond their rate.
	Sent          int64   `json:"sent"`
	SentPerSecond float64 `json:"sent_per_second"`
	// RateKept is set if all orders went out, or those of an interrupted load at
	// the rate of the plan.
	RateKept bool  `json:"rate_kept"`
	Accepted int64 `json:"accepted"`
	// Refused has the most frequent refusal first.
	Refused []Refusal `json:"refused"`
	// NoAnswer counts the orders without an answer; the reason is that of the first.
	NoAnswer       int64   `json:"no_answer"`
	NoAnswerReason string  `json:"no_answer_reason,omitempty"`
	LatencyMS      Latency `json:"latency_ms"`
}

// Refusal counts the orders that were refused in one way.
type Refusal struct {
	// Status is the HTTP status, or 0 for all reasons beyond the bound.
	Status int    `json:"status"`
	Reason string `json:"reason"`
	Orders int64  `json:"orders"`
}

// Latency is the time from when a request was due to its whole answer, in
// milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// counter counts answers, in bounded memory.
type counter struct {
	plan     Plan
	pace     *pace
	requests int64
	latency  vegeta.LatencyMetrics
	refused  map[Refusal]int64 // by status and reason
	Result
}

func newCounter(p Plan, sent *pace) *counter {
	return &counter{plan: p, pace: sent, refused: map[Refusal]int64{}}
}

// add counts the answer to one request.
func (c *counter) add(r *vegeta.Result) {
	c.requests++
	size := int64(c.plan.size())
	if r.Code == 0 {
		_, reason, found := strings.Cut(r.Error, `": `) // http.Client puts the URL in front
		if !found {
			reason = r.Error
		}
		c.addLost(size, reason)
		return
	}
	late := r.Timestamp.Sub(c.pace.due(r.Seq))
	c.latency.Add(max(0, late) + r.Latency)
	if size > 1 && r.Code == http.StatusOK {
		c.addBatch(r.Body)
		return
	}
	c.addAnswer(int(r.Code), r.Body, size)
}

// addBatch counts the verdicts of a batch. Orders without one are lost.
func (c *counter) addBatch(body []byte) {
	left := int64(c.plan.size())
	for line := range bytes.Lines(body) {
		var verdict struct {
			Status  int             `json:"status"`
			Problem json.RawMessage `json:"problem"`
		}
		if left == 0 || json.Unmarshal(line, &verdict) != nil || verdict.Status == 0 {
			break
		}
		c.addAnswer(verdict.Status, verdict.Problem, 1)
		left--
	}
	if left > 0 {
		c.addLost(left, "the answer to a batch lacks verdicts")
	}
}

// addAnswer counts so many orders with the same answer.
func (c *counter) addAnswer(status int, problem []byte, orders int64) {
	if status/100 == 2 {
		c.Accepted += orders
		return
	}
	kind := Refusal{Status: status, Reason: reasonOf(status, problem)}
	if _, known := c.refused[kind]; !known && len(c.refused) >= maxReasons {
		kind = Refusal{Reason: "other reasons"}
	}
	c.refused[kind] += orders
}

func (c *counter) addLost(orders int64, reason string) {
	c.NoAnswer += orders
	c.NoAnswerReason = cmp.Or(c.NoAnswerReason, order.Printable(reason))
}

// reasonOf is the type of a problem, or else the text of the status.
func reasonOf(status int, body []byte) string {
	var problem struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(body, &problem) // a proxy may answer with anything
	reason := problem.Type[strings.LastIndexByte(problem.Type, ':')+1:]
	if reason == "" || problem.Type == "about:blank" {
		reason = strings.ToLower(http.StatusText(status))
	}
	text := []rune(order.Printable(reason))
	return string(text[:min(len(text), maxReasonChars)])
}

func (c *counter) result() *Result {
	r := c.Result
	r.Sent = c.requests * int64(c.plan.size())
	if took := c.pace.took(c.requests); took > 0 {
		r.SentPerSecond = math.Round(float64(r.Sent)/took.Seconds()*100) / 100
	}
	r.RateKept = c.requests == c.plan.Requests() || r.SentPerSecond >= rateKept*float64(c.plan.Rate)
	r.Refused = make([]Refusal, 0, len(c.refused))
	for kind, orders := range c.refused {
		kind.Orders = orders
		r.Refused = append(r.Refused, kind)
	}
	slices.SortFunc(r.Refused, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Reason, b.Reason))
	})
	if c.latency.Max > 0 {
		at := func(q float64) float64 { return milliseconds(c.latency.Quantile(q)) }
		r.LatencyMS = Latency{P50: at(0.50), P90: at(0.90), P95: at(0.95), P99: at(0.99), Max: milliseconds(c.latency.Max)}
	}
	return &r
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
