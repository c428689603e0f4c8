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

// and adds a condition on a column, whose name is in place of the %. An index of that
// column is used if it is the one that the search goes by.
func (q *query) and(column, condition string, by index, args ...any) {
	if by != q.by {
		column = q.dialect.off + column
	}
	q.write(" AND "+strings.ReplaceAll(condition, "%", column), args...)
}

// pageStatement selects up to n orders that match after a position. It first finds their
// keys, so that sorting moves no records.
func (d dialect) pageStatement(f order.Filter, by index, after order.Position, n int) (statement string, args []any) {
	q := query{dialect: d, by: by}
	q.write("SELECT p.id, p.created_at, p.record FROM orders p WHERE p.key IN (SELECT o.key FROM ")
	q.source(f)
	q.position(after)
	q.created(f)
	q.conditions(f)
	q.write(" ORDER BY "+q.createdAt()+" DESC, o.id DESC LIMIT ?", n)
	q.write(") ORDER BY " + d.off + "p.created_at DESC, p.id DESC")
	return d.sql(q.text.String()), q.args
}

// source begins the search in the table whose index it goes by.
func (q *query) source(f order.Filter) {
	var first label
	switch q.by { //nolint:exhaustive // the others are indexes of orders
	case byMetadata:
		key := slices.Min(slices.Collect(maps.Keys(f.Metadata)))
		first = label{metadataName(key), clean(f.Metadata[key])}
	case byTag:
		first = label{tagName, clean(f.Tag)}
	default:
		q.write("orders o WHERE 1 = 1")
		return
	}
	// SQLite goes through the tables of a CROSS JOIN in the order in which they are named.
	q.write("labels l CROSS JOIN orders o WHERE o.key = l.order_key AND l.name = ? AND l.value = ?", first.name, first.value)
}

// createdAt is the time of acceptance in the index that the search goes by. The indexes
// of ranges are sorted by something else before it.
func (q *query) createdAt() string {
	switch q.by { //nolint:exhaustive // the others are indexes of orders, sorted by it
	case byMetadata, byTag:
		return "l.created_at"
	case byID, bySettled:
		return q.dialect.off + "o.created_at"
	default:
		return "o.created_at"
	}
}

// position continues a list that runs from the newest order to the oldest.
func (q *query) position(after order.Position) {
	if after.IsZero() {
		return
	}
	at := after.CreatedAt.UnixMicro()
	q.write(" AND "+q.createdAt()+" <= ? AND ("+q.createdAt()+" < ? OR "+q.dialect.off+"o.id < ?)", at, at, clean(after.ID))
}

func (q *query) created(f order.Filter) {
	if !f.CreatedFrom.IsZero() {
		q.write(" AND "+q.createdAt()+" >= ?", roundUp(f.CreatedFrom))
	}
	if !f.CreatedTo.IsZero() {
		q.write(" AND "+q.createdAt()+" < ?", roundUp(f.CreatedTo))
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
	q.equal("o.customer", f.Customer, byCustomer)
	q.equal("o.status", string(f.Status), byStatus)
	q.equal("o.queue", string(f.Queue), byCreated)
	q.equal("o.handling", string(f.Handling), byCreated)
	q.country(f.Country)
	q.currency(f)
	q.amount(f)
	q.errorContains(f.ErrorContains)
	if f.Tag != "" && q.by != byTag {
		q.label(label{tagName, clean(f.Tag)})
	}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		q.label(label{metadataName(key), clean(f.Metadata[key])})
	}
}

func (q *query) equal(column, value string, by index) {
	if value != "" {
		q.and(column, "% = ?", by, clean(value))
	}
}

// idPrefix compares as texts: ids have no character beyond ASCII, so all that begin with
// the prefix are below it with the last character of Unicode.
func (q *query) idPrefix(prefix string) {
	if prefix != "" {
		q.and("o.id", "% >= ? AND % < ?", byID, clean(prefix), clean(prefix)+"\U0010FFFF")
	}
}

func (q *query) settled(f order.Filter) {
	if !f.SettledFrom.IsZero() {
		q.and("o.settled_at", "% >= ?", bySettled, roundUp(f.SettledFrom))
	}
	if !f.SettledTo.IsZero() {
		q.and("o.settled_at", "% < ?", bySettled, roundUp(f.SettledTo))
	}
}

// country repeats the condition of the index, which only has orders with a country.
func (q *query) country(c order.Country) {
	if c != "" {
		q.and("o.country", "% <> '' AND % = ?", byCountry, clean(string(c)))
	}
}

func (q *query) currency(f order.Filter) {
	switch {
	case f.Currency == "":
	case f.OrNoCurrency:
		q.and("o.currency", "% IN ('', ?)", byCurrency, clean(string(f.Currency)))
	default:
		q.and("o.currency", "% <> '' AND % = ?", byCurrency, clean(string(f.Currency)))
	}
}

func (q *query) amount(f order.Filter) {
	if f.AmountMin != nil {
		q.write(" AND o.amount >= ?", tenThousandths(*f.AmountMin))
	}
	if f.AmountMax != nil {
		q.write(" AND o.amount <= ?", tenThousandths(*f.AmountMax))
	}
}

func (q *query) errorContains(text string) {
	if text == "" {
		return
	}
	q.and("o.error", "% <> ''", byError)
	q.write(" AND "+strings.ReplaceAll(q.dialect.contains, "%", "o.error"), clean(text))
}

// label looks for a label of an order that was found otherwise.
func (q *query) label(l label) {
	q.write(" AND EXISTS (SELECT 1 FROM labels x WHERE x.order_key = o.key AND x.name = ? AND x.value = ?)", l.name, l.value)
}
