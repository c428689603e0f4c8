// Package ordertest builds submissions and orders for tests. A test names what matters
// to it, and gets a valid order that is ordinary in everything else.
package ordertest

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"orderprocessor/internal/order"
)

// Option changes the ordinary submission.
type Option = func(*order.Submission)

// Submission returns a submission without an id that order.New accepts, changed
// by the options in turn. What the options make of it may be invalid.
func Submission(opts ...Option) order.Submission {
	s := order.Submission{
		Amount:   "12.50",
		Items:    order.SubmittedNames("item 0"),
		Customer: "Ada Lovelace",
		Address:  "12 St James's Square\nLondon",
	}
	for _, opt := range opts {
		opt(&s)
	}
	return s
}

// Order returns the order of such a submission, with a fresh UUIDv7 unless the
// options gave it an id. An invalid submission ends the test.
func Order(tb testing.TB, opts ...Option) order.Order {
	tb.Helper()
	s := Submission(opts...)
	if s.ID == "" {
		s.ID = uuid.Must(uuid.NewV7()).String()
	}
	terms := order.DefaultTerms()
	if s.Currency != "" {
		terms.Currencies = append(terms.Currencies, order.Currency(s.Currency))
	}
	o, err := terms.New(s, time.Now())
	if err != nil {
		tb.Fatalf("ordertest: %v", err)
	}
	return o
}

// Full sets every field, each to a value that is not its default. Tests that must hold
// for all fields use it, so a new field is set here once.
func Full(s *order.Submission) {
	s.ID, s.Status = "full", string(order.StatusPending)
	s.Amount, s.Currency = "999.99", string(order.DefaultCurrency)
	s.Items = append(order.SubmittedNames("tea"), order.SubmittedItem{
		Item: order.Item{Name: "cups", Detailed: true, SKU: "c-1"}, Quantity: "6", UnitPrice: "2.50",
	})
	s.Customer, s.Address = "Grace Hopper", "1 Main Street\nArlington"
	s.Country, s.Metadata = "US", map[string]string{"basket": "77", "gift": ""}
	s.Priority, s.Notes, s.ProcessAt = "3", "Ring twice.", "2026-01-02T03:04:05.678901Z"
}

// WithID sets the id.
func WithID(id string) Option {
	return func(s *order.Submission) { s.ID = id }
}

// WithAmount sets the amount, written as a JSON number.
func WithAmount(number string) Option {
	return func(s *order.Submission) { s.Amount = number }
}

// WithCurrency sets the currency. Order accepts every one.
func WithCurrency(code string) Option {
	return func(s *order.Submission) { s.Currency = code }
}

// WithItems sets n different items.
func WithItems(n int) Option {
	return func(s *order.Submission) {
		s.Items = make([]order.SubmittedItem, n)
		for i := range s.Items {
			s.Items[i].Name = "item " + strconv.Itoa(i)
		}
	}
}

// WithCustomer sets the customer.
func WithCustomer(name string) Option {
	return func(s *order.Submission) { s.Customer = name }
}

// WithPriority sets the priority.
func WithPriority(p order.Priority) Option {
	return func(s *order.Submission) { s.Priority = strconv.Itoa(int(p)) }
}

// WithProcessAt sets the time at which work may begin.
func WithProcessAt(at time.Time) Option {
	return func(s *order.Submission) { s.ProcessAt = at.Format(time.RFC3339Nano) }
}
