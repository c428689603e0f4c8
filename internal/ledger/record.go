package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// The fields of a record's hash. They are one letter long because every order
// pays for them; times are microseconds since 1970 by the clock of Redis.
const (
	fieldOrder         = "d" // the order, see document.go, written once
	fieldFingerprint   = "f" // of the content, written once
	fieldCreated       = "c" // when accepted, written once
	fieldQueue         = "q" // queue it waits in
	fieldStatus        = "s" // status
	fieldHandling      = "h" // handling, once decided
	fieldAttempts      = "n" // how many attempts have been begun
	fieldAttempt       = "a" // followed by its number: one attempt, see below
	fieldToken         = "k" // token of the claim
	fieldNextAttempt   = "x" // when the next attempt is due, while retrying
	fieldError         = "e" // reason of the last failure or rejection
	fieldSettled       = "z" // when settled
	fieldSequence      = "v" // sequence number of the last event
	fieldTimeline      = "t" // the events, see timeline.go
	fieldDue           = "u" // when the order could first be worked, if later than accepted
	fieldCancelReason  = "w" // reason of the cancel, if one was given
	fieldTriedBefore   = "m" // how many attempts had been begun before the last retry
	fieldRetryToken    = "y" // token of the last retry
	fieldRequeuedToken = "r" // token of the last time it was queued again
	fieldLosses        = "p" // how many workers were lost since the last retry
	fieldUncounted     = "o" // how many attempts since the last retry do not count
	fieldDecision      = "g" // what the rules decided in this run, see decision.go
	fieldReview        = "b" // how the hold of this run ended: 1 released, 0 rejected
	fieldExpiry        = "j" // when the hold expires, while held
	fieldJobs          = "i" // the jobs that have changed it in this run, until it is settled
	fieldTrace         = "T" // the trace of the submission, if there is one, written once
	fieldUnknown       = "l" // set while the shop may have accepted the order
)

// parseRecord reads a record's hash.
func parseRecord(id string, fields map[string]string) (order.Record, error) {
	rec := order.Record{
		Status:        order.Status(fields[fieldStatus]),
		Queue:         order.Queue(fields[fieldQueue]),
		Handling:      order.Handling(fields[fieldHandling]),
		CreatedAt:     parseTime(fields[fieldCreated]),
		NextAttemptAt: parseTime(fields[fieldNextAttempt]),
		ProcessedAt:   parseTime(fields[fieldSettled]),
		Error:         fields[fieldError],
		CancelReason:  fields[fieldCancelReason],
		TraceID:       fields[fieldTrace],
		Released:      fields[fieldReview] == "1",
		HeldUntil:     parseTime(fields[fieldExpiry]),
	}
	var err error
	if rec.Order, err = decodeOrder(id, fields[fieldOrder]); err != nil {
		return order.Record{}, fmt.Errorf("parse record of order %s: %w: %w", id, order.ErrUnreadable, err)
	}
	if rec.Decision, err = decodeDecision(fields[fieldDecision], rec.Handling); err != nil {
		return order.Record{}, fmt.Errorf("parse the decision of order %s: %w: %w", id, order.ErrUnreadable, err)
	}
	if rec.Status == order.StatusHeld {
		rec.HeldAt = heldAt(id, fields)
	}
	rec.WorkersLost, _ = strconv.Atoi(fields[fieldLosses])
	attempts, _ := strconv.Atoi(fields[fieldAttempts])
	triedBefore, _ := strconv.Atoi(fields[fieldTriedBefore])
	newest := max(1, attempts-order.MaxAttemptsKept+1)
	if first := triedBefore + 1; first < newest { // the first attempt of the run
		rec.Attempts = append(rec.Attempts, parseAttempt(first, fields[fieldAttempt+strconv.Itoa(first)], rec.CreatedAt))
		newest++
	}
	for n := newest; n <= attempts; n++ {
		if line, kept := fields[fieldAttempt+strconv.Itoa(n)]; kept {
			rec.Attempts = append(rec.Attempts, parseAttempt(n, line, rec.CreatedAt))
		}
	}
	return rec, nil
}

// heldAt returns when a held order was held: it is the last event of its timeline.
func heldAt(id string, fields map[string]string) time.Time {
	events := parseTimeline(id, fields)
	if len(events) == 0 {
		return time.Time{}
	}
	return events[len(events)-1].At
}

// maxUnreadable is how many records that cannot be read one listing reports.
const maxUnreadable = 3

// gathering collects the records of a listing. A record that cannot be read does not
// fail the listing.
type gathering struct {
	records    []order.Record
	unreadable []error
}

func (g *gathering) add(id string, fields map[string]string) {
	rec, err := parseRecord(id, fields)
	switch {
	case err == nil:
		g.records = append(g.records, rec)
	case len(g.unreadable) < maxUnreadable:
		g.unreadable = append(g.unreadable, err)
	}
}

// callMark follows the start of an open attempt that may call the shop.
const callMark = "?"

// decidedMark stands for the decision of an order that was decided, or begun, when it was
// read.
const decidedMark = "="

// parseAttempt reads what the scripts write: worker and start, and once the attempt has
// ended, also end, error and note, separated by tabs.
func parseAttempt(number int, line string, accepted time.Time) order.Attempt {
	var part [5]string
	copy(part[:], strings.SplitN(line, "\t", len(part)))
	return order.Attempt{
		Number: number, Worker: part[0],
		StartedAt: parseSince(strings.TrimSuffix(part[1], callMark), accepted), EndedAt: parseSince(part[2], accepted),
		Error: part[3], Note: part[4],
	}
}

// digitsOfTimes is how many digits a time has, in microseconds since 1970.
const digitsOfTimes = 16

// parseSince reads a time in microseconds since acceptance. Records of earlier versions
// hold the time itself.
func parseSince(us string, accepted time.Time) time.Time {
	since, err := strconv.ParseInt(us, 10, 64)
	switch {
	case err != nil:
		return time.Time{}
	case len(us) >= digitsOfTimes:
		return parseTime(us)
	default:
		return accepted.Add(time.Duration(since) * time.Microsecond)
	}
}

func parseTime(us string) time.Time {
	n, err := strconv.ParseInt(us, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// pairs reads the fields that a script returns in the form of HGETALL.
func pairs(answer []any) (map[string]string, error) {
	var flat []any
	if len(answer) > 0 {
		flat, _ = answer[0].([]any)
	}
	fields := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		name, ok := flat[i].(string)
		value, ok2 := flat[i+1].(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("script answered field %v = %v", flat[i], flat[i+1])
		}
		fields[name] = value
	}
	return fields, nil
}

// microseconds writes a time for a script, and nothing for one that is not set.
func microseconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}
