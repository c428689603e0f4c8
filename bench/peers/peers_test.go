package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testOrders  = 200
	testCallers = 8
	testSlots   = 16
	testTries   = 3
	testLimit   = time.Minute
)

func TestPeersWorkEveryOrderOnce(t *testing.T) {
	t.Parallel()
	for _, p := range All() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), testLimit)
			defer cancel()
			s, err := p.Open(ctx, "../..", t.TempDir())
			if skipped := (Skipped{}); errors.As(err, &skipped) {
				t.Skip(skipped.Reason)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			enqueueAndDrain(ctx, t, s, "first")
			pickUp(ctx, t, s)
			enqueueAndDrain(ctx, t, s, "second") // a system can be used again
		})
	}
}

func enqueueAndDrain(ctx context.Context, t *testing.T, s System, prefix string) {
	t.Helper()
	bodies, ids := someOrders(prefix)
	if err := s.Enqueue(ctx, bodies, testCallers); err != nil {
		t.Fatal(err)
	}
	took, worked, err := s.Drain(ctx, testOrders, testSlots)
	if err != nil {
		t.Fatal(err)
	}
	if took <= 0 {
		t.Errorf("the drain took %v", took)
	}
	slices.Sort(worked)
	if diff := cmp.Diff(ids, worked); diff != "" {
		t.Errorf("other orders were worked than were enqueued (-want +got):\n%s", diff)
	}
}

// someOrders returns orders of all priorities, some of which are rejected, with
// their sorted ids.
func someOrders(prefix string) (bodies [][]byte, ids []string) {
	for n := range testOrders {
		id := fmt.Sprintf("%s-%03d", prefix, n)
		ids = append(ids, id)
		bodies = append(bodies, fmt.Appendf(nil,
			`{"id":%q,"amount":%d.50,"items":["tea","cups"],"customer":"ada","address":"1 Example Road","priority":%d}`,
			id, 1+n*100, 1+n%3))
	}
	return bodies, ids
}

func pickUp(ctx context.Context, t *testing.T, s System) {
	t.Helper()
	waits, err := s.Pickup(ctx, testTries)
	if err != nil {
		t.Fatal(err)
	}
	if len(waits) != testTries {
		t.Errorf("got %d waits, want %d", len(waits), testTries)
	}
	if len(waits) > 0 && slices.Min(waits) < 0 {
		t.Errorf("the waits %v are not all positive", waits)
	}
}
