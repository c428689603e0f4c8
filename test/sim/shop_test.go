package sim_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderprocessor/internal/order"
)

// shop is the fulfilment endpoint. It accepts each key once, and keeps a journal.
type shop struct {
	sim      *sim
	accepted map[string]bool      // by key
	told     map[string]time.Time // when a call about the order came last
	attempts map[string]int       // the latest attempt that called about the order
	later    map[string]int       // how often it asked to be called later
	callers  map[string]*process  // by attempt
}

func newShop(s *sim) *shop {
	return &shop{s, map[string]bool{}, map[string]time.Time{}, map[string]int{}, map[string]int{}, map[string]*process{}}
}

// answer is what the shop answers to a call.
type answer struct {
	note string
	err  error
}

// call carries out a call, with an answer that the seed chooses.
func (s *shop) call(p *process, a order.Approval) answer {
	id := a.Order.ID
	s.told[id] = time.Now()
	s.attempts[id] = max(s.attempts[id], a.Attempt)
	number := fmt.Sprintf("attempt %d at %s", a.Attempt, id)
	if first := s.callers[number]; first != nil && first != p {
		s.sim.find("%s was made by %s and %s", number, first.name, p.name)
	}
	s.callers[number] = p
	if s.accepted[id] {
		s.sim.detail = "200 again"
		return answer{note: "known"}
	}
	if a.Order.Notes == notePoison {
		s.sim.detail, s.sim.kills = "poison", true
		return answer{}
	}
	if a.Order.Notes == noteRefused {
		s.sim.detail = "422"
		return answer{err: &order.PermanentError{Err: errors.New("answered 422")}}
	}
	if s.sim.rand.Float64() < s.sim.shopFails {
		return s.fail(id)
	}
	s.sim.detail = "200"
	s.accepted[id] = true
	return answer{note: "thanks"}
}

// fail is an answer that asks for another call.
func (s *shop) fail(id string) answer {
	retry := &order.RetryError{Err: errors.New("answered 500")}
	switch s.sim.rand.IntN(4) {
	case 0:
		s.later[id]++
		s.sim.detail, retry.Later, retry.After = "429", true, 3*time.Second
	case 1: // a gateway, which does not know
		s.sim.detail, retry.Unknown = "504", true
		if s.sim.rand.IntN(2) == 0 {
			s.sim.detail = "504 taken"
			s.accepted[id] = true
		}
	default:
		s.sim.detail = "500"
	}
	return answer{err: retry}
}

// caller calls the shop over the bus; see fulfilment.Client.
type caller struct{ p *process }

func (c caller) Fulfil(ctx context.Context, a order.Approval) (string, error) {
	got := new(answer)
	err := c.p.sim.send(ctx, &message{
		sender: sender(ctx, c.p), what: "call shop " + a.Order.ID, from: c.p, kind: work,
		apply: func(unheard bool) {
			if answer := c.p.sim.shop.call(c.p, a); !unheard {
				*got = answer
			}
		},
	})
	if err != nil {
		return "", &order.RetryError{Unknown: true, Err: err}
	}
	return got.note, got.err
}
