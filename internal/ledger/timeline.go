package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// Events returns the timeline of an order, oldest first: every change of its
// status, or the first and the newest of more than order.MaxEvents. It returns
// order.ErrNotFound.
func (l *Ledger) Events(ctx context.Context, id string) ([]order.Event, error) {
	fields, err := l.read(ctx, id)
	if err != nil {
		return nil, wrap(err, "read events of order %s", id)
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("read events of order %s: %w", id, order.ErrNotFound)
	}
	return parseTimeline(fields), nil
}

// parseTimeline reads what the scripts write: a line for each event, with
// status, event id, µs since acceptance, attempt and reason separated by tabs.
// All lines but the first are the newest, in sequence. The worker is that of the
// attempt.
func parseTimeline(fields map[string]string) []order.Event {
	if fields[fieldTimeline] == "" {
		return nil
	}
	lines := strings.Split(fields[fieldTimeline], "\n")
	newest, _ := strconv.Atoi(fields[fieldSequence])
	accepted := parseTime(fields[fieldCreated])
	events := make([]order.Event, len(lines))
	for i, line := range lines {
		var part [5]string
		copy(part[:], strings.SplitN(line, "\t", len(part)))
		after, _ := strconv.ParseInt(part[2], 10, 64)
		attempt, _ := strconv.Atoi(part[3])
		events[i] = order.Event{
			ID: part[1], Sequence: newest - len(lines) + 1 + i, Status: order.Status(part[0]),
			At:      accepted.Add(time.Duration(after) * time.Microsecond),
			Attempt: attempt, Worker: parseAttempt(attempt, fields[fieldAttempt+part[3]]).Worker, Reason: part[4],
		}
	}
	if len(lines) == order.MaxEvents {
		events[0].Sequence = 1 // the others are the newest
	}
	return events
}
