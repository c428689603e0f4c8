package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
	"orderprocessor/internal/stats"
)

// TestFullRedis checks that when memory is full, no new order is accepted, alone or among
// known ones, while known orders can be updated, alone and in a batch, and recovery can
// lead, end attempts and forget: that frees memory. Workers may go on calling the shop, and
// samples show it.
func TestFullRedis(t *testing.T) {
	b := openBatching(t)
	x, y, failed, lostOne := claim("o1", "x"), claim("o1", "y"), claim("failed", "x"), claim("lost", "x")
	a2, a3 := claim("o2", "a"), claim("o3", "a")
	for _, id := range []string{"o1", "o2", "o3", "waiting", "failed", "lost"} {
		b.do(t, accept(sample(id)))
	}
	b.do(t, accept(scheduled(sample("later"))))
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1")

	if err := accept(sample("new")).run(t.Context(), b.Ledger); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("a new order answered %v", err)
	}
	all, err := b.AcceptAll(t.Context(), entries(sample("o1"), sample("new"), sample("o3"), sample("newer")))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range all {
		if isNew := i%2 == 1; isNew != errors.Is(a.Err, order.ErrUnavailable) || a.IsNew || !isNew && a.Record.ID == "" {
			t.Errorf("order %d: %+v", i, a)
		}
	}
	b.do(t, begin(x), fail(x), begin(y), settle(y, completed()), cancel("waiting", "too late"), cancel("later", ""))
	b.do(t, begin(failed), settle(failed, refused()), retry("failed", "r1"))
	for i, a := range append(b.together(t, begin(a2), begin(a3)), b.together(t, settle(a2, completed()), settle(a3, completed()))...) {
		if a.Err != "" {
			t.Errorf("update %d answered %+v", i, a)
		}
	}
	if p := b.report(t, takes(1)); p.Calls >= 0 {
		t.Errorf("the circuit breaker answers %+v", p)
	}
	if duty, err := b.Books()[0].Lead(t.Context(), "w1", time.Hour, time.Hour); !duty.Leads || err != nil {
		t.Errorf("leads: %+v, %v", duty, err)
	}
	must(t, b.SaveSample(t.Context(), sampleAt(time.Unix(60, 0), 1), stats.Verdict{Cause: stats.CauseMemory, What: "Redis is nearly full"}))
	b.do(t, begin(lostOne), quarantine("lost"), lost("lost", 1))
	if n, err := b.Books()[0].Forget(t.Context(), time.Now().Add(time.Hour), 10); n != 5 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	if n := b.totals(t).Accepted; n != 7 {
		t.Errorf("%d orders are accepted", n)
	}
}

// TestFullRedisWithArchive checks that marks do not keep a full Redis from emptying: orders
// are settled, archived, even all again, and forgotten.
func TestFullRedisWithArchive(t *testing.T) {
	b, _ := archived(t)
	c := claim("o1", "a")
	b.do(t, accept(sample("o1")), accept(sample("o2")))
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	b.do(t, begin(c), settle(c, completed()))
	if !b.confirm(t, b.due(t), "archive", 1) {
		t.Error("a new archive is not noticed")
	}
	if more, err := b.MarkAll(t.Context()); !more || err != nil {
		t.Errorf("marking all: %t, %v", more, err)
	}
	b.confirm(t, b.due(t), "archive", 2)
	if n, err := b.Books()[0].Forget(t.Context(), time.Now().Add(time.Hour), 10); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
}

// TestRedisAway checks that a Redis that is gone or hangs is reported as such, within the
// caller's time.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*redistest.Server){
		"killed": (*redistest.Server).Kill, "frozen": (*redistest.Server).Freeze,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			l := ledger.New(server.Client())
			stop(server)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			for name, call := range map[string]func() (any, error){
				"accept": func() (any, error) { return l.AcceptAll(ctx, entries(sample("o1"))) },
				"totals": func() (any, error) { return l.Totals(ctx) },
				"events": func() (any, error) { return l.Events(ctx, "o1") },
				"events after the first": func() (any, error) {
					events, _, err := l.Books()[0].EventsAfter(ctx, order.EventID{}, 100, time.Minute)
					return events, err
				},
				"reach": func() (any, error) {
					oldest, _, err := l.Books()[0].Reach(ctx)
					return oldest, err
				},
				"list": func() (any, error) {
					records, _, err := l.List(ctx, order.Filter{}, order.Position{}, 10)
					return records, err
				},
			} {
				if _, err := call(); !errors.Is(err, order.ErrUnavailable) || errors.Is(err, order.ErrNotFound) {
					t.Errorf("%s answered %v", name, err)
				}
			}
		})
	}
}
