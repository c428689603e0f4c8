package sim_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"orderprocessor/internal/redistest"
)

// bus carries the messages of a simulation, one at a time: it waits until every goroutine of
// the bubble waits, takes the message that is due next, and lets it arrive. The seed decides
// when each message is due and what happens to it, so one seed always gives one trace.
type bus struct {
	rand  *rand.Rand
	rates rates
	begun time.Time
	wake  chan struct{}

	mu       sync.Mutex // guards the next two
	arrived  []*message // since the bus looked last
	findings []string   // promises that were broken

	waiting []*message
	detail  string // what the receiver adds to the line of the trace
	kills   bool   // the receiver has killed the sender
	lines   []string
	faults  map[fault]int
}

func newBus(seed uint64) *bus {
	r := rand.New(rand.NewPCG(seed, 0))
	return &bus{rand: r, rates: newRates(r), begun: time.Now(), wake: make(chan struct{}, 1), faults: map[fault]int{}}
}

// send brings a message to the bus, and returns when its answer has come. It returns an error
// when none comes in time, or the process of the sender ends; the message may be applied
// later then.
func (b *bus) send(ctx context.Context, m *message) error {
	if err := ended(ctx, m.from.ctx); err != nil {
		return err
	}
	m.done = make(chan error, 1)
	b.post(m)
	var patience <-chan time.Time
	if m.ready == nil {
		timer := time.NewTimer(m.from.patience + m.extra())
		defer timer.Stop()
		patience = timer.C
	}
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
	case <-m.from.ctx.Done():
	case <-patience:
	}
	b.mu.Lock() // orders what the bus did with the message before what the sender does now
	m.gone.Store(true)
	b.mu.Unlock()
	return cmp.Or(ended(ctx, m.from.ctx), redistest.ErrBroken)
}

// ended returns the error of the first context that has ended.
func ended(contexts ...context.Context) error {
	for _, ctx := range contexts {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (b *bus) post(m *message) {
	b.mu.Lock()
	b.arrived = append(b.arrived, m)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// after makes something happen later.
func (b *bus) after(wait time.Duration, what string, do func()) {
	b.post(&message{sender: "-", what: what, due: time.Now().Add(wait), apply: func(bool) { do() }, done: make(chan error, 1)})
}

// carryAll carries messages until end says that nothing is left to do. It looks again at the
// moment that alarm names, if it is not zero, as a message may become ready then.
func (b *bus) carryAll(alarm func() time.Time, end func() bool) {
	for {
		synctest.Wait()
		b.admit()
		if end() {
			return
		}
		wait, next := time.Hour, b.next()
		if next != nil {
			wait = time.Until(next.due)
		}
		if at := alarm(); !at.IsZero() {
			wait = min(wait, time.Until(at))
		}
		if wait > 0 {
			b.sleep(wait)
			continue
		}
		b.waiting = slices.DeleteFunc(b.waiting, func(m *message) bool { return m == next })
		b.carry(next)
	}
}

// sleep lets time pass until the next message is due or another one comes.
func (b *bus) sleep(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-b.wake:
	case <-timer.C:
	}
}

// admit decides about the messages that have come, in an order that does not depend on the
// scheduler.
func (b *bus) admit() {
	b.mu.Lock()
	arrived := b.arrived
	b.arrived = nil
	b.mu.Unlock()
	slices.SortFunc(arrived, byName)
	for i, m := range arrived {
		if i > 0 && byName(arrived[i-1], m) == 0 {
			panic("two messages cannot be told apart: " + m.sender + " " + m.what)
		}
	}
	b.waiting = slices.DeleteFunc(append(b.waiting, arrived...), func(m *message) bool { return m.due.IsZero() && m.gone.Load() })
	for _, m := range b.waiting {
		if m.due.IsZero() && (m.ready == nil || m.ready()) {
			b.draw(m)
		}
	}
}

// later is the moment after so long, if the process runs by then, or else when it does.
func (b *bus) later(p *process, wait time.Duration) time.Time {
	at := time.Now()
	if p.thaw.After(at) {
		at = p.thaw
	}
	return at.Add(wait)
}

// next returns the message that is due first.
func (b *bus) next() (first *message) {
	for _, m := range b.waiting {
		if !m.due.IsZero() && (first == nil || cmp.Or(m.due.Compare(first.due), byName(m, first)) < 0) {
			first = m
		}
	}
	return first
}

// carry lets a message arrive.
func (b *bus) carry(m *message) {
	if m.onBack || m.kind == turn && m.fault == noFault {
		m.onBack = true
		b.answer(m, nil)
		return
	}
	if m.ready != nil && !m.ready() {
		m.due = time.Time{}
		b.waiting = append(b.waiting, m)
		return
	}
	if m.kind == request && m.from.cutOff() {
		m.fault = lost
	}
	unheard := m.gone.Load() || m.fault == replyLost || m.fault == repeated || m.fault == killAfter
	b.detail, b.kills = "", false
	if m.fault != lost && m.fault != killBefore && m.apply != nil {
		m.apply(unheard)
	}
	if b.kills {
		m.fault = killAfter
	}
	b.record(m)
	b.conclude(m)
}

// conclude does what follows the arrival of a message.
func (b *bus) conclude(m *message) {
	switch m.fault {
	case lost, replyLost:
		b.answer(m, redistest.ErrBroken)
	case repeated:
		b.again(m, b.later(m.from, b.between(0, 3*time.Second)))
	case slowReply:
		m.onBack = true
		b.again(m, b.later(m.from, b.between(0, 5*time.Second)))
	case killBefore, killAfter:
		b.kill(m.from)
	case freezes:
		m.from.thaw = b.awayUntil()
		b.answer(m, nil)
	case cutsOff:
		m.from.rejoin = b.awayUntil()
		b.answer(m, nil)
	default:
		b.answer(m, nil)
	}
}

// awayUntil draws how long a process is away: shortly, or longer than its leases last.
func (b *bus) awayUntil() time.Time {
	return time.Now().Add([]time.Duration{b.between(time.Second, 5*time.Second), b.between(13*time.Second, 18*time.Second)}[b.rand.IntN(2)])
}

// kill ends a process, unless it has ended, and starts it again a while later. Of its requests
// on their way, some still arrive.
func (b *bus) kill(p *process) {
	if p.ctx.Err() != nil {
		return
	}
	p.kill()
	b.waiting = slices.DeleteFunc(b.waiting, func(m *message) bool { return m.from == p && b.rand.IntN(2) == 0 })
	b.after(b.between(100*time.Millisecond, 5*time.Second), p.name+" starts again", p.restart)
}

func (b *bus) again(m *message, due time.Time) {
	m.fault, m.due = noFault, due
	b.waiting = append(b.waiting, m)
}

// answer gives the sender its answer, once its process runs.
func (b *bus) answer(m *message, err error) {
	if m.from != nil && m.from.thaw.After(time.Now()) && err == nil {
		m.onBack = true
		b.again(m, b.later(m.from, b.latency(turn)))
		return
	}
	m.done <- err
}

// record writes a line of the trace.
func (b *bus) record(m *message) {
	text := string(m.fault)
	if m.gone.Load() {
		text += " nobody waits for the answer"
	}
	if m.fault != noFault {
		b.faults[m.fault]++
	}
	b.lines = append(b.lines, fmt.Sprintf("%.6f\t%s\t%s\t%s\t%s", time.Since(b.begun).Seconds(), m.sender, m.what, b.detail, text))
}

// find records that a promise was broken.
func (b *bus) find(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.findings = append(b.findings, fmt.Sprintf(format, args...))
}
