package archive

import (
	"encoding/json"
	"fmt"

	"orderprocessor/internal/order"
)

// columns are those of the table orders that Put writes, in the order of row.values.
func columns() []string {
	return []string{
		"id", "created_at", "sequence", "settled_at", "amount", "status", "queue", "handling",
		"currency", "country", "customer", "error", "fingerprint", "record", "events",
	}
}

// row is one order as the tables have it.
type row struct {
	id                    string
	createdAt             int64
	sequence              int
	settledAt             any // an int64, or nil before the outcome
	amount                int64
	status, queue         string
	handling              string
	currency, country     string
	customer, err, failed string
	record, events        string
	labels                []label
}

// label is a tag of an order, or a value of its metadata.
type label struct{ name, value string }

// tagName is the name of the labels that are tags.
const tagName = "tag"

// metadataName is the name of the labels that are the values of a key.
func metadataName(key string) string { return clean("metadata." + key) }

func rowOf(h order.History) (row, error) {
	rec := h.Record
	r := row{
		id: clean(rec.ID), createdAt: rec.CreatedAt.UnixMicro(), sequence: h.Sequence,
		amount: tenThousandths(rec.Amount), status: string(rec.Status), queue: string(rec.Queue), handling: string(rec.Handling),
		currency: string(rec.Currency), country: string(rec.Country), customer: clean(rec.Customer), err: clean(rec.Error),
		labels: labelsOf(rec),
	}
	if rec.Status.Settled() {
		r.settledAt = max(r.createdAt, rec.ProcessedAt.UnixMicro())
	}
	if rec.Status == order.StatusFailed {
		r.failed = order.ErrorFingerprint(r.err)
	}
	record, err := json.Marshal(rec)
	if err != nil {
		return row{}, fmt.Errorf("encode order %s: %w", rec.ID, err)
	}
	events, err := json.Marshal(h.Events)
	if err != nil {
		return row{}, fmt.Errorf("encode events of order %s: %w", rec.ID, err)
	}
	r.record, r.events = string(record), string(events)
	return r, nil
}

// values are in the order of columns.
func (r row) values() []any {
	return []any{
		r.id, r.createdAt, r.sequence, r.settledAt, r.amount, r.status, r.queue, r.handling,
		r.currency, r.country, r.customer, r.err, r.failed, r.record, r.events,
	}
}

// labelsOf returns the labels of an order.
func labelsOf(rec order.Record) []label {
	var all []label
	if rec.Decision != nil {
		for _, tag := range rec.Decision.Tags {
			all = append(all, label{tagName, clean(tag)})
		}
	}
	for key, value := range rec.Metadata {
		all = append(all, label{metadataName(key), clean(value)})
	}
	return all
}

// tenThousandths is an amount as a number that can be compared with that of any currency:
// MaxMoney is below 2^54 of them.
func tenThousandths(m order.Money) int64 {
	n := m.Minor
	for range order.MaxDecimals - m.Decimals {
		n *= 10
	}
	return n
}

// decodeRecord reads what rowOf wrote.
func decodeRecord(id, text string) (order.Record, error) {
	var rec order.Record
	if err := json.Unmarshal([]byte(text), &rec); err != nil {
		return order.Record{}, fmt.Errorf("read the record of order %s: %w: %w", id, order.ErrUnreadable, err)
	}
	return rec, nil
}

// decodeEvents reads what rowOf wrote.
func decodeEvents(id, text string) ([]order.Event, error) {
	var events []order.Event
	if err := json.Unmarshal([]byte(text), &events); err != nil {
		return nil, fmt.Errorf("read the events of order %s: %w: %w", id, order.ErrUnreadable, err)
	}
	for i := range events {
		events[i].OrderID = id
	}
	return events, nil
}
