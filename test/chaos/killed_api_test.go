package chaos_test

import (
	"fmt"
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
	p := openProxy(t, s.redis.URL(), nil)
	s.redisURL = p.URL()
	s.addAPIs(1)
	repeated := s.rand.Perm(kills)[:kills/2]
	again := map[int]bool{}
	for _, n := range repeated {
		again[n] = true
	}
	for n := range kills {
		o := plain(fmt.Sprintf("gap-%03d", n), n)
		s.killInGap(p, o)
		s.apis[0].restart()
		if !again[n] {
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
	if n := a.stats.Ledger.Requeued; n != int64(kills-len(repeated)) {
		t.Errorf("%d orders were requeued, %d were never repeated", n, kills-len(repeated))
	}
}

// killInGap sends an order and kills the API when Redis has recorded it. The order
// is then recorded and has no task.
func (s *system) killInGap(p *proxy, o submission) {
	s.t.Helper()
	p.set(trap{match: accepts, nth: 1, then: s.apis[0].kill})
	if a := s.client.try(s.apis[0], o, 1); a.kind != broken && a.kind != closedIdle {
		s.t.Fatalf("order %s was answered %s: %s", o.ID, a.kind, a.body)
	}
	ctx := s.t.Context()
	if !p.sprung() || s.rdb.Exists(ctx, book+"o:"+o.ID).Val() != 1 {
		s.t.Errorf("order %s is not recorded", o.ID)
	}
	for _, q := range order.Queues() {
		if s.rdb.Exists(ctx, queueStart+string(q)+"}:t:"+o.ID).Val() != 0 {
			s.t.Errorf("order %s is queued already", o.ID)
		}
	}
}
