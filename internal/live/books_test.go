package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/live"
	"orderprocessor/internal/order"
)

// newHub returns a hub over some books and the books.
func newHub(books int) (*live.Hub, []*fakeLedger) {
	fakes := make([]*fakeLedger, books)
	for n := range fakes {
		fakes[n] = newFake()
	}
	return live.New(live.Config{MaxStreams: 10, MaxWaits: 10, Log: slog.New(slog.DiscardHandler)}, fakes), fakes
}

// orderIn returns the id of the n-th order of a book.
func orderIn(book, books, n int) string {
	for i := 0; ; i++ {
		id := fmt.Sprint("o", i)
		if order.BookOf(id, books) != book {
			continue
		}
		if n--; n == 0 {
			return id
		}
	}
}

// wantEvents receives the events of books, each as "book/number", in any order of the books.
func wantEvents(t *testing.T, s *live.Stream, want ...string) {
	t.Helper()
	var got []string
	for began := time.Now(); len(got) < len(want) && time.Since(began) < 10*time.Second; {
		_, b := next(t, s)
		if b.Gap {
			t.Errorf("there is a gap after %v", b.After)
		}
		for position, e := range b.All() {
			n := order.BookOf(e.OrderID, len(position))
			got = append(got, fmt.Sprintf("%d/%d", n, position[n].Time))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestOneBookIsAway delivers the events of two books while the third is away, and those of
// the third when it is back.
func TestOneBookIsAway(t *testing.T) {
	for name, leave := range map[string]func(b *fakeLedger, away bool){
		"refuses":         func(b *fakeLedger, away bool) { b.set(func() { b.away = away }) },
		"does not answer": func(b *fakeLedger, away bool) { b.set(func() { b.silent = away }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h, books := newHub(3)
				defer run(t, h)()
				happen := func(book int) { books[book].happenTo(orderIn(book, 3, 1), order.StatusPending) }
				leave(books[1], true)
				happen(0)
				s := open(t, h, live.Filter{})
				defer s.Close()
				if want := (order.EventPosition{idOf(1), order.UnknownEventID(), {}}); !s.Position().Equal(want) {
					t.Errorf("a stream begins after %v", s.Position())
				}
				happen(0)
				happen(1)
				happen(2)
				wantEvents(t, s, "0/2", "2/1")
				checkWaits(t, h, books)

				leave(books[1], false)
				gap := live.Batch{}
				for began := time.Now(); !gap.Gap && time.Since(began) < 5*time.Second; {
					_, gap = next(t, s)
				}
				if len(gap.Events) > 0 || !gap.After.Equal(order.EventPosition{idOf(3), order.UnknownEventID(), idOf(1)}) ||
					!gap.Position.Equal(order.EventPosition{idOf(3), idOf(1), idOf(1)}) {
					t.Errorf("when it is back there is %+v", gap)
				}
				happen(1)
				wantEvents(t, s, "1/2")

				leave(books[1], true)
				time.Sleep(5 * time.Second)
				again := open(t, h, live.Filter{}, gap.Position...)
				defer again.Close()
				happen(0)
				happen(1)
				for _, stream := range []*live.Stream{s, again} {
					began := time.Now()
					wantEvents(t, stream, "0/4")
					if took := time.Since(began); took > 10*time.Millisecond {
						t.Errorf("an event takes %v while another book is away", took)
					}
				}
				leave(books[1], false)
				wantEvents(t, s, "1/3")
				wantEvents(t, again, "1/2", "1/3")
			})
		})
	}
}

// checkWaits checks that waits for orders of the first book go on, while those for the
// second cannot begin.
func checkWaits(t *testing.T, h *live.Hub, books []*fakeLedger) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	settled, stop, err := h.Await(ctx, orderIn(0, 3, 7))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	books[0].happenTo(orderIn(0, 3, 7), order.StatusCompleted)
	<-settled
	if _, _, err := h.Await(ctx, orderIn(1, 3, 7)); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("a wait in the other book: %v", err)
	}
}

// TestWaitReadsItsBook reads no book but that of the order while there are only waits.
func TestWaitReadsItsBook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, books := newHub(3)
		defer run(t, h)()
		_, stop, err := h.Await(t.Context(), orderIn(1, 3, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		time.Sleep(10 * time.Second)
		if books[0].readings() > 0 || books[1].readings() == 0 || books[2].readings() > 0 {
			t.Errorf("the books are read %d, %d and %d times", books[0].readings(), books[1].readings(), books[2].readings())
		}
	})
}

// TestManyBooksAreIdle reads many books without events not much more often than one, and
// notices all the same that one has lost what was delivered.
func TestManyBooksAreIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, books := newHub(order.MaxBooks)
		defer run(t, h)()
		s := open(t, h, live.Filter{})
		defer s.Close()
		books[9].happenTo(orderIn(9, order.MaxBooks, 1), order.StatusPending)
		wantEvents(t, s, "9/1")
		time.Sleep(time.Minute)
		reads := 0
		for _, b := range books {
			reads += b.readings()
		}
		if reads > 62*order.MaxBooks {
			t.Errorf("%d books are read %d times in a minute", order.MaxBooks, reads)
		}
		books[9].set(func() { books[9].events = nil })
		time.Sleep(15 * time.Second)
		if _, b := next(t, s); !b.Gap || b.After[9] != idOf(1) || b.Position[9] != idOf(0) {
			t.Errorf("then comes %+v", b)
		}
	})
}
