package archive_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
)

// TestErase erases a customer in batches.
func TestErase(t *testing.T) {
	t.Parallel()
	personal := func(rec *order.Record) {
		rec.Notes, rec.Metadata = "Ring at Lovelace.", map[string]string{"gift": "to Byron"}
	}
	onBoth(t, func(t *testing.T, b *bundle) {
		other, open := completed("other", of("Ada lovelace"), personal), completed("open", unsettled, personal)
		b.put(t, other, open, completed("a", personal, tagged("vip")), completed("b", personal), failed("c", "no", personal))
		for _, want := range []int{2, 1, 0, 0} {
			if erased, left, err := b.Erase(t.Context(), "Ada Lovelace", 2); erased != want || left != 1 || err != nil {
				t.Errorf("erased %d, want %d, and left %d (%v)", erased, want, left, err)
			}
		}
		b.wants(t, other)
		b.wants(t, open)
		want := completed("a", personal, tagged("vip"), of(order.ErasedText))
		want.Record.Address, want.Record.Notes, want.Record.Metadata = order.ErasedText, order.ErasedText, map[string]string{"gift": order.ErasedText}
		b.wants(t, want)
		for _, word := range []string{"Lovelace", "Byron", "James"} {
			b.nowhere(t, word, 3)
		}
		if got := b.found(t, order.Filter{Customer: order.ErasedText, Further: order.Further{Tag: "vip", Metadata: map[string]string{"gift": order.ErasedText}}}, 9); len(got) != 1 {
			t.Errorf("found %v", got)
		}
		b.put(t, completed("a", personal)) // a batch that comes again
		b.wants(t, want)
		for _, customer := range []string{"%", "' OR 1=1", order.ErasedText, ""} {
			if erased, _, err := b.Erase(t.Context(), customer, archive.MaxErased); erased != 0 || err != nil {
				t.Errorf("erased %d orders of %q (%v)", erased, customer, err)
			}
		}
	})
}

// nowhere checks that a word is in so many fewer orders than there are, and in no label
// of the others.
func (b *bundle) nowhere(t *testing.T, word string, erased int) {
	t.Helper()
	all, err := b.Count(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	n, err := b.Count(t.Context(), "orders WHERE record || customer || events LIKE '%"+word+"%'")
	if err != nil || n > all-erased {
		t.Errorf("%q is in %d of %d orders (%v)", word, n, all, err)
	}
	n, err = b.Count(t.Context(), "labels WHERE value LIKE '%"+word+"%'")
	if err != nil || n > all-erased {
		t.Errorf("%q is in %d labels (%v)", word, n, err)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		for n := range 5 {
			b.put(t, completed(fmt.Sprint("o", n), acceptedAt(day.Add(time.Duration(n)*time.Hour)), tagged("vip")))
		}
		b.put(t, completed("open", unsettled, acceptedAt(day), unsettled))
		before := day.Add(3*time.Hour + time.Second) // when the fourth was settled
		for _, want := range []int{2, 1, 0} {
			if n, err := b.Forget(t.Context(), before, 2); n != want || err != nil {
				t.Errorf("forgot %d, want %d (%v)", n, want, err)
			}
		}
		if got := strings.Join(b.found(t, order.Filter{}, 9), " "); got != "o4 o3 open" {
			t.Errorf("left %s", got)
		}
		b.count(t, 3, 2)
		if _, _, err := b.Get(t.Context(), "o2"); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("a forgotten order: %v", err)
		}
	})
}
