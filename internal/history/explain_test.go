package history_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/history"
)

// TestUnknownAnswers checks that a call without an answer may take effect at any later time
// or never, and only once.
func TestUnknownAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		history   []history.Operation
		explained bool
	}{
		{"a submission that was recorded", inTurn(unknownSubmit("a"), get(pending, 0)), true},
		{"a submission that never was", inTurn(unknownSubmit("a"), refused(history.Get, history.NotFound, "")), true},
		{"a submission that was recorded later", inTurn(unknownSubmit("a"), refused(history.Get, history.NotFound, ""), get(pending, 0)), true},
		{"a submission that was repeated", inTurn(unknownSubmit("a"), submit("a", history.Replayed, processing, 1)), true},
		{"a repeat without an answer changes nothing", inTurn(created("a"), get(completed, 1), unknownSubmit("a"), get(pending, 0)), false},
		{"a cancel that took effect later", inTurn(created("a"), unknown(history.Cancel), get(pending, 0), get(cancelled, 0)), true},
		{"a cancel that never did", inTurn(created("a"), unknown(history.Cancel), get(completed, 1)), true},
		{"a cancel that took effect before its call", inTurn(created("a"), get(cancelled, 0), unknown(history.Cancel)), false},
		{"one retry, one more run", inTurn(created("a"), unknown(history.Retry), get(failed, 1), get(pending, 1), get(failed, 2)), true},
		{"one retry, two more runs", inTurn(created("a"), unknown(history.Retry), get(failed, 1), get(pending, 1), get(failed, 2), get(pending, 2)), false},
		{"two retries, two more runs", inTurn(created("a"), unknown(history.Retry), unknown(history.Retry), get(failed, 1), get(pending, 1), get(failed, 2), get(pending, 2)), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := history.Check(row.history, history.Options{})
			if explained := len(r.Violations) == 0; explained != row.explained || len(r.Undecided) > 0 {
				t.Errorf("explained: %v; %+v", explained, r)
			}
		})
	}
}

// TestExplained checks histories that need one move, or one rule of a call, to be explained.
func TestExplained(t *testing.T) {
	t.Parallel()
	for name, all := range map[string][]history.Operation{
		"a scheduled order is held":                  inTurn(submit("a", history.Created, scheduled, 0), get(scheduled, 0), get(held, 0)),
		"a hold expires and rejects the order":       inTurn(created("a"), get(held, 0), get(rejected, 0), done(history.Reject, rejected, 0)),
		"no attempt is left":                         inTurn(created("a"), get(retrying, 1), get(failed, 1)),
		"a failed order is in doubt":                 inTurn(created("a"), get(failed, 1), done(history.Retry, pending, 1), refused(history.Cancel, history.InDoubt, pending)),
		"a released order is held in its next run":   inTurn(created("a"), done(history.Release, pending, 0), get(failed, 1), done(history.Retry, pending, 1), get(held, 1)),
		"a rejection is repeated":                    inTurn(created("a"), done(history.Reject, rejected, 0), done(history.Reject, rejected, 0)),
		"the API repeated the write of a submission": inTurn(submit("a", history.Replayed, pending, 0), get(processing, 1)),
		"the API repeated the write of a retry":      inTurn(created("a"), get(failed, 1), done(history.Retry, completed, 2)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := history.Check(all, history.Options{HoldsExpire: true}); len(r.Violations)+len(r.Undecided) > 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func unknownSubmit(content string) history.Operation {
	o := unknown(history.Submit)
	o.Call.Content = content
	return o
}

// TestVerdict checks what a violation says: the order, its calls in order with their times,
// and the first answer that has no explanation, although others are wrong too.
func TestVerdict(t *testing.T) {
	t.Parallel()
	all := inTurn(created("a"), unknown(history.Get), done(history.Cancel, cancelled, 0), during(8, 20, unknown(history.Retry)), get(completed, 1), get(pending, 0))
	other := get(pending, 0)
	other.Order = "absent"
	r := history.Check(append(all, during(1, 2, other)), history.Options{})
	if r.Orders != 2 || r.Operations != 6 || r.Unknown != 2 || len(r.Violations) != 2 {
		t.Fatalf("the report is %+v", r)
	}
	text := r.Violations[1].String()
	want := `order o: nothing explains the answer to get: done, completed, attempt 1, content a
     2.0000 to    3.0000 s, client 0: submit of a: created, pending, attempt 0, content a
     6.0000 to    7.0000 s, client 0: cancel: done, cancelled, attempt 0, content a
     8.0000 to   11.0000 s, client 0: retry: unknown (still open)
>   10.0000 to   11.0000 s, client 0: get: done, completed, attempt 1, content a`
	if text != want {
		t.Errorf("the verdict is\n%s\nwant\n%s", text, want)
	}
	var page bytes.Buffer
	if err := r.Violations[1].Draw(&page, history.Options{}); err != nil || !strings.Contains(page.String(), "completed, attempt 1") {
		t.Errorf("the page has %d bytes, %v", page.Len(), err)
	}
}

// TestManyOpenCalls checks that the answers to many concurrent calls, a third of them
// unknown, are explained in time.
func TestManyOpenCalls(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	all := inTurn(created("a"), done(history.Cancel, cancelled, 0))
	for n := range 400 {
		o := during(10+n, 30+n, get(cancelled, 0))
		switch random.IntN(30) {
		case 0:
			o = during(10+n, 30+n, unknown(history.Cancel))
		case 1:
			o = during(10+n, 30+n, unknown(history.Retry))
		}
		all = append(all, o)
	}
	if r := history.Check(all, history.Options{Patience: 10 * time.Minute}); len(r.Violations)+len(r.Undecided) > 0 {
		t.Errorf("the report is %+v", r)
	}
}
