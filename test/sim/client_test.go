package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

// The kinds of orders: rules and shop go by their notes.
const (
	noteOrdinary = "ordinary"
	noteRejected = "rejected by the rules"
	noteRefused  = "refused by the shop"
	noteHeld     = "held, then rejected"
	noteReleased = "held, then released"
	notePoison   = "kills its workers"
)

// client submits one order, does something with it, and writes down what it was answered.
type client struct {
	p      *process
	order  order.Order
	rand   *rand.Rand
	submit time.Duration // when it begins
	then   string        // what it does afterwards; empty for nothing
	calls  int           // how many requests it has sent

	known     bool      // submitted with a definite answer
	created   int       // answers that the order is new
	cancelled time.Time // when that was answered
	rejected  bool
	retried   int // answers that a retry was applied
	perhaps   int // retries without an answer
	ended     bool
}

// run is the life of a client.
func (c *client) run() {
	rest(c.p.ctx, c.submit)
	c.repeat("submit", 0, func(ctx context.Context, in *intake.Intake) (bool, error) {
		_, isNew, err := in.Submit(ctx, c.order)
		return isNew, err
	}, func(isNew bool) {
		c.known = true
		if isNew {
			c.created++
		}
	})
	wait := time.Duration(c.rand.Int64N(int64(4 * time.Second)))
	switch c.then {
	case "conflict":
		c.conflict()
	case "cancel":
		rest(c.p.ctx, wait)
		c.repeat("cancel", 0, by(c, (*intake.Intake).Cancel), func(bool) { c.cancelled = time.Now() })
	case "release":
		rest(c.p.ctx, wait)
		c.repeat("release", 0, by(c, (*intake.Intake).Release), func(bool) {})
	case "reject":
		rest(c.p.ctx, wait)
		c.repeat("reject", 0, by(c, (*intake.Intake).Reject), func(bool) { c.rejected = true })
	case "retry":
		for n := range 3 {
			rest(c.p.ctx, wait)
			c.repeat("retry", n, by(c, (*intake.Intake).Retry), func(bool) { c.retried++ })
		}
	}
}

// by calls a method of intake for the client's order.
func by(c *client, method func(*intake.Intake, context.Context, string, order.Intervention) (order.Record, error)) func(context.Context, *intake.Intake) (bool, error) {
	return func(ctx context.Context, in *intake.Intake) (bool, error) {
		_, err := method(in, ctx, c.order.ID, order.Intervention{Actor: c.p.name, Reason: "sim"})
		return false, err
	}
}

// conflict submits other content with the same id.
func (c *client) conflict() {
	other := c.order
	other.Customer = "somebody else"
	c.repeat("submit other", 0, func(ctx context.Context, in *intake.Intake) (bool, error) {
		_, isNew, err := in.Submit(ctx, other)
		if errors.Is(err, order.ErrConflict) {
			return isNew, nil
		}
		if err == nil {
			err = errors.New("accepted")
		}
		return isNew, err
	}, func(bool) {})
}

// reply is the answer of an API.
type reply struct {
	isNew bool
	err   error
}

// repeat asks until there is a definite answer. done is called if that is not a refusal.
func (c *client) repeat(what string, round int, do func(context.Context, *intake.Intake) (bool, error), done func(isNew bool)) {
	var refused *order.StatusError
	for n := 0; c.p.ctx.Err() == nil; n++ {
		r, heard := c.ask(fmt.Sprintf("%s %s %d.%d", what, c.order.ID, round, n), do)
		switch {
		case heard && r.err == nil:
			done(r.isNew)
			return
		case heard && errors.As(r.err, &refused):
			return
		case heard && !errors.Is(r.err, order.ErrUnavailable) && !errors.Is(r.err, context.Canceled) && !errors.Is(r.err, context.DeadlineExceeded):
			c.p.sim.find("%s of %s was answered %v", what, c.order.ID, r.err)
			return
		case what == "retry":
			c.perhaps++
		}
		rest(c.p.ctx, 300*time.Millisecond)
	}
}

// ask sends a request to one of the APIs. Its handler runs to its end, whether the client
// waits for it or not.
func (c *client) ask(what string, do func(context.Context, *intake.Intake) (bool, error)) (r reply, heard bool) {
	answers := make(chan reply, 1)
	s, n := c.p.sim, c.rand.IntN(len(c.p.sim.apis))
	c.calls++
	call := fmt.Sprintf("%s.%d", c.p.name, c.calls)
	var api *process
	err := s.send(c.p.ctx, &message{sender: c.p.name, what: what, from: c.p, kind: http, apply: func(bool) {
		api = s.apis[n]
		s.running.Go(func() { answers <- handle(api, call, do) })
	}})
	if err != nil {
		return reply{}, false
	}
	select {
	case r = <-answers:
	case <-api.ctx.Done():
		return reply{}, false
	}
	err = s.send(c.p.ctx, &message{sender: api.name + "/" + call, what: "answer " + what, from: api, kind: http, apply: func(bool) {
		switch {
		case r.err == nil:
			s.detail = "ok"
		case errors.Is(r.err, order.ErrUnavailable):
			s.detail = "unavailable"
		default:
			s.detail = "refused"
		}
	}})
	return r, err == nil
}

func handle(api *process, call string, do func(context.Context, *intake.Intake) (bool, error)) reply {
	ctx, cancel := context.WithTimeout(as(api.ctx, api.name+"/"+call), 2100*time.Millisecond)
	defer cancel()
	isNew, err := do(ctx, api.intake)
	return reply{isNew, err}
}
