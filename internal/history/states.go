package history

import (
	"math/bits"

	"orderprocessor/internal/order"
)

// state is what the model knows of an order at one moment, besides its content and the
// number of its attempts.
type state struct {
	// status has StatusProcessing for every handling.
	status order.Status
	// hold is how the order's hold ended, in this run.
	hold hold
	// doubt means that the shop may have taken the order without answering.
	doubt bool
}

// hold is how the hold of an order ended.
type hold string

const (
	noHold   hold = "" // the order was not held, or is
	released hold = "released"
	rejected hold = "rejected"
)

// move is what may happen to an order between two calls.
type move struct {
	from, to order.Status
	by       string // who does it, for readers
	// begins means that an attempt begins.
	begins bool
	// The shop may leave in doubt whether it took the order, and may say so for good.
	mayRaiseDoubt, mayEndDoubt bool
}

// moves lists all that workers, recovery and the clock may do to an order between two
// calls, as docs/ORDER-LIFECYCLE.md describes it.
//
//nolint:gochecknoglobals // never changed
var moves = []move{
	{from: order.StatusScheduled, to: order.StatusProcessing, by: "a worker, once its time has come", begins: true},
	{from: order.StatusScheduled, to: order.StatusHeld, by: "a rule, once its time has come"},
	{from: order.StatusPending, to: order.StatusProcessing, by: "a worker", begins: true},
	{from: order.StatusPending, to: order.StatusHeld, by: "a rule, unless the order was released"},
	{from: order.StatusHeld, to: order.StatusPending, by: "expiry, which releases the order"},
	{from: order.StatusHeld, to: order.StatusRejected, by: "expiry, which rejects the order"},
	{from: order.StatusProcessing, to: order.StatusProcessing, by: "another worker, as the first was lost", begins: true, mayRaiseDoubt: true},
	{from: order.StatusProcessing, to: order.StatusRetrying, by: "a failed attempt, or a lost worker", mayRaiseDoubt: true},
	{from: order.StatusProcessing, to: order.StatusCompleted, by: "the shop, which took the order", mayEndDoubt: true},
	{from: order.StatusProcessing, to: order.StatusFailed, by: "the shop for good, or the last attempt", mayRaiseDoubt: true, mayEndDoubt: true},
	{from: order.StatusProcessing, to: order.StatusRejected, by: "a rule, unless the order was released"},
	{from: order.StatusRetrying, to: order.StatusProcessing, by: "a worker", begins: true},
	{from: order.StatusRetrying, to: order.StatusFailed, by: "a worker, as no attempt is left"},
}

// after returns the states that a move may bring an order to; none if it cannot be made.
func (m move) after(s state, holdsExpire bool) (after []state) {
	ofRule := m.to == order.StatusHeld || m.to == order.StatusRejected
	if s.status != m.from || s.hold == released && ofRule || s.status == order.StatusHeld && !holdsExpire {
		return nil
	}
	s.status = m.to
	switch {
	case m.from == order.StatusHeld && m.to == order.StatusPending:
		s.hold = released
	case m.from == order.StatusHeld:
		s.hold = rejected
	}
	after = []state{s}
	if m.mayRaiseDoubt && !s.doubt || m.mayEndDoubt && s.doubt {
		s.doubt = !s.doubt
		after = append(after, s)
	}
	return after
}

// call returns what a call is answered by an order in this state, and the state that it
// leaves the order in. The content of a submission is that of the order.
func (s state) call(op Op) (Result, state) {
	final := s.status == order.StatusCompleted || s.status.Retryable()
	switch {
	case op == Submit:
		return Replayed, s
	case op == Get:
		return Done, s

	// A cancel works until an attempt begins, and between attempts.
	case op == Cancel && s.status == order.StatusCancelled:
		return Done, s
	case op == Cancel && (final || s.status == order.StatusProcessing):
		return Conflict, s
	case op == Cancel && s.doubt:
		return InDoubt, s
	case op == Cancel:
		return Done, state{order.StatusCancelled, s.hold, false}

	// A retry begins another run, in which the rules decide anew.
	case op == Retry && s.status.Retryable():
		return Done, state{order.StatusPending, noHold, s.doubt}

	// A release and a rejection end a hold, and may be repeated until a retry.
	case op == Release && s.status == order.StatusHeld:
		return Done, state{order.StatusPending, released, s.doubt}
	case op == Release && s.hold == released:
		return Done, s
	case op == Reject && s.status == order.StatusHeld:
		return Done, state{order.StatusRejected, rejected, s.doubt}
	case op == Reject && s.hold == rejected:
		return Done, s
	default:
		return Conflict, s
	}
}

// phase returns the status that the model has for one that an answer shows.
func phase(s order.Status) order.Status {
	switch s {
	case order.StatusPriorityProcessing, order.StatusExpedited:
		return order.StatusProcessing
	default:
		return s
	}
}

// set is a set of states, one bit for each.
type set uint64

// all iterates over the states of a set.
func (s set) all() func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(bits.TrailingZeros64(uint64(s))) {
				return
			}
		}
	}
}

// machine has all states, and what moves and calls make of sets of them. It is safe for
// concurrent use.
type machine struct {
	states   []state
	index    map[state]int
	accepted set
	// in has the states of each status.
	in map[order.Status]set
	// moved and begun have, for each state, what it may become by any moves that begin no
	// attempt, none included, and by one that does.
	moved, begun []set
	// called has, for each call, what each state answers and becomes.
	called map[Op][]called
	// follows has, for each state, those that one move or call may bring about.
	follows []set
}

type called struct {
	result Result
	after  set
}

// newMachine finds all states that an order can reach.
func newMachine(holdsExpire bool) *machine {
	m := &machine{index: map[state]int{}, in: map[order.Status]set{}, called: map[Op][]called{}}
	m.accepted = m.add(state{status: order.StatusPending}, state{status: order.StatusScheduled})
	for i := 0; i < len(m.states); i++ { //nolint:intrange // there are more meanwhile
		s := m.states[i]
		moved, begun, changed := set(1)<<i, set(0), set(0)
		for _, op := range []Op{Submit, Get, Cancel, Retry, Release, Reject} {
			result, after := s.call(op)
			m.called[op] = append(m.called[op], called{result, m.add(after)})
			if after != s {
				changed |= m.add(after)
			}
		}
		for _, v := range moves {
			after := m.add(v.after(s, holdsExpire)...)
			changed |= after
			if v.begins {
				begun |= after
			} else {
				moved |= after
			}
		}
		m.moved, m.begun, m.follows = append(m.moved, moved), append(m.begun, begun), append(m.follows, changed)
	}
	for range m.states { // no way is longer
		for i := range m.moved {
			m.moved[i] = m.moves(m.moved[i])
		}
	}
	return m
}

// add returns the set of some states, and makes those known that are new.
func (m *machine) add(states ...state) (all set) {
	for _, s := range states {
		if _, known := m.index[s]; !known {
			m.index[s] = len(m.states)
			m.in[s.status] |= 1 << len(m.states)
			m.states = append(m.states, s)
		}
		all |= 1 << m.index[s]
	}
	return all
}

// moves returns what a set may become by any moves that begin no attempt.
func (m *machine) moves(from set) (to set) {
	for i := range from.all() {
		to |= m.moved[i]
	}
	return to
}

// begins returns what a set may become by a move that begins an attempt.
func (m *machine) begins(from set) (to set) {
	for i := range from.all() {
		to |= m.begun[i]
	}
	return to
}

// next returns what one move or call may bring about.
func (m *machine) next(from set) (to set) {
	for i := range from.all() {
		to |= m.follows[i]
	}
	return to
}

// answer returns what those states of a set become that answer a call so; all of them if
// the answer is not known.
func (m *machine) answer(from set, op Op, result Result) (to set) {
	for i := range from.all() {
		if c := m.called[op][i]; c.result == result || result == Unknown {
			to |= c.after
		}
	}
	return to
}
