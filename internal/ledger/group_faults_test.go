package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestGroupWithADamagedOrder holds that an order whose record cannot be read fails
// alone, wherever it stands among others.
func TestGroupWithADamagedOrder(t *testing.T) {
	t.Parallel()
	damaged := ledgertest.RecordKey("damaged")
	for _, place := range []int{0, 2, 4} {
		for name, change := range map[string]func(id string) call{
			"begin": func(id string) call { return beginning(id, "a") },
			"get":   getting,
		} {
			t.Run(fmt.Sprintf("%s, place %d", name, place), func(t *testing.T) {
				g := group(t)
				g.rdb.Set(t.Context(), damaged, "not a record", 0)
				t.Cleanup(func() { g.rdb.Del(context.Background(), damaged) })
				calls := make([]call, 5)
				for i := range calls {
					id := fmt.Sprint("o", i)
					if i == place {
						id = "damaged"
					} else {
						g.do(t, accept(sample(id)))
					}
					calls[i] = change(id)
				}
				for i, heard := range g.together(t, change("nobody"), calls...) {
					if bad := strings.Contains(heard.Err, "WRONGTYPE"); bad != (i == place) || bad != (heard.Err != "") {
						t.Errorf("call %d was told %+v", i, heard)
					}
				}
				for i := range calls {
					if id := fmt.Sprint("o", i); i != place && name == "begin" && g.get(t, id).Status != order.StatusProcessing {
						t.Errorf("order %s is %s", id, g.get(t, id).Status)
					}
				}
			})
		}
	}
}

// TestGroupWithADamagedIndex holds that of many new orders only those fail whose
// customer's index is no index, and that nothing of them is in the books.
func TestGroupWithADamagedIndex(t *testing.T) {
	b := open(t)
	b.do(t, accept(of("grace", sample("before"))))
	index := ""
	for _, key := range b.rdb.Keys(t.Context(), ledgertest.CustomerKeys).Val() {
		index = key
	}
	if err := b.rdb.Rename(t.Context(), index, "kept").Err(); err != nil {
		t.Fatal(err)
	}
	b.rdb.Set(t.Context(), index, "not an index", 0)
	answers, err := b.AcceptAll(t.Context(), entries(sample("o1"), of("grace", sample("o2")), sample("o3")))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if failed := a.Err != nil; failed != (i == 1) || a.IsNew == failed {
			t.Errorf("order %d: %+v", i+1, a)
		}
	}
	if _, err := b.Get(t.Context(), "o2"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("the refused order: %v", err)
	}
	b.rdb.Rename(t.Context(), "kept", index)
}

// TestGroupFaults breaks the script of a group in both ways a network can. All its
// callers hear of it, and when they come again the books are as if nothing had been.
func TestGroupFaults(t *testing.T) {
	t.Parallel()
	before := []step{accept(sample("o1")), accept(sample("o2")), begin(claim("o1", "a")), begin(claim("o2", "a"))}
	rows := []struct {
		name  string
		first call
		calls []call
	}{
		{"settle", settling("nobody", "a", completed()), []call{
			settling("o1", "a", completed()), settling("o2", "a", outOfStock()), settling("o1", "a", completed()),
		}},
		{"fail", failing("nobody", "a"), []call{failing("o1", "a"), failing("o2", "a")}},
		{"begin", beginning("nobody", "a"), []call{beginning("o1", "b"), beginning("o2", "b")}},
	}
	for _, row := range rows {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				grouped, single := group(t), &grouping{bundle: newBundle(t)}
				grouped.do(t, before...)
				single.do(t, before...)
				want := single.alone(t, row.calls...)
				grouped.breaker.Break(fault, redistest.Script(ledgertest.RecordKey("o1")))
				for i, heard := range grouped.together(t, row.first, row.calls...) {
					if !strings.Contains(heard.Err, order.ErrUnavailable.Error()) {
						t.Errorf("call %d was told %+v", i, heard)
					}
				}
				if grouped.breaker.Fired() != 1 {
					t.Fatalf("%d scripts were broken", grouped.breaker.Fired())
				}
				if diff := cmp.Diff(want, grouped.together(t, row.first, row.calls...), ignoreTimes); diff != "" {
					t.Errorf("the repeat was answered (-alone +together):\n%s", diff)
				}
				if diff := cmp.Diff(single.pages(t), grouped.pages(t), ignoreTimes); diff != "" {
					t.Errorf("the books say (-alone +together):\n%s", diff)
				}
			})
		}
	}
}

// TestGroupOnAFullRedis holds that a group of known orders is changed when memory is
// full, and that of a batch only the orders fail which are new.
func TestGroupOnAFullRedis(t *testing.T) {
	g := group(t)
	g.do(t, accept(sample("o1")), accept(sample("o2")), accept(sample("o3")))
	g.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	for i, heard := range append(
		g.together(t, beginning("nobody", "a"), beginning("o1", "a"), beginning("o2", "a"), beginning("o3", "a")),
		g.together(t, settling("nobody", "a", completed()), settling("o1", "a", completed()), settling("o2", "a", completed()))...,
	) {
		if heard.Err != "" {
			t.Errorf("change %d was told %+v", i, heard)
		}
	}
	answers, err := g.AcceptAll(t.Context(), entries(sample("o1"), sample("new"), sample("o3"), sample("newer")))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if isNew := i%2 == 1; isNew != errors.Is(a.Err, order.ErrUnavailable) || a.IsNew || !isNew && a.Record.ID == "" {
			t.Errorf("order %d: %+v", i+1, a)
		}
	}
	if n := g.totals(t).Accepted; n != 3 {
		t.Errorf("%d orders are accepted", n)
	}
}

// TestGivingUpInAGroup holds that a caller whose time is over hears so at once,
// while its change waits behind a Redis that hangs, and that the change is not made.
func TestGivingUpInAGroup(t *testing.T) {
	g := group(t)
	g.do(t, accept(sample("o1")))
	shut := g.gate.shut()
	var all sync.WaitGroup
	all.Go(func() { _, _ = beginning("nobody", "a")(t.Context(), g.grouped) })
	<-shut.reached
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := g.grouped.Begin(ctx, claim("o1", "a")); !errors.Is(err, order.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who gave up was told %v", err)
	}
	close(shut.opened)
	all.Wait()
	if _, err := g.grouped.Begin(t.Context(), claim("o1", "b")); err != nil {
		t.Error(err)
	}
	if rec := g.get(t, "o1"); len(rec.Attempts) != 1 || rec.Attempts[0].Worker != "worker-b" {
		t.Errorf("the order has the attempts %+v", rec.Attempts)
	}
}

// TestGroupWithAGarbledOrder holds that an order whose record lacks what every record
// has fails alone too, and leaves nothing in the books of the others.
func TestGroupWithAGarbledOrder(t *testing.T) {
	t.Parallel()
	for name, field := range map[string]string{
		"no time of acceptance": "c", "no sequence": "v", "no queue": "q",
	} {
		t.Run(name, func(t *testing.T) {
			g := group(t)
			g.do(t, accept(sample("o1")), accept(sample("garbled")), accept(sample("o2")))
			record := ledgertest.RecordKey("garbled")
			kept := g.rdb.HGet(t.Context(), record, field).Val()
			g.rdb.HDel(t.Context(), record, field)
			heard := g.together(t, beginning("nobody", "a"), beginning("o1", "a"), beginning("garbled", "a"), beginning("o2", "a"))
			if heard[0].Err != "" || heard[1].Err == "" || heard[2].Err != "" {
				t.Errorf("heard %+v", heard)
			}
			g.rdb.HSet(t.Context(), record, field, kept)
			if s := g.get(t, "garbled").Status; s != order.StatusPending {
				t.Errorf("the garbled order is %s", s)
			}
			if totals := g.totals(t); totals.ByStatus[order.StatusProcessing] != 2 {
				t.Errorf("counted as %v", totals.ByStatus)
			}
		})
	}
}
