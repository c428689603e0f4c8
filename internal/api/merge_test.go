package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

// placed is an order of the model.
type placed struct {
	order.Record
	kept     bool         // in the ledger
	archived bool         // in the archive
	was      order.Status // in the archive
}

// world is a ledger and an archive. Their lists end early at times, as the real ones do.
type world struct {
	Records
	orders []placed
	rapid  *rapid.T
}

func (w *world) list(f order.Filter, after order.Position, limit int, in func(placed) (order.Record, bool)) ([]order.Record, order.Position, error) {
	var all []order.Record
	for _, o := range w.orders {
		if rec, is := in(o); is && (f.Status == "" || rec.Status == f.Status) && (after.IsZero() || after.Compare(found{Record: rec}.position()) < 0) {
			all = append(all, rec)
		}
	}
	slices.SortFunc(all, func(a, b order.Record) int { return found{Record: a}.position().Compare(found{Record: b}.position()) })
	n := rapid.IntRange(1, limit).Draw(w.rapid, "how much of a page")
	if n >= len(all) {
		return all, order.Position{}, nil
	}
	return all[:n], found{Record: all[n-1]}.position(), nil
}

func (w *world) List(_ context.Context, f order.Filter, after order.Position, limit int) ([]order.Record, order.Position, error) {
	return w.list(f, after, limit, func(o placed) (order.Record, bool) { return o.Record, o.kept })
}

func (w *world) Get(_ context.Context, id string) (order.Record, error) {
	for _, o := range w.orders {
		if o.kept && o.ID == id {
			return o.Record, nil
		}
	}
	return order.Record{}, order.ErrNotFound
}

// memory is the archive of a world.
type memory struct {
	Archive
	*world
}

func (m memory) Search(_ context.Context, f order.Filter, after order.Position, limit int) ([]order.Record, order.Position, error) {
	return m.list(f, after, limit, func(o placed) (order.Record, bool) {
		o.Status = o.was
		return o.Record, o.archived
	})
}

func (m memory) Get(context.Context, string) (order.Record, []order.Event, error) {
	return order.Record{}, nil, errors.New("not needed")
}

// anyWorld has orders of few times and ids, so that ids and times are used again. The
// archive may be behind on orders that the ledger has.
func anyWorld(t *rapid.T) *world {
	w := &world{rapid: t}
	ended := []order.Status{order.StatusFailed, order.StatusCompleted}
	now := map[string]bool{} // ids that the ledger has
	for tick := range 4 {
		for _, id := range []string{"a", "b", "c"} {
			o := placed{Record: order.Record{
				Order: order.Order{ID: id}, CreatedAt: time.UnixMicro(int64(4 - tick)).UTC(), Status: rapid.SampledFrom(ended).Draw(t, "status"),
			}}
			switch rapid.IntRange(0, 3).Draw(t, "where") {
			case 0:
				continue
			case 1:
				o.archived, o.was = true, o.Status
			case 2:
				o.kept = !now[id]
			default:
				o.kept = !now[id]
				o.archived, o.was = true, o.Status
				if o.kept {
					o.was = rapid.SampledFrom(append(ended, order.StatusPending)).Draw(t, "was")
				}
			}
			now[id] = now[id] || o.kept
			w.orders = append(w.orders, o)
		}
	}
	return w
}

// TestPagesAgainstModel walks the pages of both places and compares them with one list.
func TestPagesAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := anyWorld(t)
		s := &Server{Parts: Parts{Records: w, Archive: memory{world: w}}}
		f := order.Filter{Status: rapid.SampledFrom([]order.Status{"", order.StatusFailed}).Draw(t, "filter")}
		var want, got []string
		for _, o := range w.orders {
			if (o.kept || o.archived) && (f.Status == "" || o.Status == f.Status) {
				want = append(want, fmt.Sprint(5-o.CreatedAt.UnixMicro(), 'z'-o.ID[0], o.ID, o.Status, !o.kept))
			}
		}
		slices.Sort(want)
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		after := order.Position{}
		for more := true; more; more = !after.IsZero() {
			p, err := s.page(t.Context(), f, after, limit, time.Minute)
			if err != nil || len(p.orders) > limit || !p.next.IsZero() && !after.IsZero() && after.Compare(p.next) >= 0 {
				t.Fatalf("after %v a page of %d orders, then %v, %v", after, len(p.orders), p.next, err)
			}
			for _, o := range p.orders {
				got = append(got, fmt.Sprint(5-o.CreatedAt.UnixMicro(), 'z'-o.ID[0], o.ID, o.Status, o.archived))
			}
			after = p.next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
