package intake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue/queuetest"
)

// fakeArchive has one order, or fails.
type fakeArchive struct {
	rec order.Record
	err error
}

func (a fakeArchive) Get(context.Context, string) (order.Record, []order.Event, error) {
	return a.rec, nil, a.err
}

// TestSubmitForgotten submits an order again that the ledger has forgotten: its client gets
// the record of the archive, and without it the time of acceptance. An archive that is away
// leaves it open, and one that has another order of this id does not help.
func TestSubmitForgotten(t *testing.T) {
	b := open(t)
	o := ordertest.Order(t, ordertest.WithID("o1"))
	b.submit(o)
	rec, err := b.Cancel(t.Context(), "o1", order.Intervention{})
	queuetest.Must(t, err)
	b.ledger.SetIDTerm(time.Hour)
	if n, err := b.ledger.Books()[0].Forget(t.Context(), time.Now().Add(time.Hour), 10); n != 1 || err != nil {
		t.Fatalf("forgot %d, %v", n, err)
	}
	other := rec
	other.CreatedAt = rec.CreatedAt.Add(time.Second)
	for _, row := range []struct {
		name    string
		archive *fakeArchive
		want    error // nil for the record
	}{
		{"no archive", nil, &order.ForgottenError{AcceptedAt: rec.CreatedAt}},
		{"archived", &fakeArchive{rec: rec}, nil},
		{"not archived", &fakeArchive{err: fmt.Errorf("find: %w", order.ErrNotFound)}, &order.ForgottenError{AcceptedAt: rec.CreatedAt}},
		{"another order archived", &fakeArchive{rec: other}, &order.ForgottenError{AcceptedAt: rec.CreatedAt}},
		{"archive away", &fakeArchive{err: order.ErrUnavailable}, order.ErrUnavailable},
	} {
		if row.archive != nil {
			b.SetArchive(row.archive)
		}
		one, isNew, err := b.Submit(t.Context(), o)
		all := append(b.SubmitAll(t.Context(), []order.Order{o}), order.Acceptance{Record: one, IsNew: isNew, Err: err})
		for _, got := range all {
			var forgotten, want *order.ForgottenError
			switch {
			case row.want == nil:
				if diff := cmp.Diff(rec, got.Record, cmpopts.EquateEmpty()); diff != "" || got.Err != nil || got.IsNew {
					t.Errorf("%s: new: %t, %v, (-want +got):\n%s", row.name, got.IsNew, got.Err, diff)
				}
			case errors.As(row.want, &want):
				if !errors.As(got.Err, &forgotten) || !forgotten.AcceptedAt.Equal(want.AcceptedAt) {
					t.Errorf("%s: %v, want %v", row.name, got.Err, want)
				}
			case !errors.Is(got.Err, row.want):
				t.Errorf("%s: %v, want %v", row.name, got.Err, row.want)
			}
		}
	}
	o.Notes = "other"
	if _, _, err := b.Submit(t.Context(), o); !errors.Is(err, order.ErrConflict) {
		t.Errorf("another order with the id: %v", err)
	}
}
