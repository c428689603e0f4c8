package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"orderprocessor/internal/order"
)

// eventView is one change of an order as the API shows it.
type eventView struct {
	ID       string       `json:"id"`
	OrderID  string       `json:"order_id"`
	Sequence int          `json:"sequence"`
	Status   order.Status `json:"status"`
	Time     time.Time    `json:"time"`
	Attempt  int          `json:"attempt"`
	WorkerID string       `json:"worker_id"`
	Reason   string       `json:"reason"`
}

func decodeEvent(data json.RawMessage) (eventView, error) {
	var v eventView
	if json.Unmarshal(data, &v) != nil || v.OrderID == "" {
		return eventView{}, errNotTheAPI
	}
	return v, nil
}

// statusWidth is the width of the longest status, so that ids line up.
const statusWidth = len(order.StatusPriorityProcessing)

// line is the event in one line, without control characters.
func (v eventView) line() string {
	text := fmt.Sprintf("%s  %-*s  %s", order.FormatTime(v.Time), statusWidth, v.Status, v.OrderID)
	if details := v.details(); details != "" {
		text += "  " + details
	}
	return order.Printable(text)
}

// details says who tried and what went wrong.
func (v eventView) details() string {
	switch text := v.attempt(); {
	case v.Reason == "":
		return text
	case text == "":
		return v.Reason
	default:
		return text + ": " + v.Reason
	}
}

// attempt says which attempt it was and whose, as far as there is one.
func (v eventView) attempt() string {
	var parts []string
	if v.Attempt > 0 {
		parts = append(parts, fmt.Sprintf("attempt %d", v.Attempt))
	}
	if v.WorkerID != "" {
		parts = append(parts, "by "+v.WorkerID)
	}
	return strings.Join(parts, " ")
}

const (
	// besideID is the room that is left beside a long id on a screen: for the time,
	// a status, and what can be told of a reason.
	besideID = 44
	// leastID is the room that an id may take on every screen: that of a UUID.
	leastID = 36
)

// idWidth is the width of the column of ids that shows these events.
func idWidth(events []eventView, screen int) int {
	longest := 0
	for _, v := range events {
		longest = max(longest, utf8.RuneCountInString(v.OrderID))
	}
	return min(longest, max(leastID, screen-besideID))
}

// short is the event in one line for a screen, which cuts off its end: the reason
// comes before the worker, and a longer id loses its own end.
func (v eventView) short(idWidth int) string {
	parts := []string{
		v.Time.UTC().Format(time.TimeOnly), fmt.Sprintf("%-*s", idWidth, shortened(v.OrderID, idWidth)),
		string(v.Status), v.Reason, v.attempt(),
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return order.Printable(strings.Join(parts, "  "))
}
