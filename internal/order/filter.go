package order

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Filter selects orders: those that match all of its fields. A zero field matches all.
// Texts match exactly, byte by byte, and nothing in them has a special meaning.
type Filter struct {
	// Status is the status they are in.
	Status Status
	// Customer is their customer, spelt exactly as in the order.
	Customer string
	// CreatedFrom is the earliest time of acceptance, inclusive.
	CreatedFrom time.Time
	// CreatedTo is the end of the times of acceptance, exclusive.
	CreatedTo time.Time
	// Further is what only the archive can select by.
	Further
}

// Further is the part of a Filter that only the archive can select by.
type Further struct {
	// IDPrefix is how their ids begin.
	IDPrefix string
	// Queue is the queue in which they wait or waited.
	Queue Queue
	// Handling is what the rules decided.
	Handling Handling
	// Tag is one of the tags of their decision.
	Tag string
	// Currency is the currency that they name.
	Currency Currency
	// OrNoCurrency includes orders that name none beside those of Currency: it is the
	// installation's.
	OrNoCurrency bool
	// Country is the country of their address.
	Country Country
	// AmountMin is their least amount, inclusive, as Money.Compare compares; nil for any.
	AmountMin *Money
	// AmountMax is their greatest amount, inclusive; nil for any.
	AmountMax *Money
	// ErrorContains is a part of their error. Upper and lower case differ.
	ErrorContains string
	// ErrorFingerprint is the error fingerprint of a group of failures that they belong to.
	ErrorFingerprint string
	// SettledFrom is the earliest time at which they were settled, inclusive. An order
	// whose clock went back counts as settled when it was accepted.
	SettledFrom time.Time
	// SettledTo is the end of the times at which they were settled, exclusive.
	SettledTo time.Time
	// Metadata are values that their metadata has, by key.
	Metadata map[string]string
}

// NeedsArchive reports whether only the archive can select by the filter.
func (f Filter) NeedsArchive() bool { return !reflect.ValueOf(f.Further).IsZero() }

// Position is a position in the list of all orders, which runs from the newest to the
// oldest. The position of an order never changes. The zero value is the start.
type Position struct {
	// CreatedAt is the time of acceptance of the order at this position.
	CreatedAt time.Time
	// ID is that order's.
	ID string
}

// IsZero reports whether this is the start of the list.
func (p Position) IsZero() bool { return p == Position{} }

// Compare returns a negative number if p comes before other in the list, a positive one if
// it comes after it, and otherwise 0.
func (p Position) Compare(other Position) int {
	return cmp.Or(other.CreatedAt.Compare(p.CreatedAt), cmp.Compare(other.ID, p.ID))
}

// FirstOf returns the first of two ends of pages; the zero position is the end of the list.
func FirstOf(p, other Position) Position {
	if p.IsZero() || !other.IsZero() && other.Compare(p) < 0 {
		return other
	}
	return p
}

// Matches reports whether the filter selects an order by everything but its status.
func (f Filter) Matches(rec Record) bool {
	return (f.Customer == "" || f.Customer == rec.Customer) && within(rec.CreatedAt, f.CreatedFrom, f.CreatedTo) && f.matches(rec)
}

func (f Further) matches(rec Record) bool {
	switch {
	case !strings.HasPrefix(rec.ID, f.IDPrefix),
		f.Queue != "" && f.Queue != rec.Queue,
		f.Handling != "" && f.Handling != rec.Handling,
		f.Tag != "" && (rec.Decision == nil || !slices.Contains(rec.Decision.Tags, f.Tag)),
		f.Currency != "" && f.Currency != rec.Currency && (rec.Currency != "" || !f.OrNoCurrency),
		f.Country != "" && f.Country != rec.Country,
		f.AmountMin != nil && rec.Amount.Compare(*f.AmountMin) < 0,
		f.AmountMax != nil && rec.Amount.Compare(*f.AmountMax) > 0,
		!strings.Contains(rec.Error, f.ErrorContains),
		f.ErrorFingerprint != "" && f.ErrorFingerprint != ErrorFingerprint(rec.Error),
		(!f.SettledFrom.IsZero() || !f.SettledTo.IsZero()) && (rec.ProcessedAt.IsZero() || !within(rec.ProcessedAt, f.SettledFrom, f.SettledTo)):
		return false
	}
	for key, value := range f.Metadata {
		if got, ok := rec.Metadata[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// within reports whether a time is between two others; one that is zero is no bound.
func within(at, from, to time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}
