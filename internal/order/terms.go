package order

import "strings"

// Terms are what an installation accepts. They apply to submissions only: an order keeps
// what it was accepted with.
type Terms struct {
	// Currency is the currency of an order that names none.
	Currency Currency
	// Currencies are the currencies that an order may have. If Currency is not among
	// them, an order must name one.
	Currencies []Currency
	// AllowFree lets an order have the amount 0.
	AllowFree bool
	// AddressRequired refuses an order without an address.
	AddressRequired bool
}

// DefaultTerms returns the terms of an installation that sets none.
func DefaultTerms() Terms {
	return Terms{Currency: DefaultCurrency, Currencies: []Currency{DefaultCurrency}, AddressRequired: true}
}

// accepted lists the currencies for a sentence.
func (t Terms) accepted() string {
	codes := make([]string, len(t.Currencies))
	for i, c := range t.Currencies {
		codes[i] = string(c)
	}
	return strings.Join(codes, ", ")
}
