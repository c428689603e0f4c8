package chaos_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"orderprocessor/internal/order"
)

// TestKilledBetweenRecordAndQueue kills the API in the moment in which an order
// is recorded and not yet queued. The client has no answer; half of them send
// the order again, the others never do. Every order is worked all the same.
func TestKilledBetweenRecordAndQueue(t *testing.T) {
	kills := shortOrLong(10, 200)
	s := open(t, "2 the API is killed before it queues")
	s.addWorkers(1)
	var armed atomic.Bool
	s.redisURL = "redis://" + openProxy(t, s.redis.URL(), func(command message) *trap {
		if !armed.Load() || !accepts(command.scriptKeys()) {
			return nil
		}
		return &trap{then: func() {
			armed.Store(false)
			s.apis[0].kill()
		}}
	})
	s.addAPIs(1)
	again := s.rand.Perm(kills)[:kills/2]
	for n := range kills {
		o := plain(fmt.Sprintf("gap-%03d", n), n)
		armed.Store(true)
		s.wantInGap(o)
		if armed.Load() {
			t.Errorf("the API was not killed at order %s", o.ID)
		}
		s.apis[0].restart()
		if !slices.Contains(again, n) {
			continue
		}
		if a := s.client.submit(o); a.kind != "200" {
			t.Errorf("the repeated order %s was answered %s: %s", o.ID, a.kind, a.body)
		}
	}
	a := s.conclude()
	if len(a.listed) != kills {
		t.Errorf("%d orders are recorded, want %d", len(a.listed), kills)
	}
	if n := a.stats.Ledger.Requeued; n != int64(kills-len(again)) {
		t.Errorf("%d orders were requeued, %d were never repeated", n, kills-len(again))
	}
}

// wantInGap sends an order, whose acceptance the proxy traps, and wants the order to be
// recorded without a task.
func (s *system) wantInGap(o submission) {
	s.t.Helper()
	if a := s.client.try(s.apis[0], o, 1); a.kind != broken && a.kind != closedIdle {
		s.t.Fatalf("order %s was answered %s: %s", o.ID, a.kind, a.body)
	}
	ctx := s.t.Context()
	if s.rdb.Exists(ctx, book+"o:"+o.ID).Val() != 1 {
		s.t.Errorf("order %s is not recorded", o.ID)
	}
	for _, q := range order.Queues() {
		if s.rdb.Exists(ctx, queueStart+string(q)+"}:t:"+o.ID).Val() != 0 {
			s.t.Errorf("order %s is queued already", o.ID)
		}
	}
}
