package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// sweeping is a bundle with a sweeper whose clock the test holds.
type sweeping struct {
	*bundle
	*queue.Sweeper
	now time.Time
}

func sweep(t *testing.T) *sweeping {
	t.Helper()
	b := open(t)
	s, err := queue.NewSweeper(b.broken)
	if err != nil {
		t.Fatal(err)
	}
	sw := &sweeping{bundle: b, Sweeper: s, now: time.Now()}
	s.SetClock(func() time.Time { return sw.now })
	return sw
}

// look watches for so many seconds and returns the strays of the last look.
func (s *sweeping) look(t *testing.T, seconds int) []order.Stray {
	t.Helper()
	for range seconds {
		if _, err := s.Strays(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(time.Second)
	}
	strays, err := s.Strays(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strays
}

// holdOne lets a worker take the one order that waits and never end it.
func (s *sweeping) holdOne(t *testing.T) {
	t.Helper()
	taken := make(chan string, 1)
	cfg := config()
	cfg.ShutdownTimeout = 100 * time.Millisecond
	s.consume(t, cfg, func(ctx context.Context, id string) error {
		select {
		case taken <- id:
		default:
		}
		<-ctx.Done()
		return nil
	})
	receive(t, "the order is taken", taken)
}

// TestStrays holds when an order counts as one whose worker is gone.
func TestStrays(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		do   func(t *testing.T, s *sweeping)
		want int // strays after it
	}{
		{"watched for eleven seconds", func(t *testing.T, s *sweeping) { t.Helper(); s.look(t, 11) }, 0},
		{"watched for twelve", func(t *testing.T, s *sweeping) { t.Helper(); s.look(t, 12) }, 1},
		{"the lease was renewed", func(t *testing.T, s *sweeping) {
			t.Helper()
			s.look(t, 10)
			s.rdb.ZIncrBy(t.Context(), "asynq:{default}:lease", 5, "o1")
			s.look(t, 10)
		}, 0},
		{"the lease was renewed once and then no more", func(t *testing.T, s *sweeping) {
			t.Helper()
			s.look(t, 10)
			s.rdb.ZIncrBy(t.Context(), "asynq:{default}:lease", 5, "o1")
			s.look(t, 13)
		}, 1},
		{"another process goes on watching", func(t *testing.T, s *sweeping) {
			t.Helper()
			s.look(t, 5)
			other, err := queue.NewSweeper(s.broken)
			if err != nil {
				t.Fatal(err)
			}
			other.SetClock(func() time.Time { return s.now })
			s.Sweeper = other
			s.now = s.now.Add(3 * time.Second)
			s.look(t, 4)
		}, 1},
		{"it has no lease at all", func(t *testing.T, s *sweeping) {
			t.Helper()
			s.rdb.ZRem(t.Context(), "asynq:{default}:lease", "o1")
			s.look(t, 12)
		}, 1},
		{"nobody watched for a while", func(t *testing.T, s *sweeping) {
			t.Helper()
			s.look(t, 5)
			s.now = s.now.Add(5 * time.Second)
			s.look(t, 5)
		}, 0},
		{"one look failed", func(t *testing.T, s *sweeping) {
			t.Helper()
			s.look(t, 10)
			s.breaker.Break(redistest.NotApplied, redistest.Any)
			if _, err := s.Strays(t.Context()); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("without Redis: %v", err)
			}
			s.look(t, 3)
		}, 0},
		{"Redis was away for a while", func(t *testing.T, s *sweeping) {
			t.Helper()
			s.look(t, 5)
			for range 5 {
				s.now = s.now.Add(time.Second)
				s.breaker.Break(redistest.NotApplied, redistest.Any)
				if _, err := s.Strays(t.Context()); !errors.Is(err, order.ErrUnavailable) {
					t.Errorf("without Redis: %v", err)
				}
			}
			s.look(t, 5)
		}, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := sweep(t)
			s.take(t, "o1")
			row.do(t, s)
			strays, err := s.Strays(t.Context())
			if err != nil || len(strays) != row.want {
				t.Errorf("%d strays, want %d: %v", len(strays), row.want, err)
			}
		})
	}
}

// take does to an order what Asynq's dequeue does.
func (s *sweeping) take(t *testing.T, id string) {
	t.Helper()
	s.enqueue(t, order.QueueDefault, id)
	s.hold(t, id)
}

// hold does it to the one order of a queue.
func (s *sweeping) hold(t *testing.T, id string) {
	t.Helper()
	ctx := t.Context()
	s.rdb.LMove(ctx, "asynq:{default}:pending", "asynq:{default}:active", "RIGHT", "LEFT")
	s.rdb.HSet(ctx, "asynq:{default}:t:"+id, "state", "active")
	s.rdb.ZIncrBy(ctx, "asynq:{default}:lease", float64(time.Now().Add(30*time.Second).Unix()), id)
}

// TestPutBack holds the layout of Asynq's keys: a real worker holds an order, and
// when that is put back, the next real worker takes it, before all others and with
// no attempt counted.
func TestPutBack(t *testing.T) {
	s := sweep(t)
	s.enqueue(t, order.QueueDefault, "o1")
	s.holdOne(t)
	s.enqueue(t, order.QueueDefault, "o2", "o3")
	strays := s.look(t, 12)
	want := []order.Stray{{ID: "o1", Queue: order.QueueDefault}}
	if diff := cmp.Diff(want, strays, cmpopts.IgnoreFields(order.Stray{}, "Lease", "SeenAt")); diff != "" {
		t.Fatalf("strays (-want +got):\n%s", diff)
	}
	if done, err := s.PutBack(t.Context(), strays[0]); !done || err != nil {
		t.Fatalf("put back: %t, %v", done, err)
	}
	if task := s.task(order.QueueDefault, "o1"); task.State != asynq.TaskStatePending || task.Retried != 0 {
		t.Errorf("the task is %v, retried %d", task.State, task.Retried)
	}
	if done, err := s.PutBack(t.Context(), strays[0]); done || err != nil {
		t.Errorf("put back again: %t, %v", done, err)
	}
	taken := make(chan string, 3)
	s.consume(t, config(), func(_ context.Context, id string) error { taken <- id; return nil })
	for _, want := range []string{"o1", "o2", "o3"} {
		if got := receive(t, "the next order", taken); got != want {
			t.Errorf("%s was taken, want %s", got, want)
		}
	}
}

// TestPutBackTooLate leaves an order alone whose worker has spoken up.
func TestPutBackTooLate(t *testing.T) {
	s := sweep(t)
	s.take(t, "o1")
	strays := s.look(t, 12)
	s.rdb.ZIncrBy(t.Context(), "asynq:{default}:lease", 5, "o1")
	if done, err := s.PutBack(t.Context(), strays[0]); done || err != nil {
		t.Errorf("put back: %t, %v", done, err)
	}
	if task := s.task(order.QueueDefault, "o1"); task.State != asynq.TaskStateActive {
		t.Errorf("the task is %v", task.State)
	}
}

// TestPutBackFaults breaks it in both ways a network can, and repeats it.
func TestPutBackFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			s := sweep(t)
			s.take(t, "o1")
			stray := s.look(t, 12)[0]
			s.breaker.Break(fault, redistest.Script("asynq:{default}:active"))
			if _, err := s.PutBack(t.Context(), stray); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("broken: %v", err)
			}
			if _, err := s.PutBack(t.Context(), stray); err != nil {
				t.Errorf("repeated: %v", err)
			}
			pending := s.rdb.LRange(t.Context(), "asynq:{default}:pending", 0, -1).Val()
			if diff := cmp.Diff([]string{"o1"}, pending); diff != "" {
				t.Errorf("pending (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFullRedis finds and puts back strays when Redis is full.
func TestFullRedis(t *testing.T) {
	s := sweep(t)
	s.take(t, "o1")
	s.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	strays := s.look(t, 12)
	if len(strays) != 1 {
		t.Fatalf("%d strays", len(strays))
	}
	if done, err := s.PutBack(t.Context(), strays[0]); !done || err != nil {
		t.Errorf("put back: %t, %v", done, err)
	}
}

// TestWithhold keeps Asynq from bringing a stray back, and the sweeper's eye on it.
func TestWithhold(t *testing.T) {
	s := sweep(t)
	s.take(t, "o1")
	s.rdb.ZIncrBy(t.Context(), "asynq:{default}:lease", -3600, "o1") // Asynq thinks it expired
	stray := s.look(t, 12)[0]
	for _, fault := range redistest.Faults() {
		s.breaker.Break(fault, redistest.Script("asynq:{default}:lease"))
		if err := s.Withhold(t.Context(), stray); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("broken: %v", err)
		}
	}
	must(t, s.Withhold(t.Context(), stray))
	cfg := config()
	cfg.ShutdownTimeout = 100 * time.Millisecond
	stop := s.consume(t, cfg, func(context.Context, string) error { return nil }) // its recoverer looks at once
	never(t, "it was brought back", func() bool { return s.task(order.QueueDefault, "o1").State != asynq.TaskStateActive })
	stop()
	strays := s.look(t, 0)
	if len(strays) != 1 || strays[0].Lease != "" {
		t.Fatalf("strays: %+v", strays)
	}
	if done, err := s.PutBack(t.Context(), strays[0]); !done || err != nil {
		t.Errorf("put back: %t, %v", done, err)
	}
}

// TestWithholdTooLate leaves an order alone whose worker has spoken up.
func TestWithholdTooLate(t *testing.T) {
	s := sweep(t)
	s.take(t, "o1")
	stray := s.look(t, 12)[0]
	s.rdb.ZIncrBy(t.Context(), "asynq:{default}:lease", 5, "o1")
	must(t, s.Withhold(t.Context(), stray))
	if s.rdb.ZScore(t.Context(), "asynq:{default}:lease", "o1").Val() == 0 {
		t.Error("its lease is gone")
	}
}

// TestHeld lists what is being worked, stray or not.
func TestHeld(t *testing.T) {
	s := sweep(t)
	s.take(t, "o1")
	held, err := s.Held(t.Context())
	if err != nil || len(held) != 1 || held[0].ID != "o1" || held[0].Lease == "" {
		t.Errorf("held: %+v, %v", held, err)
	}
}
