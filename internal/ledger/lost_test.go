package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

// TestLost checks what ending a lost attempt does to an order.
func TestLost(t *testing.T) {
	t.Parallel()
	a, failed := claim("o1", "a"), order.Outcome{Status: order.StatusFailed, Error: "refused"}
	twice := []step{accept(sample("o1")), begin(a), lost("o1", 1), begin(claim("o1", "b")), lost("o1", 2), begin(claim("o1", "c"))}
	shared := seen(3)
	shared.WithCandidate = true
	rows := []struct {
		name    string
		before  []step
		attempt order.LostAttempt
		want    order.Loss
		status  order.Status
	}{
		{"an open attempt", []step{accept(sample("o1")), begin(a)}, seen(1), order.Loss{Ended: true, WorkersLost: 1}, order.StatusRetrying},
		{"one that ended", []step{accept(sample("o1")), begin(a), fail(a)}, seen(1), order.Loss{}, order.StatusRetrying},
		{"one that was ended so", []step{accept(sample("o1")), begin(a), lost("o1", 1)}, seen(1), order.Loss{WorkersLost: 1}, order.StatusRetrying},
		{"one that a newer one has followed", []step{accept(sample("o1")), begin(a), fail(a), begin(claim("o1", "b"))}, seen(1), order.Loss{}, order.StatusProcessing},
		{"none", []step{accept(sample("o1"))}, seen(1), order.Loss{}, order.StatusPending},
		{"of a settled order", []step{accept(sample("o1")), begin(a), settle(a, failed)}, seen(1), order.Loss{}, order.StatusFailed},
		{"the third worker", twice, seen(3), order.Loss{Ended: true, WorkersLost: 2}, order.StatusRetrying},
		{"the third worker, while another order is in quarantine", append(twice, quarantine("o2")), seen(3), order.Loss{Ended: true, WorkersLost: 2}, order.StatusRetrying},
		{"the third worker, in quarantine, with another candidate", append(twice, quarantine("o1")), shared, order.Loss{Ended: true, WorkersLost: 2}, order.StatusRetrying},
		{"an attempt begun since", []step{accept(sample("o1")), begin(a)}, order.LostAttempt{Number: 1, SeenAt: time.Now().Add(-time.Minute)}, order.Loss{}, order.StatusProcessing},
		{"the third worker, in quarantine", append(twice, quarantine("o1")), seen(3), order.Loss{Ended: true, Failed: true, WorkersLost: 3}, order.StatusFailed},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.do(t, row.before...)
			got, err := b.Lost(t.Context(), "o1", row.attempt)
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
	b.do(t, accept(sample("o1")), begin(a), lost("o1", 1))
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

// TestLostMissing reports an order that is not there.
func TestLostMissing(t *testing.T) {
	b := open(t)
	if _, err := b.Lost(t.Context(), "o1", seen(1)); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("answered %v", err)
	}
}

// TestRetryForgetsLosses counts lost workers from zero after an operator's retry.
func TestRetryForgetsLosses(t *testing.T) {
	b := open(t)
	a := claim("o1", "a")
	b.do(t, accept(sample("o1")), begin(a), lost("o1", 1), begin(a), settle(a, order.Outcome{Status: order.StatusFailed, Error: "no"}))
	b.do(t, retry("o1", "r"))
	if n := b.get(t, "o1").WorkersLost; n != 0 {
		t.Errorf("%d workers are lost", n)
	}
}

// TestLead checks that one process leads until its term is over, and keeps leading
// while it asks.
func TestLead(t *testing.T) {
	b := open(t)
	lead := func(name string, term time.Duration, want bool) {
		t.Helper()
		got, err := b.Lead(t.Context(), name, term)
		if err != nil || got != want {
			t.Errorf("%s leads: %t, %v, want %t", name, got, err, want)
		}
	}
	lead("w1", time.Hour, true)
	lead("w2", time.Hour, false)
	lead("w1", time.Millisecond, true)
	deadline := time.Now().Add(5 * time.Minute)
	for {
		got, err := b.Lead(t.Context(), "w2", time.Hour)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("w2 does not lead: %v", err)
		}
		if got {
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

// TestForgetEvents checks that events leave the stream with the retention, if
// not before.
func TestForgetEvents(t *testing.T) {
	b := open(t)
	for n := range 1000 {
		b.do(t, accept(sample(fmt.Sprint("o", n))))
	}
	length := func() int64 { return b.rdb.XLen(t.Context(), ledgertest.EventsKey).Val() }
	forget := func(cutoff time.Time) {
		t.Helper()
		if err := b.ForgetEvents(t.Context(), cutoff); err != nil {
			t.Fatal(err)
		}
	}
	forget(time.Now().Add(-time.Hour))
	if n := length(); n != 1000 {
		t.Errorf("%d events are left of 1000 new ones", n)
	}
	forget(time.Now().Add(time.Hour))
	if n := length(); n > 100 {
		t.Errorf("%d events are left of 1000 old ones", n)
	}
}

// TestQuarantine checks that one order at a time is in quarantine, for its term or until
// that is ended.
func TestQuarantine(t *testing.T) {
	b := open(t)
	wantQuarantined := func(want string) {
		t.Helper()
		if got, err := b.Quarantined(t.Context()); got != want || err != nil {
			t.Errorf("%q is in quarantine, %v, want %q", got, err, want)
		}
	}
	wantQuarantined("")
	for _, row := range []struct{ id, end, want string }{
		{"o1", "", "o1"}, {"o2", "", "o1"}, {"o1", "", "o1"}, {"o2", "o2", "o1"}, {"o2", "o1", "o2"},
	} {
		for range 2 {
			if err := b.EndQuarantine(t.Context(), row.end); err != nil {
				t.Error(err)
			}
		}
		if got, err := b.Quarantine(t.Context(), row.id, time.Hour); got != row.want || err != nil {
			t.Errorf("quarantine %s: %q, %v, want %q", row.id, got, err, row.want)
		}
		wantQuarantined(row.want)
	}
	if ttl := b.rdb.PTTL(t.Context(), ledgertest.QuarantineKey).Val(); ttl <= 0 || ttl > time.Hour {
		t.Errorf("it lasts %v", ttl)
	}
}

// TestLostTwice answers the last loss the same when go-redis asks again.
func TestLostTwice(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")), begin(claim("o1", "a")), lost("o1", 1), begin(claim("o1", "b")), lost("o1", 2), begin(claim("o1", "c")), quarantine("o1"))
	want := order.Loss{Ended: true, Failed: true, WorkersLost: 3}
	for range 2 {
		got, err := b.Lost(t.Context(), "o1", seen(3))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

// TestBeginCountsLosses checks that a worker whose loss is found by the next one
// counts, but never as the last.
func TestBeginCountsLosses(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")))
	for i, want := range []int{0, 1, 2} {
		b.do(t, begin(claim("o1", string(rune('a'+i)))))
		if n := b.get(t, "o1").WorkersLost; n != want {
			t.Errorf("after %d begins %d workers are lost, want %d", i+1, n, want)
		}
	}
	b.do(t, exhausted(claim("o1", "d")))
	if n := b.get(t, "o1").WorkersLost; n != 2 {
		t.Errorf("%d workers are lost", n)
	}
}

// TestRecoveryOfAFullRedis checks that recovery can lead, end attempts and forget when
// Redis is full: that frees memory.
func TestRecoveryOfAFullRedis(t *testing.T) {
	b := open(t)
	a := claim("o1", "a")
	b.do(t, accept(sample("o1")), begin(a), accept(sample("o2")), begin(claim("o2", "b")), settle(claim("o2", "b"), completed()))
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1")
	b.rdb.ConfigSet(t.Context(), "maxmemory-policy", "noeviction")
	if err := b.rdb.Set(t.Context(), "x", "y", 0).Err(); err == nil {
		t.Fatal("Redis is not full")
	}
	if leads, err := b.Lead(t.Context(), "w1", time.Hour); !leads || err != nil {
		t.Errorf("leads: %t, %v", leads, err)
	}
	b.do(t, quarantine("o1"), lost("o1", 1))
	if n, err := b.Forget(t.Context(), time.Now().Add(time.Hour), 10); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	b.rdb.ConfigSet(t.Context(), "maxmemory", "0")
}
