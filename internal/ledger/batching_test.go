package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch/batchtest"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/redistest"
)

// batching is a bundle with a second ledger, whose callers share a batch when the test
// wants it.
type batching struct {
	*bundle
	batched *ledger.Ledger
	breaker *redistest.Breaker    // of the second ledger
	trips   atomic.Int32          // of its scripts and records
	delay   atomic.Pointer[delay] // of the next of these trips, if any
}

// delay is a round trip that waits until it may continue.
type delay struct{ reached, resume chan struct{} }

func openBatching(t *testing.T) *batching {
	t.Helper()
	b := &batching{bundle: open(t), breaker: &redistest.Breaker{}}
	client := b.server.Client()
	client.AddHook(redistest.Hook(b.send))
	client.AddHook(b.breaker)
	b.batched = ledger.New(client)
	return b
}

// delayNext delays the next round trip until resume is closed.
func (b *batching) delayNext() *delay {
	d := &delay{make(chan struct{}), make(chan struct{})}
	b.delay.Store(d)
	return d
}

// send does not count the greeting of a new connection, and counts a script once whose
// source Redis asks for.
func (b *batching) send(cmds []redis.Cmder, send func() error) error {
	if name := cmds[0].Name(); name != "evalsha" && name != "eval" && name != "hgetall" {
		return send()
	}
	if d := b.delay.Swap(nil); d != nil {
		close(d.reached)
		<-d.resume
	}
	err := send()
	if !redis.HasErrorPrefix(err, "NOSCRIPT") {
		b.trips.Add(1)
	}
	return err
}

// answer is what a step answered.
type answer struct {
	Answer any
	Err    string // empty for none
}

func (s step) answer(ctx context.Context, l *ledger.Ledger) answer {
	a, err := s.call(ctx, l, s.id)
	if err != nil {
		return answer{a, err.Error()}
	}
	return answer{a, ""}
}

// together runs all steps in one batch, in turn. The batch waits for a first call, of the
// same kind, for an order that is unknown.
func (b *batching) together(t *testing.T, steps ...step) []answer {
	t.Helper()
	before := b.trips.Load()
	first := b.delayNext()
	var sending sync.WaitGroup
	sending.Go(func() { step{"nobody", steps[0].call}.answer(t.Context(), b.batched) })
	<-first.reached
	answers := make([]answer, len(steps))
	resume := func() { close(first.resume) }
	batchtest.Together(len(steps), resume, func(i int, join func(context.Context) context.Context) {
		answers[i] = steps[i].answer(join(t.Context()), b.batched)
	})
	sending.Wait()
	if n := b.trips.Load() - before; n != 2 {
		t.Errorf("%d calls took %d round trips after the first", len(steps), n-1)
	}
	return answers
}

// alone runs the steps one after the other.
func (b *bundle) alone(t *testing.T, steps ...step) []answer {
	t.Helper()
	answers := make([]answer, len(steps))
	for i, s := range steps {
		answers[i] = s.answer(t.Context(), b.Ledger)
	}
	return answers
}

// checkBatch runs the steps together, and compares their answers and the books of o0 to
// o19 with those of a ledger in which they run alone.
func (b *batching) checkBatch(t *testing.T, alone *bundle, steps ...step) {
	t.Helper()
	var ids []string
	for n := range 20 {
		ids = append(ids, fmt.Sprint("o", n))
	}
	if diff := cmp.Diff(alone.alone(t, steps...), b.together(t, steps...), ignoreTimes); diff != "" {
		t.Errorf("answers (-alone +together):\n%s", diff)
	}
	if diff := cmp.Diff(alone.state(t, ids...), b.state(t, ids...), ignoreTimes); diff != "" {
		t.Errorf("the books (-alone +together):\n%s", diff)
	}
}
