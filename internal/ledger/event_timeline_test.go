package ledger_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderprocessor/internal/order"
)

// streamed returns the events of an order from the stream, which has all of them.
func (b *bundle) streamed(t *testing.T, id string) []order.Event {
	t.Helper()
	var events []order.Event
	for _, e := range b.stream(t) {
		if e.Order != id {
			continue
		}
		number := func(text string) int {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		events = append(events, order.Event{
			ID: e.ID, OrderID: e.Order, Sequence: number(e.Sequence), Status: order.Status(e.Status),
			At: time.UnixMicro(int64(number(e.At))).UTC(), Attempt: number(e.Attempt), Worker: e.Worker, Reason: e.Reason, Actor: e.Actor,
		})
	}
	return events
}

// changed is one event of the timeline of o1, without its id and time.
func changed(sequence int, s order.Status, attempt int, worker, reason string) order.Event {
	return order.Event{OrderID: "o1", Sequence: sequence, Status: s, Attempt: attempt, Worker: worker, Reason: reason}
}

// byOps is the same event as what an operator did.
func byOps(e order.Event) order.Event {
	e.Actor = "ops"
	return e
}

// TestTimeline checks that the timeline of an order has what happened to it, as the stream
// has it.
func TestTimeline(t *testing.T) {
	t.Parallel()
	a, b := claim("o1", "a"), claim("o1", "b")
	urgent := a
	urgent.Handling = order.HandlingPriority
	pending := changed(1, order.StatusPending, 0, "", "")
	first := changed(2, order.StatusProcessing, 1, "worker-a", "")
	retrying := changed(3, order.StatusRetrying, 1, "worker-a", busy)
	rows := []struct {
		name  string
		steps []step
		want  []order.Event
	}{
		{"accepted", accepted(), []order.Event{pending}},
		{"completed at the second attempt", accepted(begin(a), fail(a), begin(b), settle(b, completed())), []order.Event{
			pending, first, retrying,
			changed(4, order.StatusProcessing, 2, "worker-b", ""),
			changed(5, order.StatusCompleted, 2, "worker-b", ""),
		}},
		{"cancelled before its time", []step{accept(scheduled(sample("o1"))), cancel("o1", "changed\tmy\nmind")}, []order.Event{
			changed(1, order.StatusScheduled, 0, "", ""),
			byOps(changed(2, order.StatusCancelled, 0, "", "changed my mind")),
		}},
		{"rejected", accepted(begin(ofNoHandling(a)), settle(a, rejected())), []order.Event{
			pending, first, changed(3, order.StatusRejected, 1, "worker-a", rejected().Error),
		}},
		{"failed, retried, completed", retried(begin(b), settle(b, completed())), []order.Event{
			pending, first, changed(3, order.StatusFailed, 1, "worker-a", "refused"),
			byOps(changed(4, order.StatusPending, 0, "", "")),
			changed(5, order.StatusProcessing, 2, "worker-b", ""),
			changed(6, order.StatusCompleted, 2, "worker-b", ""),
		}},
		{"a lost worker", accepted(begin(urgent), begin(b)), []order.Event{
			pending,
			changed(2, order.StatusPriorityProcessing, 1, "worker-a", ""),
			changed(3, order.StatusProcessing, 2, "worker-b", ""),
		}},
		{
			"repeated updates",
			accepted(accept(sample("o1")), begin(a), begin(a), fail(a), fail(a), cancel("o1", ""), cancel("o1", "again")),
			[]order.Event{pending, first, retrying, byOps(changed(4, order.StatusCancelled, 0, "", ""))},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.do(t, accept(sample("other")))
			books.do(t, row.steps...)
			got := books.events(t, "o1")
			if diff := cmp.Diff(row.want, got, ignoreTimes); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(books.streamed(t, "o1"), got); diff != "" {
				t.Errorf("against the stream (-stream +got):\n%s", diff)
			}
			books.checkEventTimes(t, got)
		})
	}
}

// checkEventTimes compares the times of o1's events with those of its record.
func (b *bundle) checkEventTimes(t *testing.T, events []order.Event) {
	t.Helper()
	if !slices.IsSortedFunc(events, func(a, b order.Event) int { return a.At.Compare(b.At) }) {
		t.Errorf("the events are not in the order of their times: %v", events)
	}
	rec := b.get(t, "o1")
	if first := events[0].At; !first.Equal(rec.CreatedAt) {
		t.Errorf("the first event was at %v, the order accepted at %v", first, rec.CreatedAt)
	}
	if last := events[len(events)-1].At; rec.Status.Settled() && !last.Equal(rec.ProcessedAt) {
		t.Errorf("the last event was at %v, the outcome at %v", last, rec.ProcessedAt)
	}
	for _, e := range events {
		if e.Attempt == 0 {
			continue
		}
		a := rec.Attempts[e.Attempt-1]
		if !e.At.Equal(a.StartedAt) && !e.At.Equal(a.EndedAt) {
			t.Errorf("event %d was at %v, its attempt began at %v and ended at %v", e.Sequence, e.At, a.StartedAt, a.EndedAt)
		}
	}
}

// TestTimelineOfUsedUpAttempts checks that the last event of an order that is out of
// attempts belongs to the last of them. The stream names no worker for an outcome that
// none of them brought.
func TestTimelineOfUsedUpAttempts(t *testing.T) {
	books := open(t)
	last := claim("o1", "d")
	books.do(t, accepted(begin(claim("o1", "a")), begin(claim("o1", "b")), begin(claim("o1", "c")))...)
	books.do(t, exhausted(last), settle(last, order.Outcome{Status: order.StatusFailed, Error: "out of attempts"}))
	got := books.events(t, "o1")
	want := []order.Event{
		changed(1, order.StatusPending, 0, "", ""),
		changed(2, order.StatusProcessing, 1, "worker-a", ""),
		changed(3, order.StatusProcessing, 2, "worker-b", ""),
		changed(4, order.StatusProcessing, 3, "worker-c", ""),
		changed(5, order.StatusFailed, 3, "worker-c", "out of attempts"),
	}
	if diff := cmp.Diff(want, got, ignoreTimes); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(books.streamed(t, "o1"), got, cmpopts.IgnoreFields(order.Event{}, "Worker")); diff != "" {
		t.Errorf("against the stream (-stream +got):\n%s", diff)
	}
}

// TestTimelineOfAnOldOrder checks that times keep their microseconds, however long an order
// waits.
func TestTimelineOfAnOldOrder(t *testing.T) {
	books := open(t)
	books.do(t, accept(sample("o1")))
	books.backdate(t, "o1", books.get(t, "o1").CreatedAt.AddDate(-10, 0, 0))
	books.do(t, cancel("o1", ""))
	books.checkEventTimes(t, books.events(t, "o1"))
}

// attemptOften has so many runs of an order fail after so many attempts each. All attempts
// but the last of a run end with their workers.
func (b *bundle) attemptOften(t *testing.T, id string, runs, attempts int) {
	t.Helper()
	b.do(t, accept(sample(id)))
	for run := range runs {
		if run > 0 {
			b.do(t, retry(id, fmt.Sprint("r", run)))
		}
		var c order.Claim
		for try := range attempts {
			c = claim(id, strconv.Itoa(run*attempts+try+1))
			c.MaxAttempts = attempts
			b.do(t, begin(c))
		}
		b.do(t, settle(c, refused()))
	}
}

// TestManyAttempts checks that a record keeps the first attempt of the run and the newest
// ones, with their numbers.
func TestManyAttempts(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name           string
		runs, attempts int
		first, rest    int // the numbers of the first one, and of the one after it
	}{
		{"as many as are kept", 2, order.MaxAttemptsKept / 2, 1, 2},
		{"one more in a run of its own", 101, 1, 2, 3},
		{"two long runs", 2, order.MaxAttemptsKept, 101, 102},
		{"one more than are kept", 1, order.MaxAttemptsKept + 1, 1, 3},
		{"many more than are kept", 1, 3 * order.MaxAttemptsKept, 1, 202},
		{"many more in two runs", 2, 2 * order.MaxAttemptsKept, 201, 302},
		{"a run after one with many more", 2, order.MaxAttemptsKept + 9, 110, 120},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			books := open(t)
			books.attemptOften(t, "o1", row.runs, row.attempts)
			var want []order.Attempt
			for n := row.first; n <= row.runs*row.attempts; n++ {
				if n != row.first && n < row.rest {
					continue
				}
				a := attempt(n, strconv.Itoa(n), order.ReasonNoResult, "")
				if n%row.attempts == 0 {
					a.Error = "refused"
				}
				want = append(want, a)
			}
			if diff := cmp.Diff(want, books.get(t, "o1").Attempts, ignoreTimes); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
			if n := books.totals(t).Attempts; n != int64(row.runs*row.attempts) {
				t.Errorf("%d attempts are counted", n)
			}
		})
	}
}

// TestManyEvents checks that a timeline keeps the first event and the newest ones, as the
// stream has them.
func TestManyEvents(t *testing.T) {
	t.Parallel()
	for _, attempts := range []int{order.MaxEvents - 3, order.MaxEvents - 2, order.MaxEvents - 1, order.MaxEvents} {
		t.Run(fmt.Sprintf("%d events", attempts+2), func(t *testing.T) {
			books := open(t)
			books.attemptOften(t, "o1", 1, attempts)
			all := books.streamed(t, "o1")
			if len(all) != attempts+2 {
				t.Fatalf("the stream has %d events", len(all))
			}
			want := slices.Concat(all[:1], all[max(1, len(all)-order.MaxEvents+1):])
			if diff := cmp.Diff(want, books.events(t, "o1")); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}
