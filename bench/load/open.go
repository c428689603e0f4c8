package load

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// openConnections bounds the idle connections that are kept: a request that finds
// none opens one, so that requests never wait for each other.
const openConnections = 1000

// Answers are what the requests of Constant met.
type Answers struct {
	// Taken is how many orders were answered 201, and Refused how many 503: a system
	// that stalls may refuse what comes meanwhile.
	Taken, Refused int
	// Refusal is the first answer of 503, up to 300 bytes of it.
	Refusal string
	// P50, P95 and P99 are quantiles of the time from sending to the whole answer.
	P50, P95, P99 time.Duration
}

// Constant sends orders at a constant rate for so long, whatever the answers
// take, so that a system that stalls is not spared the orders that would have
// come meanwhile. Anything but 201 and 503 is an error.
func Constant(ctx context.Context, addr string, perSecond int, lasting time.Duration, o Orders) (Answers, error) {
	attacker := vegeta.NewAttacker(vegeta.Timeout(requestTimeout), vegeta.Connections(openConnections))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	rate := vegeta.Rate{Freq: perSecond, Per: time.Second}
	var m vegeta.Metrics
	var a Answers
	for r := range attacker.Attack(targeter("http://"+addr+"/orders", o), rate, lasting, "orders") {
		m.Add(r)
		if r.Code == http.StatusServiceUnavailable && a.Refusal == "" {
			a.Refusal = fmt.Sprintf("%.300s", r.Body)
		}
	}
	m.Close()
	if err := ctx.Err(); err != nil {
		return Answers{}, err
	}
	a.Taken, a.Refused = m.StatusCodes["201"], m.StatusCodes["503"]
	if uint64(a.Taken+a.Refused) != m.Requests { //nolint:gosec // two counts
		return Answers{}, fmt.Errorf("send %d orders a second: answers %v, errors %.3q", perSecond, m.StatusCodes, m.Errors)
	}
	a.P50, a.P95, a.P99 = m.Latencies.P50, m.Latencies.P95, m.Latencies.P99
	return a, nil
}

// targeter makes the requests, each with the next order.
func targeter(url string, o Orders) vegeta.Targeter {
	var next atomic.Int64
	header := http.Header{"Content-Type": {"application/json"}}
	return func(t *vegeta.Target) error {
		*t = vegeta.Target{
			Method: http.MethodPost, URL: url, Header: header, Body: o.Append(nil, int(next.Add(1))-1),
		}
		return nil
	}
}
