package order_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

func TestStatuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		status  order.Status
		settled bool
	}{
		{"scheduled", false},
		{"pending", false},
		{"held", false},
		{"processing", false},
		{"priority_processing", false},
		{"expedited", false},
		{"retrying", false},
		{"completed", true},
		{"rejected", true},
		{"failed", true},
		{"cancelled", true},
	}
	var want []order.Status
	for _, row := range rows {
		want = append(want, row.status)
		if got := row.status.Settled(); got != row.settled {
			t.Errorf("%s: Settled = %t, want %t", row.status, got, row.settled)
		}
	}
	if diff := cmp.Diff(want, order.Statuses()); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// TestRetryable holds which outcomes an operator may take back.
func TestRetryable(t *testing.T) {
	t.Parallel()
	retryable := []order.Status{"failed", "rejected"}
	for _, s := range append(order.Statuses(), "", "Failed", "done") {
		if got, want := s.Retryable(), slices.Contains(retryable, s); got != want {
			t.Errorf("%q: Retryable = %t, want %t", s, got, want)
		}
	}
}

func TestStatusesHasNoDuplicates(t *testing.T) {
	t.Parallel()
	seen := map[order.Status]bool{}
	for _, s := range order.Statuses() {
		if seen[s] {
			t.Errorf("%s is there twice", s)
		}
		seen[s] = true
	}
}

func TestUnknownStatusIsNotSettled(t *testing.T) {
	t.Parallel()
	for _, s := range []order.Status{"", "Completed", "done"} {
		if s.Settled() {
			t.Errorf("%q counts as settled", s)
		}
	}
}

func TestListsCannotBeChangedFromOutside(t *testing.T) {
	t.Parallel()
	order.Statuses()[0], order.QueueSpecs()[0].Name = "x", "x"
	if order.Statuses()[0] == "x" || order.QueueSpecs()[0].Name == "x" {
		t.Error("a caller's change to a list is seen by the next caller")
	}
}

func TestHandlingStatus(t *testing.T) {
	t.Parallel()
	for handling, want := range map[order.Handling]order.Status{
		"standard":  order.StatusProcessing,
		"priority":  order.StatusPriorityProcessing,
		"expedited": order.StatusExpedited,
		"":          order.StatusProcessing,
	} {
		if got := handling.Status(); got != want {
			t.Errorf("handling %q has status %q, want %q", handling, got, want)
		}
	}
}
