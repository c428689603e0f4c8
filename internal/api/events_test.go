package api_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderprocessor/internal/order"
)

// event is one change of an order's status.
type event struct {
	ID       string
	Sequence int
	Status   order.Status
	Time     time.Time
	Attempt  int
	WorkerID string `json:"worker_id"`
	Reason   string
}

func (s *site) events(t *testing.T, id string) []event {
	t.Helper()
	a := s.ask(t, "GET", "/orders/"+id+"/events", "")
	a.object(t, 200)
	var v struct{ Events []event }
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatal(err)
	}
	return v.Events
}

// wantInTime wants events in the order of time, with unique ids.
func wantInTime(t *testing.T, all []event) {
	t.Helper()
	ids := map[string]bool{}
	for i, e := range all {
		if ids[e.ID] || e.ID == "" || (i > 0 && (e.Time.Before(all[i-1].Time) || e.Sequence <= all[i-1].Sequence)) {
			t.Errorf("event %d is %+v", i, e)
		}
		ids[e.ID] = true
	}
}

// TestEvents lists one event for each change of the status.
func TestEvents(t *testing.T) {
	b := open(t)
	rec := b.reach(t, orderID, order.StatusScheduled)
	b.begin(t, "a", order.HandlingPriority)
	b.fail(t, "a")
	b.begin(t, "b", order.HandlingExpedited)
	b.settle(t, "b", order.Outcome{Status: order.StatusFailed, Error: "shop answered 422"})
	b.ask(t, "POST", "/orders/ord_1/retry", "").object(t, 202)
	b.begin(t, "c", order.HandlingStandard)
	b.fail(t, "c")
	b.ask(t, "POST", "/orders/ord_1/cancel", `{"reason":"too late <&>"}`).object(t, 200)
	got := b.events(t, orderID)
	want := []event{
		{Sequence: 1, Status: order.StatusScheduled},
		{Sequence: 2, Status: order.StatusPriorityProcessing, Attempt: 1, WorkerID: "worker-a"},
		{Sequence: 3, Status: order.StatusRetrying, Attempt: 1, WorkerID: "worker-a", Reason: shopDown},
		{Sequence: 4, Status: order.StatusExpedited, Attempt: 2, WorkerID: "worker-b"},
		{Sequence: 5, Status: order.StatusFailed, Attempt: 2, WorkerID: "worker-b", Reason: "shop answered 422"},
		{Sequence: 6, Status: order.StatusPending},
		{Sequence: 7, Status: order.StatusProcessing, Attempt: 3, WorkerID: "worker-c"},
		{Sequence: 8, Status: order.StatusRetrying, Attempt: 3, WorkerID: "worker-c", Reason: shopDown},
		{Sequence: 9, Status: order.StatusCancelled, Reason: "too late <&>"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(event{}, "ID", "Time")); diff != "" {
		t.Error(diff)
	}
	wantInTime(t, got)
	if !got[0].Time.Equal(rec.CreatedAt) {
		t.Errorf("the first is of %v, the order was accepted at %v", got[0].Time, rec.CreatedAt)
	}
}

// TestEventsAreKept holds the first and the newest of very many, with the gap
// between them to be seen.
func TestEventsAreKept(t *testing.T) {
	b := open(t)
	b.reach(t, orderID, order.StatusPending)
	for i := range 60 {
		c := order.Claim{ID: orderID, Token: strconv.Itoa(i), Worker: "w", Handling: order.HandlingStandard, MaxAttempts: 100}
		if _, err := b.ledger.Begin(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if err := b.ledger.Fail(t.Context(), c, order.Failure{Error: shopDown, RetryIn: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	all := b.events(t, orderID)
	wantInTime(t, all)
	if len(all) != 100 || all[0].Sequence != 1 || all[1].Sequence != 23 || all[99].Sequence != 121 {
		t.Errorf("%d events, of numbers %d, %d to %d", len(all), all[0].Sequence, all[1].Sequence, all[len(all)-1].Sequence)
	}
}
