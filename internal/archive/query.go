package archive

import (
	"maps"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// query builds a statement. Values only ever become parameters.
type query struct {
	dialect dialect
	by      index
	text    strings.Builder
	args    []any
}

func (q *query) write(text string, args ...any) {
	q.text.WriteString(text)
	q.args = append(q.args, args...)
}

// and adds a condition.
func (q *query) and(condition string, args ...any) { q.write(" AND "+condition, args...) }

// indexed makes the planner go by the index.
func (q *query) indexed() string { return strings.ReplaceAll(q.dialect.indexed, "%", string(q.by)) }

// pageStatement selects up to n orders that match after a position. It first finds their
// keys, so that sorting moves no records.
func (d dialect) pageStatement(f order.Filter, by index, after order.Position, n int) (statement string, args []any) {
	q := query{dialect: d, by: by}
	q.write("SELECT p.id, p.created_at, p.record FROM orders p" + d.byKey + " WHERE p.key IN (SELECT o.key FROM ")
	q.source(f)
	q.position(after)
	q.created(f)
	q.conditions(f)
	q.write(" ORDER BY "+q.createdAt()+" DESC, o.id DESC LIMIT ?", n)
	q.write(") ORDER BY p.created_at DESC, p.id DESC")
	return d.sql(q.text.String()), q.args
}

// source begins the search in the table whose index it goes by.
func (q *query) source(f order.Filter) {
	if q.by != byLabel {
		q.write("orders o" + q.indexed() + " WHERE 1 = 1")
		return
	}
	// SQLite goes through the tables of a CROSS JOIN in the order in which they are named.
	first := labelsBy(f)[0]
	q.write("labels l" + q.indexed() + " CROSS JOIN orders o" + q.dialect.byKey + " WHERE o.key = l.order_key")
	q.and("l.name = ? AND l.value = ?", first.name, first.value)
}

// labelsBy returns the labels that a filter asks for, those first that fewer orders have.
func labelsBy(f order.Filter) []label {
	var all []label
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		all = append(all, label{metadataName(key), clean(f.Metadata[key])})
	}
	if f.Tag != "" {
		all = append(all, label{tagName, clean(f.Tag)})
	}
	return all
}

// createdAt is the time of acceptance in the table whose index the search goes by.
func (q *query) createdAt() string {
	if q.by == byLabel {
		return "l.created_at"
	}
	return "o.created_at"
}

// position continues a list that runs from the newest order to the oldest.
func (q *query) position(after order.Position) {
	if after.IsZero() {
		return
	}
	at := after.CreatedAt.UnixMicro()
	q.and(q.createdAt()+" <= ? AND ("+q.createdAt()+" < ? OR o.id < ?)", at, at, clean(after.ID))
}

func (q *query) created(f order.Filter) {
	if !f.CreatedFrom.IsZero() {
		q.and(q.createdAt()+" >= ?", roundUp(f.CreatedFrom))
	}
	for _, to := range []time.Time{f.CreatedTo, f.SettledTo} { // none is settled before it is accepted
		if !to.IsZero() {
			q.and(q.createdAt()+" < ?", roundUp(to))
		}
	}
}

// roundUp rounds a time up to the next microsecond, as the times of orders have no more.
func roundUp(t time.Time) int64 {
	return t.Add(time.Microsecond - time.Nanosecond).UnixMicro()
}

// conditions adds all fields of a filter but the times of acceptance.
func (q *query) conditions(f order.Filter) {
	q.idPrefix(f.IDPrefix)
	q.settled(f)
	q.amount(f)
	q.equal("o.queue", string(f.Queue))
	q.equal("o.handling", string(f.Handling))
	q.equal("o.status", string(f.Status))
	q.equal("o.customer", f.Customer)
	q.equal("o.country", string(f.Country))
	q.currency(f)
	q.errorContains(f.ErrorContains)
	q.errorFingerprint(f.ErrorFingerprint)
	labels := labelsBy(f)
	if q.by == byLabel {
		labels = labels[1:]
	}
	for _, l := range labels {
		q.and("EXISTS (SELECT 1 FROM labels x WHERE x.order_key = o.key AND x.name = ? AND x.value = ?)", l.name, l.value)
	}
}

// equal also says that the value is not empty, as the indexes do that have only orders
// with one.
func (q *query) equal(column, value string) {
	if value != "" {
		q.and(column+" <> '' AND "+column+" = ?", clean(value))
	}
}

// idPrefix compares as texts: ids have no character beyond ASCII, so all that begin with
// the prefix are below it with the last character of Unicode.
func (q *query) idPrefix(prefix string) {
	if prefix != "" {
		q.and("o.id >= ? AND o.id < ?", clean(prefix), clean(prefix)+"\U0010FFFF")
	}
}

func (q *query) settled(f order.Filter) {
	if !f.SettledFrom.IsZero() {
		q.and("o.settled_at >= ?", roundUp(f.SettledFrom))
	}
	if !f.SettledTo.IsZero() {
		q.and("o.settled_at < ?", roundUp(f.SettledTo))
	}
}

func (q *query) currency(f order.Filter) {
	if f.OrNoCurrency && f.Currency != "" {
		q.and("o.currency IN ('', ?)", clean(string(f.Currency)))
		return
	}
	q.equal("o.currency", string(f.Currency))
}

func (q *query) amount(f order.Filter) {
	if f.AmountMin != nil {
		q.and("o.amount >= ?", tenThousandths(*f.AmountMin))
	}
	if f.AmountMax != nil {
		q.and("o.amount <= ?", tenThousandths(*f.AmountMax))
	}
}

func (q *query) errorContains(text string) {
	if text != "" {
		q.and("o.error <> '' AND "+q.dialect.contains, clean(text))
	}
}

// errorFingerprint also says that there is an error, for the index of orders with one.
func (q *query) errorFingerprint(fingerprint string) {
	if fingerprint != "" {
		q.and("o.error <> ''")
		q.equal("o.fingerprint", fingerprint)
	}
}
