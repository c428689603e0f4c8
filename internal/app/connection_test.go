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

// TestOneSlowAnswer checks that the connection is lost with the second consecutive
// command without an answer, and restored by any answer.
func TestOneSlowAnswer(t *testing.T) {
	t.Parallel()
	gone, refused := errors.New("connection refused"), redis.Nil
	type ended struct {
		began time.Duration // before now
		err   error
		left  time.Duration // until the caller's deadline; 0 for none
	}
	for _, row := range []struct {
		name string
		ends []ended
		lost bool
	}{
		{"nothing", nil, false},
		{"one", []ended{{0, gone, 0}}, false},
		{"one, late", []ended{{time.Second, context.DeadlineExceeded, time.Second}}, false},
		{"two in turn", []ended{{0, gone, 0}, {0, gone, 0}}, true},
		{"two at the same time", []ended{{0, gone, 0}, {time.Hour, gone, 0}}, false},
		{"an answer between", []ended{{0, gone, 0}, {0, nil, 0}, {0, gone, 0}}, false},
		{"a refusal between", []ended{{0, gone, 0}, {0, refused, 0}, {0, gone, 0}}, false},
		{"an answer afterwards", []ended{{0, gone, 0}, {0, gone, 0}, {0, nil, 0}}, false},
		{"too little time for the second", []ended{{0, gone, 0}, {0, context.DeadlineExceeded, time.Millisecond}}, false},
		{"too little time, and refused at once", []ended{{0, gone, 0}, {0, gone, time.Millisecond}}, true},
		{"its caller gave up", []ended{{0, gone, 0}, {0, context.Canceled, 0}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := &connection{}
			for _, e := range row.ends {
				ctx, began := t.Context(), time.Now().Add(-e.began)
				if e.left > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithDeadline(ctx, began.Add(e.left))
					defer cancel()
				}
				c.observe(ctx, began, e.err)
			}
			if c.lost() != row.lost {
				t.Errorf("lost is %t", c.lost())
			}
		})
	}
}

// scriptedPings returns its answers in turn.
type scriptedPings struct {
	conn    *connection
	answers []error
}

// Ping implements pinger as a client with the hook does.
func (p *scriptedPings) Ping(ctx context.Context) error {
	began, err := time.Now(), p.answers[0]
	p.answers = p.answers[1:]
	p.conn.observe(ctx, began, err)
	return err
}

// TestOneSlowProbe checks that /readyz turns red with the second failure in turn, and
// green with the first answer.
func TestOneSlowProbe(t *testing.T) {
	t.Parallel()
	slow := errors.Join(order.ErrUnavailable, context.DeadlineExceeded)
	conn := &connection{}
	r := &readiness{
		redis:   &scriptedPings{conn: conn, answers: []error{nil, slow, nil, slow, slow, slow, nil}},
		monitor: newMonitor(nil, nil), conn: conn,
	}
	r.set(serving)
	for i, want := range []int{200, 200, 200, 200, 503, 503, 200} {
		w := httptest.NewRecorder()
		answerProbe(w, r.probe(t.Context()), nil)
		if w.Code != want {
			t.Errorf("probe %d is answered %d, want %d", i+1, w.Code, want)
		}
	}
}
