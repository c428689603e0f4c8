package chaos_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// begunOrders is how many orders the worker has begun when it is stopped: one for each
// slot that works every queue.
const begunOrders = 14

// TestFrozenWorker stops a worker while the shop works at its orders, lets another
// one take them over, and lets the first go on. The answers that the first one then
// reads from the shop are old: every other one is a refusal, which must not undo what the
// second one did.
func TestFrozenWorker(t *testing.T) {
	frozen := shortOrLong(20*time.Second, 90*time.Second)
	s := open(t, "5 a worker is stopped and goes on")
	release := make(chan struct{})
	s.shop.respond = func(id string, call int) reply {
		r := acceptAll(id, call)
		if n, ok := strings.CutPrefix(id, "unanswered-"); ok && call == 1 {
			r.Until = release
			if number, _ := strconv.Atoi(n); number%2 == 1 {
				r.Status = http.StatusUnprocessableEntity
			}
		}
		return r
	}
	// The worker waits for the shop for as long as it is stopped, and longer.
	patient := []string{"ORDERS_FULFILMENT_TIMEOUT=200s", "ORDERS_ATTEMPT_TIMEOUT=220s", "ORDERS_SHUTDOWN_TIMEOUT=230s"}
	s.addAPIs(1, patient[1:]...)
	s.addWorkers(1, patient...)
	s.client.submitAll(begunOrders, begunOrders, unansweredOrder)
	s.until("the worker has begun all orders", func() bool { return s.shop.called("") == begunOrders })
	s.freeze(s.workers[0], frozen, func() {
		close(release)
		s.addWorkers(1, patient...)
		s.client.submitAll(500, 8, mixed)
	})
	s.workers[0].stop() // it has written everything by then
	s.workers = s.workers[1:]
	a := s.conclude()
	a.checkTakenOver(frozen)
}

// unansweredOrder is one whose first call the shop does not answer at first. Its end
// depends on which worker settles it.
func unansweredOrder(n int) submission {
	o := plain(fmt.Sprintf("unanswered-%d", n), 5000+n)
	o.Priority, o.Ends = 2, ""
	return o
}

// freeze stops a worker, does something meanwhile, and lets it go on when so much
// time has passed.
func (s *system) freeze(l *instance, span time.Duration, meanwhile func()) {
	s.t.Helper()
	p := l.current.Load()
	over := time.NewTimer(span)
	defer over.Stop()
	s.noteLoss(p)
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatal(err)
	}
	meanwhile()
	<-over.C
	if err := p.Signal(syscall.SIGCONT); err != nil {
		s.t.Fatal(err)
	}
	p.expected.Store(false)
}

// checkTakenOver wants an order that was taken over to have completed, whatever the shop
// answered the first worker, and one that was not to be as the shop answered.
func (a *audit) checkTakenOver(frozen time.Duration) {
	a.s.t.Helper()
	takenOver := 0
	for n := range begunOrders {
		o := a.listed[fmt.Sprintf("unanswered-%d", n)]
		want := order.StatusCompleted
		if len(o.Attempts) > 1 {
			takenOver++
		} else if n%2 == 1 {
			want = order.StatusFailed
		}
		if o.Status != want {
			a.s.t.Errorf("order %s is %s after %d attempts, want %s: %s", o.ID, o.Status, len(o.Attempts), want, o.Error)
		}
	}
	a.s.t.Logf("%d of %d orders were taken over", takenOver, begunOrders)
	if longerThanLease := 60 * time.Second; frozen > longerThanLease && takenOver != begunOrders {
		a.s.t.Errorf("%d of %d orders were taken over within %v", takenOver, begunOrders, frozen)
	}
}
