package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// held is the record of o1 while it is held.
func held(term time.Duration) order.Record {
	rec, d := record(order.StatusHeld), onHold(term)
	rec.Handling, rec.Decision = "", &d
	return rec
}

// TestHold checks that a held order moves on by a person, a cancel or its expiry alone,
// and that it does so once.
func TestHold(t *testing.T) {
	t.Parallel()
	const tick = time.Microsecond
	a, b := claim("o1", "a"), claim("o1", "b")
	hour := accepted(hold("o1", time.Hour))
	over := accepted(hold("o1", tick))
	status := func(s order.Status) error { return &order.StatusError{Status: s} }
	released := held(time.Hour)
	released.Status, released.Released = order.StatusPending, true
	rejectedAs := func(term time.Duration, reason string) order.Record {
		rec := withError(held(term), reason)
		rec.Status = order.StatusRejected
		return rec
	}
	expired := held(tick)
	expired.Status, expired.Released = order.StatusPending, true
	cancelled := withReason(held(time.Hour), "no need")
	cancelled.Status = order.StatusCancelled
	begun := processing(attempt(1, "a", "", ""))
	again := withError(record(order.StatusPending), "fraud")
	again.Handling = ""
	decided := record(order.StatusProcessing, attempt(1, "a", "", ""))
	decided.Decision = deciding(a).Decision
	worked := released
	worked.Status, worked.Handling, worked.Attempts = order.StatusProcessing, order.HandlingStandard, begun.Attempts
	checkUpdates(t, []update{
		{"hold a pending order", accepted(), hold("o1", time.Hour), nil, held(time.Hour)},
		{"hold it for good", accepted(), hold("o1", 0), nil, held(0)},
		{"hold an order that is worked", accepted(begin(a)), hold("o1", 0), order.ErrDecided, begun},
		{"hold an order that is decided", accepted(begin(deciding(a))), hold("o1", 0), order.ErrDecided, decided},
		{"hold a released order", append(hour, release("o1", "ops")), hold("o1", 0), order.ErrDecided, released},
		{
			"hold a settled order", accepted(begin(a), settle(a, completed())), hold("o1", 0), order.ErrSettled,
			record(order.StatusCompleted, attempt(1, "a", "", "thanks")),
		},
		{"decide an order twice", accepted(begin(deciding(a))), begin(deciding(b)), order.ErrDecided, decided},
		{"begin a held order", hour, begin(a), order.ErrHeld, held(time.Hour)},
		{"retry a held order", hour, retry("o1", "r1"), status(order.StatusHeld), held(time.Hour)},
		{"cancel a held order", hour, cancel("o1", "no need"), nil, cancelled},
		{"release a held order", hour, release("o1", "ops"), nil, released},
		{"release a released order", append(hour, release("o1", "ops"), begin(a)), release("o1", "another"), nil, worked},
		{"release a pending order", accepted(), release("o1", "ops"), status(order.StatusPending), record(order.StatusPending)},
		{"release a rejected order", append(hour, reject("o1", "ops", "fraud")), release("o1", "ops"), status(order.StatusRejected), rejectedAs(time.Hour, "fraud")},
		{"reject a held order", hour, reject("o1", "ops", "fraud"), nil, rejectedAs(time.Hour, "fraud")},
		{"reject a rejected order", append(hour, reject("o1", "ops", "fraud")), reject("o1", "another", "why"), nil, rejectedAs(time.Hour, "fraud")},
		{"reject a released order", append(hour, release("o1", "ops")), reject("o1", "ops", "fraud"), status(order.StatusPending), released},
		{
			"reject what the rules rejected", accepted(begin(ofNoHandling(a)), settle(a, rejected())), reject("o1", "ops", "fraud"),
			status(order.StatusRejected), afterRules(),
		},
		{"hold a retried order", append(hour, reject("o1", "ops", "fraud"), retry("o1", "r1")), hold("o1", time.Hour), nil, held(time.Hour)},
		{"retry a rejected order", append(hour, reject("o1", "ops", "fraud")), retry("o1", "r1"), nil, again},
		{"expire before the time", hour, expire("o1", false), status(order.StatusHeld), held(time.Hour)},
		{"expire what never expires", accepted(hold("o1", 0)), expire("o1", true), status(order.StatusHeld), held(0)},
		{"expire with a rejection", over, expire("o1", false), nil, rejectedAs(tick, order.ReasonHoldExpired)},
		{"expire with a release", over, expire("o1", true), nil, expired},
		{"release what has expired", append(over, expire("o1", false)), release("o1", "ops"), status(order.StatusRejected), rejectedAs(tick, order.ReasonHoldExpired)},
	})
}

// afterRules is the record of o1 after the rules have rejected it.
func afterRules() order.Record {
	rec := withError(record(order.StatusRejected, attempt(1, "a", "", "")), rejected().Error)
	rec.Handling = ""
	return rec
}

// TestActors checks that the timeline and the stream of events name who intervened.
func TestActors(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")), hold("o1", time.Hour), release("o1", "ops"), accept(sample("o2")), hold("o2", 0), reject("o2", "", "fraud"),
		retry("o2", "r1"), cancel("o2", "too late"))
	want := map[string][]order.Event{
		"o1": {{Status: order.StatusPending}, {Status: order.StatusHeld, Reason: "looks odd"}, {Status: order.StatusPending, Reason: "looks good", Actor: "ops"}},
		"o2": {
			{Status: order.StatusPending},
			{Status: order.StatusHeld, Reason: "looks odd"},
			{Status: order.StatusRejected, Reason: "fraud"},
			{Status: order.StatusPending, Actor: "ops"},
			{Status: order.StatusCancelled, Reason: "too late", Actor: "ops"},
		},
	}
	all, _, err := b.Books()[0].EventsAfter(t.Context(), order.EventID{}, 100, 0)
	must(t, err)
	for id, events := range want {
		timeline, err := b.Events(t.Context(), id)
		must(t, err)
		var streamed []order.Event
		for _, e := range all {
			if e.OrderID == id {
				streamed = append(streamed, e)
			}
		}
		for i, e := range timeline {
			if got := (order.Event{Status: e.Status, Reason: e.Reason, Actor: e.Actor}); got != events[i] {
				t.Errorf("event %d of %s is %+v, want %+v", i+1, id, got, events[i])
			}
		}
		if diff := cmp.Diff(timeline, streamed); diff != "" {
			t.Errorf("timeline and stream of %s differ:\n%s", id, diff)
		}
	}
}

// TestExpired checks that holds are listed once they have expired, the first one first.
func TestExpired(t *testing.T) {
	b := open(t)
	b.do(t, accept(sample("o1")), accept(sample("o2")), accept(sample("o3")), accept(sample("o4")),
		hold("o1", 2*time.Hour), hold("o2", time.Hour), hold("o3", 3*time.Hour), hold("o4", 0))
	now, err := b.Now(t.Context())
	must(t, err)
	expired := func(after time.Duration, skip, limit int) []string {
		ids, err := b.Books()[0].Expired(t.Context(), now.Add(after), skip, limit)
		must(t, err)
		return ids
	}
	for after, want := range map[time.Duration][]string{0: {}, 90 * time.Minute: {"o2"}, 150 * time.Minute: {"o2", "o1"}, 1000 * time.Hour: {"o2", "o1", "o3"}} {
		if diff := cmp.Diff(want, expired(after, 0, 10)); diff != "" {
			t.Errorf("after %v (-want +got):\n%s", after, diff)
		}
	}
	if ids := expired(1000*time.Hour, 1, 1); len(ids) != 1 || ids[0] != "o1" {
		t.Errorf("after the first, with a limit of 1, %v are listed", ids)
	}
}

// TestShadowDecisions checks that the decisions of a shadow are counted, by both labels.
func TestShadowDecisions(t *testing.T) {
	b := open(t)
	beside := onHold(0)
	beside.Shadow = &order.Decision{Version: "v2", Action: order.ActionApprove, Handling: order.HandlingPriority}
	for _, id := range []string{"o1", "o2", "o3"} {
		b.do(t, accept(sample(id)))
	}
	b.do(t, begin(deciding(claim("o1", "a"))), begin(deciding(claim("o2", "b"))))
	must(t, b.Hold(t.Context(), "o3", beside))
	got, err := b.ShadowDecisions(t.Context(), "v2")
	must(t, err)
	want := map[order.Change]int64{{From: "standard", To: "reject"}: 2, {From: "hold", To: "priority"}: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}
