package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/redistest"
)

// spoil is the ways to make a task unreadable.
func spoil() map[string]func(t *testing.T, b *bundle, id string) {
	key := func(id string) string { return "asynq:{default}:t:" + id }
	return map[string]func(t *testing.T, b *bundle, id string){
		"garbage": func(t *testing.T, b *bundle, id string) {
			t.Helper()
			b.rdb.HSet(t.Context(), key(id), "msg", "\xff\xff garbage")
		},
		"empty":      func(t *testing.T, b *bundle, id string) { t.Helper(); b.rdb.HSet(t.Context(), key(id), "msg", "") },
		"no message": func(t *testing.T, b *bundle, id string) { t.Helper(); b.rdb.HDel(t.Context(), key(id), "msg") },
		"no state":   func(t *testing.T, b *bundle, id string) { t.Helper(); b.rdb.HDel(t.Context(), key(id), "state") },
		"gone":       func(t *testing.T, b *bundle, id string) { t.Helper(); b.rdb.Del(t.Context(), key(id)) },
		"no hash":    func(t *testing.T, b *bundle, id string) { t.Helper(); b.rdb.Set(t.Context(), key(id), "text", 0) },
		"another's": func(t *testing.T, b *bundle, id string) {
			t.Helper()
			b.enqueue(t, order.QueueDefault, "other")
			msg := b.rdb.HGet(t.Context(), key("other"), "msg").Val()
			b.rdb.HSet(t.Context(), key(id), "msg", msg)
			if err := b.asynq.DeleteTask("default", "other"); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// TestDamagedStray finds that a task which a worker has stumbled over cannot be
// read, sets it aside, and leaves nothing of it.
func TestDamagedStray(t *testing.T) {
	t.Parallel()
	for name, spoil := range spoil() {
		t.Run(name, func(t *testing.T) {
			s := sweep(t)
			s.take(t, "o1")
			spoil(t, s.bundle, "o1")
			stray := s.look(t, 12)[0]
			if done, err := s.PutBack(t.Context(), stray); done || !errors.Is(err, order.ErrDamaged) {
				t.Errorf("put back: %t, %v", done, err)
			}
			if found, err := s.SetAside(t.Context(), stray.Queue, stray.ID); !found || err != nil {
				t.Errorf("set aside: %t, %v", found, err)
			}
			if found, err := s.SetAside(t.Context(), stray.Queue, stray.ID); found || err != nil {
				t.Errorf("set aside again: %t, %v", found, err)
			}
			keys := s.rdb.Keys(t.Context(), "asynq:{default}:*").Val()
			want := []string{"asynq:{default}:damaged", "asynq:{default}:damaged_at"}
			if diff := cmp.Diff(want, keys, cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			if added, err := s.Enqueue(t.Context(), record("o1", order.QueueDefault)); !added || err != nil {
				t.Errorf("queued anew: %t, %v", added, err)
			}
		})
	}
}

// TestDamagedWaiting holds that both ends of the queue tell a task that cannot be
// read, wherever it waits.
func TestDamagedWaiting(t *testing.T) {
	t.Parallel()
	states := map[string]func(t *testing.T, b *bundle){
		"pending":  func(*testing.T, *bundle) {},
		"archived": func(t *testing.T, b *bundle) { t.Helper(); must(t, b.asynq.ArchiveTask("default", "o1")) },
		"retry": func(t *testing.T, b *bundle) {
			t.Helper()
			stop := b.consume(t, config(), func(context.Context, string) error {
				return &order.RetryError{After: time.Hour, Err: errors.New("later")}
			})
			eventually(t, "it waits for its retry", func() bool {
				task := b.task(order.QueueDefault, "o1")
				return task != nil && task.State == asynq.TaskStateRetry
			})
			stop()
		},
	}
	for name, prepare := range states {
		t.Run(name, func(t *testing.T) {
			s := sweep(t)
			rec := record("o1", order.QueueDefault)
			s.enqueue(t, order.QueueDefault, "o1")
			prepare(t, s.bundle)
			s.rdb.HSet(t.Context(), "asynq:{default}:t:o1", "msg", "garbage")
			if _, err := s.Holds(t.Context(), rec); !errors.Is(err, order.ErrDamaged) {
				t.Errorf("Holds: %v", err)
			}
			if _, err := s.Enqueue(t.Context(), rec); !errors.Is(err, order.ErrDamaged) {
				t.Errorf("Enqueue: %v", err)
			}
			if found, err := s.SetAside(t.Context(), order.QueueDefault, "o1"); !found || err != nil {
				t.Errorf("set aside: %t, %v", found, err)
			}
			if held, err := s.Holds(t.Context(), rec); held || err != nil {
				t.Errorf("Holds after it: %t, %v", held, err)
			}
			checkDamaged(t, s.bundle, "garbage")
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func checkDamaged(t *testing.T, b *bundle, message string) {
	t.Helper()
	got, err := queue.NewInspector(b.rdb).Damaged(t.Context(), order.QueueDefault, order.MaxDamaged+1)
	must(t, err)
	want := []order.Damaged{{ID: "o1", Queue: order.QueueDefault, SetAsideAt: time.Now(), Message: []byte(message)}}
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(time.Minute)); diff != "" {
		t.Errorf("damaged (-want +got):\n%s", diff)
	}
}

// TestDamagedIsBounded keeps the newest, and only the beginning of each.
func TestDamagedIsBounded(t *testing.T) {
	s := sweep(t)
	for n := range order.MaxDamaged + 2 {
		id := fmt.Sprint("o", n)
		s.rdb.HSet(t.Context(), "asynq:{default}:t:"+id, "msg", strings.Repeat("x", order.MaxDamagedBytes+1))
		if found, err := s.SetAside(t.Context(), order.QueueDefault, id); !found || err != nil {
			t.Fatalf("set aside %s: %t, %v", id, found, err)
		}
	}
	got, err := queue.NewInspector(s.rdb).Damaged(t.Context(), order.QueueDefault, order.MaxDamaged+1)
	must(t, err)
	if len(got) != order.MaxDamaged || got[0].ID != fmt.Sprint("o", order.MaxDamaged+1) || len(got[0].Message) != order.MaxDamagedBytes {
		t.Errorf("%d are kept, the newest is %s with %d bytes", len(got), got[0].ID, len(got[0].Message))
	}
	if n := s.rdb.HLen(t.Context(), "asynq:{default}:damaged").Val(); n != order.MaxDamaged {
		t.Errorf("%d messages are kept", n)
	}
}

// TestSetAsideFaults breaks it in both ways a network can, and repeats it.
func TestSetAsideFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redistest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			s := sweep(t)
			s.enqueue(t, order.QueueDefault, "o1")
			s.rdb.HSet(t.Context(), "asynq:{default}:t:o1", "msg", "garbage")
			s.breaker.Break(fault, redistest.Script("asynq:{default}:t:"))
			if _, err := s.SetAside(t.Context(), order.QueueDefault, "o1"); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("broken: %v", err)
			}
			_, err := s.SetAside(t.Context(), order.QueueDefault, "o1")
			must(t, err)
			checkDamaged(t, s.bundle, "garbage")
		})
	}
}

// TestParked walks over everything that waits for its time or is archived, and
// removes it.
func TestParked(t *testing.T) {
	s := sweep(t)
	want := map[string]bool{}
	for n := range 500 {
		id, key := fmt.Sprint("o", n), "asynq:{low}:scheduled"
		switch n % 3 {
		case 1:
			key = "asynq:{critical}:retry"
		case 2:
			key = "asynq:{default}:archived"
		}
		s.rdb.ZAdd(t.Context(), key, redis.Z{Score: 1_700_000_000, Member: id})
		s.rdb.HSet(t.Context(), strings.Replace(key, key[strings.LastIndex(key, ":"):], ":t:"+id, 1), "msg", "m")
		want[id] = true
	}
	got := map[string]bool{}
	var all []order.Parked
	for done := false; !done; {
		var found []order.Parked
		var err error
		found, done, err = s.Parked(t.Context())
		must(t, err)
		for _, p := range found {
			got[p.ID], all = true, append(all, p)
			if archived := !p.ArchivedAt.IsZero(); archived != (p.Queue == order.QueueDefault) {
				t.Errorf("%+v", p)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parked (-want +got):\n%s", diff)
	}
	for _, fault := range redistest.Faults() {
		s.breaker.Break(fault, redistest.Script("asynq:"))
		if _, err := s.Remove(t.Context(), all[0]); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("broken: %v", err)
		}
	}
	for _, p := range all {
		_, err := s.Remove(t.Context(), p)
		must(t, err)
	}
	if keys := s.rdb.Keys(t.Context(), "asynq:{*").Val(); len(keys) > 0 {
		t.Errorf("left: %v", keys)
	}
	if gone, err := s.Remove(t.Context(), all[0]); gone || err != nil {
		t.Errorf("removed again: %t, %v", gone, err)
	}
}
