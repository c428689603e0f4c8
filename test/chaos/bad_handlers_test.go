package chaos_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// TestBadHandlers works orders whose handlers panic, hang, do not listen, or end
// their own worker, among others that do no harm.
func TestBadHandlers(t *testing.T) {
	s := open(t, "6 handlers are bad")
	s.p99 = longestRecovery() // quarantine needs time
	s.shop.respond = func(id string, call int) reply {
		r := acceptAll(id, call)
		if strings.HasPrefix(id, "bystander-") {
			r.After = time.Second // the poison meets them at work, each time
		}
		return r
	}
	settings := []string{
		"ORDERS_MAX_ATTEMPTS=8", "ORDERS_ATTEMPT_TIMEOUT=4s", "ORDERS_FULFILMENT_TIMEOUT=3900ms", "STUMBLED=" + t.TempDir(),
	}
	s.addAPIs(1, settings[:2]...) // the rest is for workers alone
	// A single worker meets all that the poison does; of two, each meets a part.
	s.workers = s.add("badworker", shortOrLong(1, 2), settings)
	stop := s.replaceTheDead()
	bad := badOrders(shortOrLong(1, 5))
	s.client.submitAll(len(bad), 8, func(n int) submission { return bad[n] })
	s.client.submitAll(shortOrLong(300, 3000), 8, mixed)
	s.awaitRest()
	stop()
	a := s.conclude()
	a.checkPoison()
}

// badOrders returns so many orders of each bad kind, with others among them that
// do no harm and are at work at the same time.
func badOrders(each int) []submission {
	var all []submission
	add := func(kind string, n int, ends order.Status) {
		o := plain(fmt.Sprintf("%s-%d", kind, n), 10_000+len(all))
		o.Priority, o.Ends = 2, ends
		all = append(all, o)
	}
	for n := range each {
		for i := range 4 {
			add("bystander", 2*4*n+i, "completed")
		}
		add("poison", n, "failed")
		add("panic", n, "failed")
		add("stumble", n, "completed")
		add("hang", n, "failed")
		add("deaf", n, "completed")
		for i := range 4 {
			add("bystander", 2*4*n+4+i, "completed")
		}
	}
	return all
}

// replaceTheDead starts a new worker for each that ends, until the function that
// it returns is called.
func (s *system) replaceTheDead() (stop func()) {
	ended := make(chan struct{})
	var watching sync.WaitGroup
	for _, l := range s.workers {
		watching.Go(func() {
			for {
				select {
				case <-ended:
					return
				case <-l.current.Load().Done():
				}
				s.noteLoss(l.current.Load())
				if err := l.start(); err != nil {
					s.t.Errorf("replace a worker: %v", err)
					return
				}
			}
		})
	}
	return func() {
		close(ended)
		watching.Wait()
	}
}

// checkPoison wants an order that ends its workers to fail for that reason, after
// it has ended three of them. A loss with another candidate does not count,
// so there may be four. Others must have been at work at these moments.
func (a *audit) checkPoison() {
	a.s.t.Helper()
	bystanders := 0
	for id, o := range a.listed {
		if strings.HasPrefix(id, "bystander-") && len(o.Attempts) > 1 {
			bystanders++
		}
		if !strings.HasPrefix(id, "poison-") {
			continue
		}
		if o.Status != "failed" || !strings.Contains(o.Error, "worker was lost") || len(o.Attempts) < 3 {
			a.s.t.Errorf("order %s is %s after %d attempts, want it to fail after 3 lost workers: %q", id, o.Status, len(o.Attempts), o.Error)
		}
	}
	if n := a.verdict.Faults; n < 3 || bystanders == 0 {
		a.s.t.Errorf("%d workers were lost to the poison, with %d other orders; want 3 at least, with some", n, bystanders)
	}
}
