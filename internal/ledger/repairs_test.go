package ledger_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestLost checks what the end of a lost attempt does to its order.
func TestLost(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	begun := accepted(begin(a))
	twice := accepted(begin(a), lost("o1", 1), begin(b), lost("o1", 2), begin(claim("o1", "c")))
	then := func(before []step, s ...step) []step { return slices.Concat(before, s) }
	withCandidate, tooOld := seen(3), order.LostAttempt{Number: 1, SeenAt: time.Now().Add(-time.Minute)}
	withCandidate.WithCandidate = true
	const processing, retrying, failed = order.StatusProcessing, order.StatusRetrying, order.StatusFailed
	second := order.Loss{Ended: true, WorkersLost: 2}
	last := order.Loss{Ended: true, Failed: true, WorkersLost: 3}
	rows := []struct {
		name    string
		before  []step
		attempt order.LostAttempt
		want    order.Loss
		status  order.Status
	}{
		{"an open attempt", begun, seen(1), order.Loss{Ended: true, WorkersLost: 1}, retrying},
		{"one that ended", then(begun, fail(a)), seen(1), order.Loss{}, retrying},
		{"one that was ended so", then(begun, lost("o1", 1)), seen(1), order.Loss{WorkersLost: 1}, retrying},
		{"one that a newer one has followed", then(begun, fail(a), begin(b)), seen(1), order.Loss{}, processing},
		{"none", accepted(), seen(1), order.Loss{}, order.StatusPending},
		{"of a settled order", refuse(a), seen(1), order.Loss{}, failed},
		{"the third worker", twice, seen(3), second, retrying},
		{"the third worker, while another order is in quarantine", then(twice, quarantine("o2")), seen(3), second, retrying},
		{"the third worker, in quarantine, with another candidate", then(twice, quarantine("o1")), withCandidate, second, retrying},
		{"an attempt begun since", begun, tooOld, order.Loss{}, processing},
		{"the third worker, in quarantine", then(twice, quarantine("o1")), seen(3), last, failed},
		{"the same when go-redis repeats the call", then(twice, quarantine("o1"), lost("o1", 3)), seen(3), last, failed},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.do(t, row.before...)
			got, err := b.Books()[0].Lost(t.Context(), "o1", row.attempt)
			if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			rec := b.get(t, "o1")
			if rec.Status != row.status || rec.WorkersLost != row.want.WorkersLost {
				t.Errorf("the order is %s and has lost %d workers", rec.Status, rec.WorkersLost)
			}
			b.totals(t)
		})
	}
}

// TestLostWorkerIsStale checks that a worker that counts as lost, but is alive,
// changes nothing any more.
func TestLostWorkerIsStale(t *testing.T) {
	b := open(t)
	a := claim("o1", "a")
	b.do(t, accepted(begin(a), lost("o1", 1))...)
	if err := b.Settle(t.Context(), a, completed()); !errors.Is(err, order.ErrStale) {
		t.Errorf("settle answered %v", err)
	}
	if err := b.Fail(t.Context(), a, order.Failure{Error: "busy", RetryIn: time.Second}); !errors.Is(err, order.ErrStale) {
		t.Errorf("fail answered %v", err)
	}
	rec := b.get(t, "o1")
	if rec.Status != order.StatusRetrying || rec.Error != "worker was lost" || rec.NextAttemptAt.IsZero() {
		t.Errorf("the order is %+v", rec)
	}
	b.do(t, begin(claim("o1", "b")), settle(claim("o1", "b"), completed()))
	if rec := b.get(t, "o1"); len(rec.Attempts) != 2 || rec.Attempts[0].Error != "worker was lost" {
		t.Errorf("attempts are %+v", rec.Attempts)
	}
}

// TestLead checks that one process leads until its term is over, and keeps leading
// while it asks.
func TestLead(t *testing.T) {
	b := open(t)
	lead := func(name string, term time.Duration, want bool) {
		t.Helper()
		got, err := b.Books()[0].Lead(t.Context(), name, term, time.Hour)
		if err != nil || got.Leads != want {
			t.Errorf("%s leads: %+v, %v, want %t", name, got, err, want)
		}
	}
	lead("w1", time.Hour, true)
	lead("w2", time.Hour, false)
	lead("w1", time.Millisecond, true)
	deadline := time.Now().Add(5 * time.Minute)
	for {
		got, err := b.Books()[0].Lead(t.Context(), "w2", time.Hour, time.Hour)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("w2 does not lead: %v", err)
		}
		if got.Leads {
			break
		}
	}
	lead("w1", time.Hour, false)
}

// TestRepaired counts by kind, and a repeated call once.
func TestRepaired(t *testing.T) {
	b := open(t)
	b.do(t,
		repaired(order.RepairOrphan, "x"), repaired(order.RepairOrphan, "x"), repaired(order.RepairOrphan, "y"),
		repaired(order.RepairCorruptTask, "x"), accept(sample("o1")), requeued("o1", "z"))
	want := map[order.Repair]int64{order.RepairOrphan: 4, order.RepairCorruptTask: 2, order.RepairMissingTask: 1}
	if diff := cmp.Diff(want, b.totals(t).Repairs); diff != "" {
		t.Errorf("repairs (-want +got):\n%s", diff)
	}
}

// TestQuarantine checks that one order at a time is in quarantine, for its term or until
// that is ended.
func TestQuarantine(t *testing.T) {
	b := open(t)
	wantQuarantined := func(want string) {
		t.Helper()
		if got, err := b.Books()[0].Quarantined(t.Context()); got != want || err != nil {
			t.Errorf("%q is in quarantine, %v, want %q", got, err, want)
		}
	}
	wantQuarantined("")
	for _, row := range []struct{ id, end, want string }{
		{"o1", "", "o1"}, {"o2", "", "o1"}, {"o1", "", "o1"}, {"o2", "o2", "o1"}, {"o2", "o1", "o2"},
	} {
		for range 2 {
			if err := b.Books()[0].EndQuarantine(t.Context(), row.end); err != nil {
				t.Error(err)
			}
		}
		if got, err := b.Books()[0].Quarantine(t.Context(), row.id, time.Hour); got != row.want || err != nil {
			t.Errorf("quarantine %s: %q, %v, want %q", row.id, got, err, row.want)
		}
		wantQuarantined(row.want)
	}
	if ttl := b.rdb.PTTL(t.Context(), ledgertest.QuarantineKey).Val(); ttl <= 0 || ttl > time.Hour {
		t.Errorf("it lasts %v", ttl)
	}
}

// TestBeginCountsLosses checks that a worker counts whose loss is found by the next one,
// but never as the last, and that an operator's retry starts the count at zero.
func TestBeginCountsLosses(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")))
	for i, want := range []int{0, 1, 2} {
		b.do(t, begin(claim("o1", string(rune('a'+i)))))
		if n := b.get(t, "o1").WorkersLost; n != want {
			t.Errorf("after %d begins %d workers are lost, want %d", i+1, n, want)
		}
	}
	d := claim("o1", "d")
	b.do(t, exhausted(d))
	if n := b.get(t, "o1").WorkersLost; n != 2 {
		t.Errorf("%d workers are lost", n)
	}
	b.do(t, settle(d, refused()), retry("o1", "r"))
	if n := b.get(t, "o1").WorkersLost; n != 0 {
		t.Errorf("%d workers are lost after a retry", n)
	}
}
