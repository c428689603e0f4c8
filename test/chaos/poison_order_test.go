package chaos_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestPoisonOrders has the shop fail for every other order. The breaker stays closed, and
// the other orders complete as if nothing were wrong.
func TestPoisonOrders(t *testing.T) {
	s := open(t, "u the shop fails for every other order")
	var mended atomic.Bool
	s.shop.respond = func(id string, call int) reply {
		if strings.HasPrefix(id, "poison-") && !mended.Load() {
			return reply{Status: http.StatusInternalServerError}
		}
		return acceptAll(id, call)
	}
	s.addAPIs(1)
	s.addWorkers(2)
	s.faults.Add(1)
	w := s.watchShop()
	s.whileSubmitting(8, shopLoad, goodOrPoison, func() { wait(shortOrLong(15*time.Second, 30*time.Second)) })
	mended.Store(true)
	a := s.conclude()
	w.checkNeverOpen()
	a.checkGood(shortOrLong(30*time.Second, 3*time.Second))
}

func goodOrPoison(n int) submission {
	return plain(fmt.Sprintf("%s-%06d", [...]string{"good", "poison"}[n%2], n), n)
}

// checkGood wants the good orders to have completed soon, each at its first attempt.
func (a *audit) checkGood(within time.Duration) {
	a.s.t.Helper()
	var took []time.Duration
	for id, o := range a.listed {
		if !strings.HasPrefix(id, "good-") {
			continue
		}
		took = append(took, o.ProcessedAt.Sub(o.CreatedAt))
		if len(o.Attempts) != 1 {
			a.s.t.Errorf("order %s had %d attempts: %+v", id, len(o.Attempts), o.Attempts)
		}
	}
	slices.Sort(took)
	a.s.t.Logf("%d good orders completed after p50 %v, max %v", len(took), percentile(took, 50), percentile(took, 100))
	if last := percentile(took, 100); last > within {
		a.s.t.Errorf("the last good order completed after %v, want %v", last, within)
	}
}
