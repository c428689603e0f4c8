package peers

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// scripted is an engine whose one worker works the given bodies, whatever is
// enqueued.
type scripted struct {
	bodies []string
}

func (e scripted) put(context.Context, []byte) error { return nil }

func (e scripted) run(_ context.Context, _ int, work func([]byte) error) (func() error, error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, body := range e.bodies {
			_ = work([]byte(body))
		}
	}()
	return func() error { <-done; return nil }, nil
}

func (e scripted) close() error { return nil }

func TestDrainChecksWhatWasWorked(t *testing.T) {
	t.Parallel()
	const one, two, none = `{"id":"1","amount":1}`, `{"id":"2","amount":1}`, `{"amount":1}`
	for _, row := range []struct {
		name   string
		bodies []string
		orders int
		want   string // in the error; empty for none
	}{
		{"each once", []string{one, two}, 2, ""},
		{"without ids", []string{none, none}, 2, ""},
		{"the same twice", []string{one, one}, 2, "order 1 was worked twice"},
		{"one too many", []string{one, two, none}, 2, "work began 3 times on 2 orders"},
		{"not an order", []string{one, `{"amount":"a lot"}`}, 2, "decode an order"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := system{scripted{bodies: row.bodies}}.Drain(t.Context(), row.orders, 1)
			switch {
			case row.want == "" && err != nil:
				t.Errorf("got error %v, want none", err)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got error %v, want one about %q", err, row.want)
			}
		})
	}
}

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := (system{scripted{}}).Drain(ctx, 1, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
