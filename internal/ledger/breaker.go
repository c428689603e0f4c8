package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// reported is over how many seconds the results of calls are kept: those that
// breaker.lua keeps.
const reported = 60

// ReportCalls tells the circuit breaker of an endpoint about a worker's calls, and
// returns how many the worker may begin until its next report. If the answer is lost, the
// permitted calls are lost too, and the results may be reported again. It returns
// order.ErrUnavailable when Redis did not answer.
func (s *service) ReportCalls(ctx context.Context, r order.CallReport) (order.Permit, error) {
	ctx, cancel := context.WithTimeout(ctx, scriptTimeout)
	defer cancel()
	answer, err := breakerScript.Run(ctx, s.rdb, []string{s.keys.endpoint(r.Endpoint), s.keys.endpoints},
		r.Endpoint, r.Worker, r.Taken, r.Refused, r.Later, r.Errors, r.Unanswered, r.Again,
		order.Printable(r.LastError), r.Unused, r.Want).Slice()
	if err != nil {
		return order.Permit{}, wrap(err, "report calls to fulfilment")
	}
	if len(answer) == 2 {
		state, isState := answer[0].(string)
		calls, isCalls := answer[1].(int64)
		if isState && isCalls {
			return order.Permit{State: order.BreakerState(state), Calls: int(calls)}, nil
		}
	}
	return order.Permit{}, fmt.Errorf("report calls to fulfilment: unknown answer %v", answer)
}

// reporting is how long after its last report an endpoint counts as one that workers call.
// They report four times a second.
const reporting = 5 * time.Second

// Fulfilment returns how the endpoints that workers call have answered in the minute before
// now: of several, the state is that of the worst. Without workers, it is of the endpoint
// that was called last. It returns order.ErrUnavailable when Redis did not answer.
func (s *service) Fulfilment(ctx context.Context, now time.Time) (stats.Fulfilment, error) {
	endpoints, err := s.rdb.ZRevRangeWithScores(ctx, s.keys.endpoints, 0, -1).Result()
	if err != nil {
		return stats.Fulfilment{}, wrap(err, "list the fulfilment endpoints")
	}
	all := stats.Fulfilment{State: order.BreakerClosed}
	for i, endpoint := range endpoints {
		if i > 0 && now.Sub(time.UnixMilli(int64(endpoint.Score))) > reporting {
			break
		}
		name, _ := endpoint.Member.(string)
		fields, err := s.rdb.HGetAll(ctx, s.keys.endpoint(name)).Result()
		if err != nil {
			return stats.Fulfilment{}, wrap(err, "read the state of fulfilment")
		}
		all = all.Add(parseFulfilment(fields, now))
	}
	return all, nil
}

// rowWeight is the weight of a first attempt in the count of failures in a row.
const rowWeight = 8

// parseFulfilment reads what breaker.lua has written.
func parseFulfilment(fields map[string]string, now time.Time) stats.Fulfilment {
	number := func(name string) float64 {
		n, _ := strconv.ParseFloat(fields[name], 64)
		return n
	}
	at := func(name string) time.Time {
		if number(name) == 0 {
			return time.Time{}
		}
		return time.UnixMicro(int64(number(name))).UTC()
	}
	f := stats.Fulfilment{
		State: order.BreakerState(fields["state"]), Since: at("since"), Pace: number("pace"),
		InARow: int(number("row")) / rowWeight,
	}
	if f.State == "" {
		f.State = order.BreakerClosed
	}
	if f.State == order.BreakerOpen || now.Sub(at("failed")) < reported*time.Second {
		f.LastError = fields["error"]
	}
	if f.InARow > 0 || f.State == order.BreakerOpen {
		f.FailingSince = at("failing")
	}
	for i := range reported {
		addSecond(&f, fields["b"+strconv.Itoa(i)], now.Unix())
	}
	return f
}

// addSecond adds the calls of one second, unless it is over a minute ago.
func addSecond(f *stats.Fulfilment, text string, now int64) {
	var at, taken, refused, later, errors, unanswered int64
	_, err := fmt.Sscan(text, &at, &taken, &refused, &later, &errors, &unanswered)
	if err != nil || at <= now-reported || at > now+reported {
		return
	}
	f.Taken += taken
	f.Refused += refused
	f.Later += later
	f.Errors += errors
	f.Unanswered += unanswered
}
