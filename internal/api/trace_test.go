package api_test

import (
	"context"
	"testing"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
	"orderprocessor/internal/requestid"
)

// asking is an intake that keeps the ids of the requests it is asked by.
type asking struct {
	api.Intake
	ids []string
}

func (a *asking) Take(ctx context.Context, o order.Order) (order.Record, bool, error) {
	a.ids = append(a.ids, requestid.Of(ctx))
	return order.Record{Order: o, Status: order.StatusPending, Queue: order.QueueDefault}, true, nil
}

// TestRequestIDOf is known wherever the request's context is, and nowhere else.
func TestRequestIDOf(t *testing.T) {
	t.Parallel()
	in := &asking{}
	s := serve(t, taking(in))
	for _, id := range []string{"r-1", "r-2"} {
		s.ask(t, "POST", "/orders", body(), "X-Request-Id", id).object(t, 201)
	}
	if len(in.ids) != 2 || in.ids[0] != "r-1" || in.ids[1] != "r-2" {
		t.Errorf("the ids are %q", in.ids)
	}
	if id := requestid.Of(t.Context()); id != "" {
		t.Errorf("no request has the id %q", id)
	}
}
