package prove

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"orderprocessor/internal/client"
)

// wrongOrder is an order that the API has to refuse.
type wrongOrder struct {
	id      string
	body    []byte
	sent    time.Duration // since the beginning
	answer  error         // nil for 2xx, or before it is sent
	refused bool          // with 400, for reasons
	found   error         // what a later read answered; nil if it found the order
	read    bool
}

func (r *run) newWrongOrder(n int) *wrongOrder {
	w := &wrongOrder{id: fmt.Sprintf("%swrong-%04d", r.Prefix(), n+1)}
	s := r.sample(w.id, n)
	switch n % 3 {
	case 0:
		s.Amount = "-1.00"
	case 1:
		s.Items = nil
	default:
		s.Address = "\u0007"
	}
	w.body = s.json()
	return w
}

// sendWrongOrders sends them evenly over the time.
func (r *run) sendWrongOrders(ctx context.Context) {
	for _, w := range r.wrong {
		w.sent = r.recorder.Now()
		_, _, w.answer = r.API.SubmitKeyed(ctx, w.body, "")
		w.refused = client.HasStatus(w.answer, http.StatusBadRequest)
		if client.Wait(ctx, r.For/time.Duration(len(r.wrong)+1)) != nil {
			return
		}
	}
}

// readWrongOrders looks whether an order was left behind.
func (r *run) readWrongOrders(ctx context.Context) {
	for _, w := range r.wrong {
		if w.refused && r.known(ctx, func() bool {
			_, w.found = r.API.Order(ctx, w.id)
			return w.found == nil || client.HasStatus(w.found, http.StatusNotFound)
		}) {
			w.read = true
		}
	}
}
