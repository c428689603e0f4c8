package history

import (
	"fmt"
	"sync"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// Stream records what one subscriber of GET /events received, over all its connections. It
// is safe for concurrent use.
type Stream struct {
	recorder *Recorder

	mu       sync.Mutex
	messages []message
	position string
	began    time.Duration // from when on it must receive the events
	connects int
}

// message is an event, or a gap.
type message struct {
	client.Event
	gap bool
}

// NewStream returns a stream that goes with the calls of a recorder.
func NewStream(r *Recorder) *Stream { return &Stream{recorder: r} }

// Receive records a message; it is a client.Subscriber, which never returns an error.
func (s *Stream) Receive(received any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch v := received.(type) {
	case client.Connected:
		s.connects++
		if s.position == "" {
			s.began = s.recorder.Now()
		}
	case client.Gap:
		s.messages = append(s.messages, message{gap: true})
	case client.Event:
		s.position = v.Position
		v.JSON = nil
		s.messages = append(s.messages, message{Event: v})
	}
	return nil
}

// Position returns where the next connection must continue: the id of the newest event,
// empty before the first.
func (s *Stream) Position() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position
}

// Counts returns how many events, gaps and connections there were.
func (s *Stream) Counts() (events, gaps, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.gap {
			gaps++
		}
	}
	return len(s.messages) - gaps, gaps, s.connects
}

// Has reports whether an event with this status has come for an order.
func (s *Stream) Has(id string, status order.Status) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.OrderID == id && m.Status == status {
			return true
		}
	}
	return false
}

// CheckStream compares what a subscriber to all events received with the calls. The events
// of each order must come in sequence, none twice and none left out unless a gap was told;
// each must be able to follow the one before it; and everything that an answer shows must
// have come. The stream must have had the time to receive all events. CheckStream returns
// the first problem of each order.
func CheckStream(s *Stream, operations []Operation) []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &streamChecker{machine: newMachine(true), began: s.began, since: map[string]time.Duration{}, orders: map[string]*timeline{}, wrong: map[string]bool{}}
	ids := idsOf(operations)
	for _, o := range operations {
		id := ids[o.Order]
		if first, known := c.since[id]; !known || o.From < first {
			c.since[id] = o.From
		}
	}
	for _, m := range s.messages {
		if m.gap {
			c.gaps++
			continue
		}
		c.receive(m.Event)
	}
	for _, o := range operations {
		c.compare(ids[o.Order], o)
	}
	return c.violations
}

// idsOf returns the ids of all orders by their names in the histories.
func idsOf(operations []Operation) map[string]string {
	ids := map[string]string{}
	for _, o := range operations {
		switch {
		case o.Answer.ID != "":
			ids[o.Order] = o.Answer.ID
		case o.Call.ID != "":
			ids[o.Order] = o.Call.ID
		}
	}
	return ids
}

// timeline is what a stream has told of one order.
type timeline struct {
	sequence int
	states   set // in which the order may be
	gaps     int // told before its newest event
	attempts int
	// whole means that all events have come.
	whole bool
	// seen has the statuses, each with the number of attempts by then.
	seen map[shownStatus]bool
}

type shownStatus struct {
	status   order.Status
	attempts int // -1 for any
}

type streamChecker struct {
	*machine
	began      time.Duration
	since      map[string]time.Duration // the first call, by order
	orders     map[string]*timeline
	gaps       int // so far
	wrong      map[string]bool
	violations []Violation
}

// find notes the first problem of an order.
func (c *streamChecker) find(id string, shown []Operation, format string, args ...any) {
	if !c.wrong[id] {
		c.wrong[id] = true
		c.violations = append(c.violations, Violation{Order: id, What: fmt.Sprintf(format, args...), Operations: shown})
	}
}

// owed reports whether the stream began before any call for the order.
func (c *streamChecker) owed(id string) bool {
	first, known := c.since[id]
	return known && first > c.began
}

// receive compares an event with the earlier ones of its order.
func (c *streamChecker) receive(e client.Event) {
	l := c.orders[e.OrderID]
	if l == nil {
		l = &timeline{seen: map[shownStatus]bool{}, whole: e.Sequence == 1, gaps: c.gaps}
		c.orders[e.OrderID] = l
		if !l.whole && c.gaps == 0 && c.owed(e.OrderID) {
			c.find(e.OrderID, nil, "its first event in the stream is number %d, %s", e.Sequence, e.Status)
		}
	}
	switch {
	case e.Sequence <= l.sequence:
		c.find(e.OrderID, nil, "event %d, %s, came after event %d", e.Sequence, e.Status, l.sequence)
		return
	case e.Sequence == l.sequence+1:
		c.follow(l, e)
	case l.sequence > 0 && c.gaps == l.gaps:
		c.find(e.OrderID, nil, "event %d, %s, came after event %d, and no gap was told", e.Sequence, e.Status, l.sequence)
	}
	if e.Sequence != l.sequence+1 {
		l.states, l.whole = c.in[phase(e.Status)], false
	}
	l.sequence, l.gaps, l.attempts = e.Sequence, c.gaps, max(l.attempts, e.Attempt)
	l.seen[shownStatus{e.Status, l.attempts}] = true
	l.seen[shownStatus{e.Status, -1}] = true
}

// follow checks that an event can follow the one before it.
func (c *streamChecker) follow(l *timeline, e client.Event) {
	before, attempts := l.states, l.attempts
	l.states = c.accepted
	if l.sequence > 0 {
		l.states = c.next(before)
	}
	l.states &= c.in[phase(e.Status)]
	if phase(e.Status) == order.StatusProcessing {
		attempts++
	}
	if l.states == 0 {
		c.find(e.OrderID, nil, "event %d, %s, cannot follow the one before it", e.Sequence, e.Status)
		l.states = c.in[phase(e.Status)]
	}
	if l.whole && e.Attempt != 0 && e.Attempt != attempts {
		c.find(e.OrderID, nil, "event %d, %s, is of attempt %d, and there were %d", e.Sequence, e.Status, e.Attempt, l.attempts)
	}
}

// compare checks that the stream has what an answer shows.
func (c *streamChecker) compare(id string, o Operation) {
	if o.Status == "" || !c.owed(id) {
		return
	}
	want := shownStatus{o.Status, o.Attempts}
	if o.Result == Conflict || o.Result == InDoubt {
		want.attempts = -1
	}
	l := c.orders[id]
	switch {
	case l == nil && c.gaps == 0:
		c.find(id, []Operation{o}, "no event of it came")
	case l != nil && l.whole && l.gaps == c.gaps && !l.seen[want]:
		c.find(id, []Operation{o}, "no event says what a client was shown")
	}
}
