package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// Events returns the timeline of an order, oldest first: all its events, or the first
// and the newest ones when there are more than order.MaxEvents. It returns
// order.ErrNotFound.
func (b *Book) Events(ctx context.Context, id string) ([]order.Event, error) {
	fields, err := b.read(ctx, id)
	if err != nil {
		return nil, wrap(err, "read events of order %s", id)
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("read events of order %s: %w", id, order.ErrNotFound)
	}
	return parseTimeline(id, fields), nil
}

// statusCodes are the letters that stand for the statuses in a timeline.
func statusCodes() map[order.Status]string {
	return map[order.Status]string{
		order.StatusScheduled: "s", order.StatusPending: "p", order.StatusHeld: "h", order.StatusProcessing: "w",
		order.StatusPriorityProcessing: "y", order.StatusExpedited: "x", order.StatusRetrying: "r",
		order.StatusCompleted: "c", order.StatusRejected: "j", order.StatusFailed: "f", order.StatusCancelled: "d",
	}
}

// statusOf reads a status of a timeline. Records of earlier versions hold the name.
func statusOf(code string) order.Status {
	for status, own := range statusCodes() {
		if own == code {
			return status
		}
	}
	return order.Status(code)
}

// parseTimeline reads what the scripts write; see event in scripts/prelude.lua. The
// first line is the first event, and the others are the newest ones, in sequence. The
// worker of an event is the one of its attempt.
func parseTimeline(id string, fields map[string]string) []order.Event {
	if fields[fieldTimeline] == "" {
		return nil
	}
	lines := strings.Split(fields[fieldTimeline], "\n")
	newest, _ := strconv.Atoi(fields[fieldSequence])
	accepted := parseTime(fields[fieldCreated])
	events := make([]order.Event, len(lines))
	for i, line := range lines {
		var part [6]string
		copy(part[:], strings.SplitN(line, "\t", len(part)))
		after, _ := strconv.ParseInt(part[2], 10, 64)
		attempt, _ := strconv.Atoi(part[3])
		at := accepted.Add(time.Duration(after) * time.Microsecond)
		if strings.HasPrefix(part[1], "-") {
			part[1] = strconv.FormatInt(at.UnixMilli(), 10) + part[1]
		}
		events[i] = order.Event{
			ID: part[1], OrderID: id, Sequence: newest - len(lines) + 1 + i, Status: statusOf(part[0]), At: at, Attempt: attempt,
			Worker: parseAttempt(attempt, fields[fieldAttempt+part[3]], accepted).Worker, Reason: part[4], Actor: part[5],
		}
	}
	if len(lines) == order.MaxEvents {
		events[0].Sequence = 1 // the others are the newest
	}
	return events
}
