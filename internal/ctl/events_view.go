package ctl

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

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

const (
	// statusWidth is the width of the longest status, so that ids line up.
	statusWidth = len(order.StatusPriorityProcessing)
	// eventTime writes times of one width, to the microsecond, as the books have
	// them.
	eventTime = "2006-01-02T15:04:05.000000Z07:00"
)

// line is the event in one line, without control characters.
func (v eventView) line(layout string) string {
	text := fmt.Sprintf("%s  %-*s  %s", v.Time.UTC().Format(layout), statusWidth, v.Status, v.OrderID)
	if details := v.details(); details != "" {
		text += "  " + details
	}
	return order.Printable(text)
}

// details says who tried and what went wrong.
func (v eventView) details() string {
	var parts []string
	if v.Attempt > 0 {
		parts = append(parts, fmt.Sprintf("attempt %d", v.Attempt))
	}
	if v.WorkerID != "" {
		parts = append(parts, "by "+v.WorkerID)
	}
	text := strings.Join(parts, " ")
	switch {
	case v.Reason == "":
		return text
	case text == "":
		return v.Reason
	default:
		return text + ": " + v.Reason
	}
}
