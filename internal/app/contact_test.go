package app

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// TestOneSlowAnswer holds that Redis is away from the second command in turn without
// an answer, and there again with the first one.
func TestOneSlowAnswer(t *testing.T) {
	t.Parallel()
	lost, refused := errors.New("connection refused"), redis.Nil
	type ended struct {
		began time.Duration // before now; those that overlap say the same
		err   error
		left  time.Duration // that its caller gave it; 0 for no bound
	}
	for _, row := range []struct {
		name string
		ends []ended
		away bool
	}{
		{"nothing", nil, false},
		{"one", []ended{{0, lost, 0}}, false},
		{"one, late", []ended{{time.Second, context.DeadlineExceeded, time.Second}}, false},
		{"two in turn", []ended{{0, lost, 0}, {0, lost, 0}}, true},
		{"two at the same time", []ended{{0, lost, 0}, {time.Hour, lost, 0}}, false},
		{"an answer between", []ended{{0, lost, 0}, {0, nil, 0}, {0, lost, 0}}, false},
		{"a refusal between", []ended{{0, lost, 0}, {0, refused, 0}, {0, lost, 0}}, false},
		{"an answer afterwards", []ended{{0, lost, 0}, {0, lost, 0}, {0, nil, 0}}, false},
		{"hardly any time for the second", []ended{{0, lost, 0}, {0, context.DeadlineExceeded, time.Millisecond}}, false},
		{"hardly any time, and refused at once", []ended{{0, lost, 0}, {0, lost, time.Millisecond}}, true},
		{"its caller gave up", []ended{{0, lost, 0}, {0, context.Canceled, 0}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := &contact{}
			for _, e := range row.ends {
				ctx, began := t.Context(), time.Now().Add(-e.began)
				if e.left > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithDeadline(ctx, began.Add(e.left))
					defer cancel()
				}
				c.note(ctx, began, e.err)
			}
			if c.lost() != row.away {
				t.Errorf("away is %t", c.lost())
			}
		})
	}
}

// scriptedPings answers as it is told, in turn.
type scriptedPings struct {
	seen    *contact
	answers []error
}

// Ping implements pinger as a client with the hook does.
func (p *scriptedPings) Ping(ctx context.Context) error {
	began, err := time.Now(), p.answers[0]
	p.answers = p.answers[1:]
	p.seen.note(ctx, began, err)
	return err
}

// TestOneSlowProbe holds that /readyz turns red with the second failure in turn, and
// green with the first answer.
func TestOneSlowProbe(t *testing.T) {
	t.Parallel()
	slow := errors.Join(order.ErrUnavailable, context.DeadlineExceeded)
	seen := &contact{}
	s := newState(&scriptedPings{seen: seen, answers: []error{nil, slow, nil, slow, slow, slow, nil}}, newWatch(nil, nil, time.Now, nil), seen)
	s.set(stateServing)
	for i, want := range []int{200, 200, 200, 200, 503, 503, 200} {
		w := httptest.NewRecorder()
		answerProbe(w, s.check(t.Context()), nil)
		if w.Code != want {
			t.Errorf("probe %d is answered %d, want %d", i+1, w.Code, want)
		}
	}
}
