package clients

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"orderprocessor/internal/load"
)

// Answers are what the requests of Constant met.
type Answers struct {
	// Accepted is how many orders were answered 201, and Refused how many 503: a
	// system that stalls may refuse orders.
	Accepted, Refused int
	// P50, P95 and P99 are quantiles of the time from when a request was due to its
	// whole answer.
	P50, P95, P99 time.Duration
}

// Constant sends orders at a constant rate, whatever the answers take, so that a
// system that stalls is not spared the orders of that time. Anything but 201 and
// 503 is an error.
func Constant(ctx context.Context, addr string, perSecond int, duration time.Duration, o load.Orders) (Answers, error) {
	r := load.Constant(ctx, load.Plan{URL: "http://" + addr, Rate: perSecond, Duration: duration, Orders: o})
	if err := ctx.Err(); err != nil {
		return Answers{}, err
	}
	a := Answers{Accepted: int(r.Accepted), P50: ms(r.LatencyMS.P50), P95: ms(r.LatencyMS.P95), P99: ms(r.LatencyMS.P99)}
	for _, refusal := range r.Refused {
		if refusal.Status == http.StatusServiceUnavailable {
			a.Refused += int(refusal.Orders)
		}
	}
	if a.Accepted+a.Refused != int(r.Sent) {
		return Answers{}, fmt.Errorf("send %d orders a second: refused %+v, %d without an answer: %s",
			perSecond, r.Refused, r.NoAnswer, r.NoAnswerReason)
	}
	return a, nil
}

func ms(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }
