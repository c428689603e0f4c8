package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Event is one change of an order's status, as the stream of all events has it.
type Event struct{ ID, Order, Sequence, Status, At, Attempt, Worker, Reason, Actor string }

// Stream returns all events of a stream, the oldest first.
func Stream(ctx context.Context, rdb redis.UniversalClient, key string) ([]Event, error) {
	entries, err := rdb.XRange(ctx, key, "-", "+").Result()
	if err != nil {
		return nil, err
	}
	var events []Event
	for _, entry := range entries {
		text, _ := entry.Values["e"].(string)
		for line := range strings.Lines(text) {
			part := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(part) != 8 && len(part) != 9 {
				return nil, fmt.Errorf("entry %s of the stream has the line %q", entry.ID, line)
			}
			part = append(part, "") // most events have no actor
			events = append(events, Event{part[0], part[1], part[2], part[3], part[4], part[5], part[6], part[7], part[8]})
		}
		if len(events) == 0 || events[len(events)-1].ID != entry.ID {
			return nil, fmt.Errorf("entry %s of the stream does not end with its event", entry.ID)
		}
	}
	return events, nil
}

// event is what the stream and the order's timeline both contain.
type event struct{ id, seq, status, attempt, reason, actor string }

// checkTimeline checks that a timeline has the first event of its order and the newest
// ones, and ends with the order's status.
func (b *books) checkTimeline(id string, r map[string]string) {
	events, ok := timeline(r)
	if !ok {
		b.problem("order %s has timeline %q", id, r["t"])
		return
	}
	last, _ := strconv.Atoi(r["v"])
	if want := min(last, order.MaxEvents); len(events) != want {
		b.problem("order %s has %d lines in its timeline, of event %d it should be %d", id, len(events), last, want)
	}
	switch first := order.Status(events[0].status); {
	case first != order.StatusPending && first != order.StatusScheduled:
		b.problem("order %s begins its timeline as %s", id, first)
	case first == order.StatusScheduled && r["u"] == "":
		b.problem("order %s was scheduled for no time", id)
	}
	if status := events[len(events)-1].status; status != r["s"] {
		b.problem("order %s is %s, its timeline ends with %s", id, r["s"], status)
	}
}

// timeline reads the lines of a record. All but the first are the newest.
func timeline(r map[string]string) (events []event, ok bool) {
	lines := strings.Split(r["t"], "\n")
	last, _ := strconv.Atoi(r["v"])
	for i, line := range lines {
		part := strings.Split(line, "\t")
		if len(part) != 5 && len(part) != 6 {
			return nil, false
		}
		part = append(part, "") // most events have no actor
		seq := 1
		if i > 0 {
			seq = last - len(lines) + 1 + i
		}
		events = append(events, event{
			id: wholeID(part[1], part[2], r["c"]), seq: strconv.Itoa(seq), status: codes()[part[0]], attempt: part[3], reason: part[4], actor: part[5],
		})
	}
	return events, true
}

// wholeID adds the time of the event to an id that has only the number.
func wholeID(id, since, accepted string) string {
	if !strings.HasPrefix(id, "-") {
		return id
	}
	const perMillisecond = 1000
	return strconv.FormatInt((number(accepted)+number(since))/perMillisecond, 10) + id
}

// codes are the statuses as a timeline writes them.
func codes() map[string]string {
	return map[string]string{
		"s": "scheduled", "p": "pending", "h": "held", "w": "processing", "y": "priority_processing", "x": "expedited",
		"r": "retrying", "c": "completed", "j": "rejected", "f": "failed", "d": "cancelled",
	}
}

// checkEvents checks that each order's events are in sequence, that the last of them is
// its status, and that its timeline has the same events. Older events may have left the
// stream, and orders may have been forgotten.
func (b *books) checkEvents() {
	streams := map[string][]event{}
	for i, streamed := range b.events {
		if i > 0 && !before(b.events[i-1].ID, streamed.ID) {
			b.problem("event %s follows event %s in the stream", streamed.ID, b.events[i-1].ID)
		}
		id := streamed.Order
		e := event{streamed.ID, streamed.Sequence, streamed.Status, streamed.Attempt, streamed.Reason, streamed.Actor}
		events := streams[id]
		if len(events) > 0 {
			last := events[len(events)-1]
			again := e.seq == "1" && order.Status(last.status).Settled() // the id of a forgotten order
			switch {
			case again:
				events = nil
			case number(e.seq) != number(last.seq)+1:
				b.problem("event %s of order %s follows event %s", e.seq, id, last.seq)
			}
		}
		streams[id] = append(events, e)
	}
	for id, r := range b.records {
		b.compare(id, r, streams[id])
	}
}

// compare compares the record and the timeline of an order with its events in the stream.
func (b *books) compare(id string, r map[string]string, stream []event) {
	if len(stream) > 0 {
		if last := stream[len(stream)-1]; r["v"] != last.seq || r["s"] != last.status {
			b.problem("order %s is %s at event %s, in the stream it is %s at %s", id, r["s"], r["v"], last.status, last.seq)
		}
	}
	events, _ := timeline(r)
	for _, e := range events {
		i := slices.IndexFunc(stream, func(s event) bool { return s.seq == e.seq })
		switch {
		case i >= 0 && stream[i] != e:
			b.problem("order %s has event %q, the stream has %q", id, e, stream[i])
		case i < 0 && b.streamed(e.id):
			b.problem("order %s has event %q, the stream lacks it", id, e)
		}
	}
}

// streamed reports whether the stream reaches back to an event.
func (b *books) streamed(id string) bool {
	return len(b.events) > 0 && !before(id, b.events[0].ID)
}

// before compares the ids of two events: a time and a number.
func before(a, b string) bool {
	aTime, aNumber, _ := strings.Cut(a, "-")
	bTime, bNumber, _ := strings.Cut(b, "-")
	if aTime != bTime {
		return number(aTime) < number(bTime)
	}
	return number(aNumber) < number(bNumber)
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
