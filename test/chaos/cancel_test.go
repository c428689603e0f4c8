package chaos_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestCancelAfterLostAttempts cancels every order that is retrying, again and again,
// while calls to the shop break, are accepted without an answer, and lose their worker:
// the auditor finds each order that was cancelled although the shop accepted it.
func TestCancelAfterLostAttempts(t *testing.T) {
	total, kills := shortOrLong(2_000, 50_000), shortOrLong(4, 50)
	s := open(t, "8a orders are cancelled after lost attempts")
	s.shop.respond = unreliable
	s.addAPIs(1)
	s.addWorkers(2)
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var sending, cancelling sync.WaitGroup
	var cancelled, refused atomic.Int64
	cancelling.Go(func() { s.cancelRetrying(ctx, &cancelled, &refused) })
	sending.Go(func() { s.client.submitAll(total, 12, withdrawable) })
	s.hitWorkers(s.moments(kills, total), func(n int, hit *instance) {
		if n%2 == 0 {
			hit.kill()
		} else {
			hit.stop()
		}
	})
	sending.Wait()
	s.awaitRest()
	enough()
	cancelling.Wait()
	s.conclude()
	t.Logf("%d cancels were answered 200, %d because the shop may have the order", cancelled.Load(), refused.Load())
	if cancelled.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d cancels were answered 200 and %d were refused; want some of each", cancelled.Load(), refused.Load())
	}
}

// withdrawable is an order that completes unless it is cancelled.
func withdrawable(n int) submission {
	o := plain(fmt.Sprintf("order-%06d", n), n)
	o.Ends = ""
	return o
}

// unreliable is a shop whose first calls often bring no answer, whether or not it accepted
// the order.
func unreliable(id string, call int) reply {
	r := reply{Status: http.StatusOK, After: 20 * time.Millisecond}
	if call > 1 {
		return r
	}
	switch id[len(id)-1] {
	case '0', '1':
		r.Mute = true
	case '2':
		r.Status = 0
	case '3', '4':
		r.Status = http.StatusServiceUnavailable
	}
	return r
}

// cancelRetrying cancels what is retrying until ctx ends, and counts the verdicts.
func (s *system) cancelRetrying(ctx context.Context, cancelled, refused *atomic.Int64) {
	for ctx.Err() == nil {
		orders, _ := s.list("status=retrying&limit=50")
		for _, o := range orders {
			got := s.send("/orders/"+o.ID+"/cancel", "")
			switch {
			case got.Code == http.StatusOK:
				cancelled.Add(1)
			case got.Code == http.StatusConflict && bytes.Contains(got.Body, []byte(`"tag:orderprocessor,2026:order-outcome-unknown"`)):
				refused.Add(1)
			}
		}
		wait(5 * time.Millisecond)
	}
}
