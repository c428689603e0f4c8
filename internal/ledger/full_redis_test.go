package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestFullRedis holds that orders which are in the books already can be changed
// when the memory is full, while no new one is accepted.
func TestFullRedis(t *testing.T) {
	books := open(t)
	a := claim("o1", "a")
	b := claim("o1", "b")
	refused := claim("refused", "a")
	books.do(t, accept(sample("o1")), accept(sample("waiting")), accept(scheduled(sample("later"))), accept(sample("refused")))
	books.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	err := accept(sample("o2"))(t.Context(), books.Ledger)
	if !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("accept answered %v", err)
	}
	books.do(t, begin(a), fail(a), begin(b), settle(b, completed()))
	books.do(t, cancel("waiting", "too late"), cancel("later", ""))
	books.do(t, begin(refused), settle(refused, order.Outcome{Status: order.StatusFailed, Error: "refused"}), retry("refused", "r1"))
}

// TestRedisAway holds that a Redis that is gone or hangs is reported as such,
// within the caller's time.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*redistest.Server){
		"killed": (*redistest.Server).Kill, "frozen": (*redistest.Server).Freeze,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			l := ledger.New(server.Client())
			away(server)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, _, err := ledgertest.Accept(ctx, l, sample("o1"), order.QueueDefault)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("accept answered %v", err)
			}
			_, err = l.Totals(ctx)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("totals answered %v", err)
			}
			_, err = l.Events(ctx, "o1")
			if !errors.Is(err, order.ErrUnavailable) || errors.Is(err, order.ErrNotFound) {
				t.Errorf("events answered %v", err)
			}
			_, _, err = l.EventsAfter(ctx, order.EventID{}, 100, time.Minute)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("events after the first answered %v", err)
			}
			_, _, err = l.Reach(ctx)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("reach answered %v", err)
			}
			_, _, err = l.List(ctx, order.Filter{}, order.Position{}, 10)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("list answered %v", err)
			}
		})
	}
}
