package chaos_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// corruption is one way in which a task can become unreadable.
type corruption struct {
	name string
	do   func(s *system, key string)
}

func corruptions() []corruption {
	set := func(message any) func(*system, string) {
		return func(s *system, key string) { s.rdb.HSet(s.t.Context(), key, "msg", message) }
	}
	return []corruption{
		{"garbage", set("\x00\xffgarbage")},
		{"empty", set("")},
		{"fieldless", func(s *system, key string) { s.rdb.HDel(s.t.Context(), key, "msg") }},
		{"gone", func(s *system, key string) { s.rdb.Del(s.t.Context(), key) }},
		{"mistyped", func(s *system, key string) {
			s.rdb.Del(s.t.Context(), key)
			s.rdb.Set(s.t.Context(), key, "garbage", 0)
		}},
	}
}

// TestGarbageInQueue overwrites tasks of orders that are pending, with a worker
// which is then killed, waiting for their next attempt, and waiting for their
// time. All orders are worked all the same, and those that the killed worker held
// with them come back as soon as usual.
func TestGarbageInQueue(t *testing.T) {
	s := open(t, "g tasks are overwritten")
	answer := make(chan struct{})
	s.shop.respond = func(id string, call int) reply {
		switch kind, _, _ := strings.Cut(id, "-"); {
		case call == 1 && kind == "retry":
			return reply{Status: http.StatusServiceUnavailable}
		case call == 1 && kind == "active":
			return reply{Status: http.StatusOK, Until: answer}
		default:
			return reply{Status: http.StatusOK, After: time.Millisecond}
		}
	}
	s.addAPIs(1)
	s.addWorkers(1, "ORDERS_RETRY_BASE=8s", "ORDERS_RETRY_MAX=8s")
	corrupted := s.corruptActive()
	close(answer)
	corrupted += s.corruptScheduled() + s.corruptRetry() + s.corruptPending()
	s.client.submitAll(shortOrLong(50, 1000), 8, mixed)
	a := s.conclude()
	stored := s.rdb.HLen(t.Context(), queueStart+"default}:corrupt").Val()
	t.Logf("%d tasks were corrupted, %d are stored", corrupted, stored)
	if stored == 0 || stored > int64(corrupted) {
		t.Errorf("%d of %d corrupt tasks are stored", stored, corrupted)
	}
	a.checkUnblocked(unblockedWithin())
}

// unblockedWithin bounds how long orders wait in a queue with corrupt tasks. It is more than a
// minute because of a task that is no hash: Asynq forwards no more orders of its queue
// until recovery has replaced the task, which it does half a minute after the order was
// accepted. All other corruptions delay nothing.
func unblockedWithin() time.Duration { return shortOrLong(15*time.Minute, 75*time.Second) }

// corruptOrders submits an order for each corruption and one that stays whole, and
// corrupts the tasks of the others once they are where they should be.
func (s *system) corruptOrders(kind string, base int, at string, ready func(id string) bool) int {
	s.t.Helper()
	for n, w := range corruptions() {
		o := plain(kind+"-"+w.name, base+n)
		o.Priority, o.ProcessAt = 2, at
		s.client.submit(o)
	}
	whole := plain(kind+"-whole", base+len(corruptions()))
	whole.Priority, whole.ProcessAt = 2, at
	s.client.submit(whole)
	for _, w := range corruptions() {
		id := kind + "-" + w.name
		s.until("order "+id+" is "+kind, func() bool { return ready(id) })
		w.do(s, queueStart+"default}:t:"+id)
		s.faults.Add(1)
	}
	return len(corruptions())
}

// delayed reports whether an order waits in a sorted set of the queue.
func (s *system) delayed(set, id string) bool {
	return s.rdb.ZScore(s.t.Context(), queueStart+"default}:"+set, id).Err() == nil
}

func (s *system) corruptScheduled() int {
	return s.corruptOrders("scheduled", 20_000, timeIn(6*time.Second), func(id string) bool { return s.delayed("scheduled", id) })
}

func (s *system) corruptRetry() int {
	return s.corruptOrders("retry", 30_000, "", func(id string) bool { return s.delayed("retry", id) })
}

// corruptPending corrupts orders that wait while their queue is paused.
func (s *system) corruptPending() int {
	s.operate("/queues/default/pause", "")
	corrupted := s.corruptOrders("pending", 40_000, "", func(string) bool { return true })
	s.operate("/queues/default/resume", "")
	return corrupted
}

// corruptActive corrupts orders that a worker has begun, and kills it.
func (s *system) corruptActive() int {
	s.t.Helper()
	corrupted := s.corruptOrders("active", 50_000, "", func(id string) bool { return s.shop.called(id) == 1 })
	s.until("the worker has begun all orders", func() bool { return s.shop.called("") == 6 })
	s.workers[0].kill()
	s.workers[0].restart()
	return corrupted
}

// checkUnblocked wants the whole orders to have been begun for the last time soon after
// they were sent.
func (a *audit) checkUnblocked(within time.Duration) {
	a.s.t.Helper()
	for id, o := range a.listed {
		if !strings.HasSuffix(id, "-whole") || len(o.Attempts) == 0 {
			continue
		}
		took := o.Attempts[len(o.Attempts)-1].StartedAt.Sub(o.CreatedAt)
		a.s.t.Logf("order %s in a queue with corrupt tasks was begun for the last time after %v", id, took.Round(time.Millisecond))
		if took > within {
			a.s.t.Errorf("order %s in a queue with corrupt tasks was begun for the last time after %v, want %v", id, took, within)
		}
	}
}
