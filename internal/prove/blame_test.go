package prove

import (
	"testing"
	"time"

	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

// did is a call that ended at a second, by the content that it sent or was shown.
func did(second int, op history.Op, result history.Result, status order.Status, content string) history.Operation {
	o := history.Operation{
		Call:   history.Call{Op: op, Order: "o", ID: "o"},
		Answer: history.Answer{Result: result, Status: status},
		From:   time.Duration(second)*time.Second - time.Millisecond, To: time.Duration(second) * time.Second,
	}
	if op == history.Submit {
		o.Call.Content = content
	}
	if result == history.Created || result == history.Replayed || result == history.Done {
		o.Answer.ID, o.Answer.Content = "o", content
	}
	if status == order.StatusCompleted {
		o.Attempts = 1
	}
	return o
}

// TestBlame finds the guarantee that each history breaks with its last answer.
func TestBlame(t *testing.T) {
	t.Parallel()
	created := did(1, history.Submit, history.Created, order.StatusPending, "a")
	cancelled := did(2, history.Cancel, history.Done, order.StatusCancelled, "a")
	for name, row := range map[string]struct {
		history []history.Operation
		want    Name
	}{
		"an accepted order is not found":   {[]history.Operation{created, did(2, history.Get, history.NotFound, "", "")}, Kept},
		"it is accepted again":             {[]history.Operation{created, did(2, history.Submit, history.Created, order.StatusPending, "a")}, Once},
		"with other content":               {[]history.Operation{created, did(2, history.Submit, history.Replayed, order.StatusPending, "b")}, Once},
		"its content is refused":           {[]history.Operation{created, did(2, history.Submit, history.OtherContent, "", "a")}, Once},
		"it has another content":           {[]history.Operation{created, did(2, history.Get, history.Done, order.StatusPending, "b")}, Once},
		"it completes after a cancel":      {[]history.Operation{created, cancelled, did(3, history.Get, history.Done, order.StatusCompleted, "a")}, Cancel},
		"a repeat shows it uncancelled":    {[]history.Operation{created, cancelled, did(3, history.Submit, history.Replayed, order.StatusPending, "a")}, Cancel},
		"it is cancelled when it is over":  {[]history.Operation{created, did(2, history.Get, history.Done, order.StatusCompleted, "a"), did(3, history.Cancel, history.Done, order.StatusCancelled, "a")}, Cancel},
		"it is retried although completed": {[]history.Operation{created, did(2, history.Get, history.Done, order.StatusCompleted, "a"), did(3, history.Retry, history.Done, order.StatusPending, "a")}, Retry},
		"it is there though nobody sent it": {
			[]history.Operation{did(1, history.Submit, history.OtherContent, "", "a"), did(2, history.Get, history.Done, order.StatusPending, "a")}, Refused,
		},
		"a read is stale": {
			[]history.Operation{created, did(2, history.Get, history.Done, order.StatusCompleted, "a"), did(3, history.Get, history.Done, order.StatusPending, "a")}, Answers,
		},
		"an answer is none of the API's": {[]history.Operation{created, did(2, history.Get, history.Unexpected, "", "")}, Answers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &run{recorder: history.NewRecorder()}
			for _, o := range row.history {
				r.recorder.Add(o)
			}
			report := r.report(false)
			for _, g := range report.Guarantees {
				if broken := g.Verdict == Broken; broken != (g.Name == row.want) {
					t.Errorf("%s is %s, want that %s is broken: %+v", g.Name, g.Verdict, row.want, g.Problems)
				}
			}
		})
	}
}
