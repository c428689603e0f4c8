package history_test

import (
	"testing"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

// event is an event of the order o.
func event(sequence int, s order.Status, attempt int) client.Event {
	return client.Event{OrderID: "o", Sequence: sequence, Status: s, Attempt: attempt, Position: string(rune('a' + sequence))}
}

// between is the end of a connection and the beginning of the next.
var between = client.Disconnected{}

// TestStreamDefects checks streams with a defect, each beside one that differs from it by
// the defect alone.
func TestStreamDefects(t *testing.T) {
	t.Parallel()
	accepted, begun, ended := event(1, pending, 0), event(2, processing, 1), event(3, completed, 1)
	completes := inTurn(created("a"), get(processing, 1), get(completed, 1))
	gap := client.Gap{}
	for _, row := range []struct {
		defect        string
		calls         []history.Operation
		legal, broken []any
	}{
		{"an event is lost", completes, []any{accepted, begun, ended}, []any{accepted, ended}},
		{"an event is lost between two connections", completes, []any{accepted, between, begun, ended}, []any{accepted, between, ended}},
		{"an event comes again after a reconnection", completes, []any{accepted, begun, between, ended}, []any{accepted, begun, between, begun, ended}},
		{"events come out of sequence", completes, []any{accepted, begun, ended}, []any{accepted, ended, begun}},
		{"the first event is lost", completes, []any{accepted, begun, ended}, []any{begun, ended}},
		{"the last event is lost", completes, []any{accepted, begun, ended}, []any{accepted, begun}},
		{"no event came", completes, []any{accepted, begun, ended}, nil},
		{"a gap is not told", completes, []any{accepted, gap, ended}, []any{accepted, ended}},
		{"a gap does not excuse what came before", completes, []any{accepted, begun, gap, ended}, []any{accepted, ended, gap}},
		{"an event comes again after a gap", completes, []any{accepted, begun, gap, ended}, []any{accepted, begun, gap, begun, ended}},
		{
			"a cancelled order is worked",
			inTurn(created("a")),
			[]any{accepted, event(2, cancelled, 0)},
			[]any{accepted, event(2, cancelled, 0), event(3, processing, 1)},
		},
		{
			"a held order is worked without a release",
			inTurn(created("a")),
			[]any{accepted, event(2, held, 0), event(3, pending, 0), begun4},
			[]any{accepted, event(2, held, 0), event(3, processing, 1)},
		},
		{
			"an attempt is skipped",
			inTurn(created("a")),
			[]any{accepted, begun, event(3, retrying, 1), event(4, processing, 2)},
			[]any{accepted, begun, event(3, retrying, 1), event(4, processing, 3)},
		},
		{
			"an attempt is counted twice",
			inTurn(created("a"), done(history.Cancel, cancelled, 2)),
			[]any{accepted, begun, event(3, processing, 2), event(4, retrying, 2), event(5, cancelled, 0)},
			[]any{accepted, begun, event(3, processing, 1), event(4, retrying, 2), event(5, cancelled, 0)},
		},
		{
			"another attempt ends than began",
			inTurn(created("a")),
			[]any{accepted, begun, ended},
			[]any{accepted, begun, event(3, completed, 2)},
		},
		{
			"the stream says that an order was cancelled, and a client that it completed",
			completes,
			[]any{accepted, begun, ended},
			[]any{accepted, event(2, cancelled, 0)},
		},
		{
			"the status in a refusal did not come",
			inTurn(created("a"), refused(history.Cancel, history.Conflict, expedited)),
			[]any{accepted, event(2, expedited, 1)},
			[]any{accepted, begun},
		},
	} {
		t.Run(row.defect, func(t *testing.T) {
			t.Parallel()
			if all := history.CheckStream(received(t, row.legal), row.calls); len(all) > 0 {
				t.Errorf("without the defect: %v", all)
			}
			all := history.CheckStream(received(t, row.broken), row.calls)
			if len(all) != 1 || all[0].Order != "o" {
				t.Errorf("with the defect: %v", all)
			}
		})
	}
}

// begun4 is the first attempt of an order that was held.
var begun4 = event(4, processing, 1)

// received returns a stream that began before the first call, and received messages.
func received(t *testing.T, messages []any) *history.Stream {
	t.Helper()
	s := history.NewStream(history.NewRecorder())
	for _, m := range append([]any{client.Connected{}}, messages...) {
		if err := s.Receive(m); err != nil {
			t.Fatal(err)
		}
		if m == between {
			if err := s.Receive(client.Connected{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

// TestStreamBeganLater excuses a stream from what was there before it.
func TestStreamBeganLater(t *testing.T) {
	t.Parallel()
	calls := inTurn(created("a"), get(completed, 1))
	for i := range calls {
		calls[i].From -= calls[0].To
	}
	for _, messages := range [][]any{nil, {event(3, completed, 1)}} {
		if all := history.CheckStream(received(t, messages), calls); len(all) > 0 {
			t.Errorf("after %v: %v", messages, all)
		}
	}
}

// TestStreamBeginsAnew excuses a stream that was disconnected before its first event, and so
// could not continue, from what happened until it was connected again; and no other stream.
func TestStreamBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		first []any
		found int
	}{"before the first event": {nil, 0}, "after it": {[]any{event(1, pending, 0)}, 1}} {
		r := history.NewRecorder()
		s := history.NewStream(r)
		calls := inTurn(created("a"), get(completed, 1))
		for _, m := range append([]any{client.Connected{}}, row.first...) {
			_ = s.Receive(m)
		}
		calls[0].From, calls[1].From = r.Now(), r.Now()
		_ = s.Receive(client.Connected{})
		if all := history.CheckStream(s, calls); len(all) != row.found {
			t.Errorf("%s: %v", name, all)
		}
	}
}

// TestStreamOfKeyedOrder knows an order that was submitted by key by the id in the answers.
func TestStreamOfKeyedOrder(t *testing.T) {
	t.Parallel()
	calls := inTurn(keyed(created("a")))
	calls[0].Order = "key"
	if all := history.CheckStream(received(t, []any{event(1, pending, 0)}), calls); len(all) > 0 {
		t.Errorf("%v", all)
	}
	if all := history.CheckStream(received(t, nil), calls); len(all) != 1 {
		t.Errorf("without an event: %v", all)
	}
}

// TestStreamPosition returns the id of the newest event, and counts.
func TestStreamPosition(t *testing.T) {
	t.Parallel()
	s := received(t, []any{event(1, pending, 0), client.Gap{}, between, event(2, processing, 1)})
	if got := s.Position(); got != event(2, processing, 1).Position {
		t.Errorf("the position is %q", got)
	}
	if events, gaps, connections := s.Counts(); events != 2 || gaps != 1 || connections != 2 {
		t.Errorf("counted %d events, %d gaps, %d connections", events, gaps, connections)
	}
	if !s.Has("o", pending) || s.Has("o", completed) || s.Has("x", pending) {
		t.Error("the events are not found")
	}
}
