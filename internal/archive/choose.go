package archive

import (
	"context"

	"orderprocessor/internal/order"
)

// index is the index that a search goes by.
type index string

// The indexes of a search; see Search.
const (
	byID       index = "orders_by_id"
	byCustomer index = "orders_by_customer"
	byLabel    index = "labels_by_value"
	bySettled  index = "orders_by_settled"
	byCountry  index = "orders_by_country"
	byCurrency index = "orders_by_currency"
	byStatus   index = "orders_by_status"
	byError    index = "orders_by_error"
	byCreated  index = "orders_by_created"
)

// maxSorted is how many orders a search sorts for each page: about 30 ms of work. An
// index of ranges does not lead to the orders newest first. Where more orders match, at
// least one in some hundreds does as long as there are millions, so a page is found soon
// without it.
const maxSorted = 20_000

// choose returns the index for a filter.
func (a *Archive) choose(ctx context.Context, f order.Filter) (index, error) {
	if f.IDPrefix != "" {
		if few, err := a.few(ctx, byID, f); few || err != nil {
			return byID, err
		}
	}
	switch {
	case f.Customer != "":
		return byCustomer, nil
	case len(f.Metadata) > 0, f.Tag != "":
		return byLabel, nil
	}
	if !f.SettledFrom.IsZero() || !f.SettledTo.IsZero() {
		if few, err := a.few(ctx, bySettled, f); few || err != nil {
			return bySettled, err
		}
	}
	return ordered(f), nil
}

// ordered returns the index of those that lead to the orders newest first, but for
// those of one customer or label.
func ordered(f order.Filter) index {
	switch {
	case f.Country != "":
		return byCountry
	case f.Currency != "" && !f.OrNoCurrency:
		return byCurrency
	case f.Status != "":
		return byStatus
	case f.ErrorContains != "", f.ErrorFingerprint != "":
		return byError
	default:
		return byCreated
	}
}

// few reports whether at most maxSorted orders are in the range of an index, which takes
// a few milliseconds at most.
func (a *Archive) few(ctx context.Context, by index, f order.Filter) (bool, error) {
	q := query{dialect: a.dialect, by: by}
	q.write("SELECT count(*) FROM (SELECT 1 FROM orders o" + q.indexed() + " WHERE 1 = 1")
	if by == byID {
		q.idPrefix(f.IDPrefix)
	} else {
		q.settled(f)
	}
	q.write(" LIMIT ?) AS few", maxSorted+1)
	var n int
	err := a.read.QueryRowContext(ctx, a.dialect.sql(q.text.String()), q.args...).Scan(&n)
	return n <= maxSorted, err
}
