// Package order is the language of the service: what a client submits, what an
// order is, which states it passes through, and how each of these can fail.
//
// It receives a Submission that nobody has checked and returns an Order that every
// other package may trust. It has no state, does no I/O and depends on the standard
// library alone, so nothing is durable after it.
package order

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
	"time"
)

// Content is what a client asks for. This struct declares every field of an order
// once: Order, Record, View and the views of the API embed it, and the ledger's
// document does not compile until it has the same fields.
type Content struct {
	// Amount is what the order is worth, not below zero, with the decimals of its currency.
	Amount Money `json:"amount"`
	// Currency is the currency of all amounts of the order, as the client sent it.
	Currency Currency `json:"currency,omitempty"`
	// Items lists what was ordered: 1 to MaxItems of them.
	Items []Item `json:"items"`
	// Customer names who ordered, up to MaxCustomerChars.
	Customer string `json:"customer"`
	// Address is where to deliver, up to MaxAddressChars; it may span lines. It is
	// empty where Terms.AddressRequired allows that.
	Address string `json:"address,omitempty"`
	// Country is the country of the address, as the client sent it.
	Country Country `json:"country,omitempty"`
	// Priority is how urgent the client finds the order.
	Priority Priority `json:"priority"`
	// Notes is free text, up to MaxNotesChars; it may span lines or be empty.
	Notes string `json:"notes,omitempty"`
	// Metadata is what the shop wants to find again: up to MaxMetadataKeys keys of up to
	// MaxMetadataKeyChars, with values of up to MaxMetadataValueChars. Nil means that the
	// client sent none. It must not be changed.
	Metadata map[string]string `json:"metadata,omitzero"`
	// ProcessAt is when work on the order may begin, UTC, to the microsecond; zero
	// means at once.
	ProcessAt time.Time `json:"process_at,omitzero"`
}

// Order is a submission that passed New. Its fields never change afterwards; its
// Record holds what happens to it.
type Order struct {
	// ID names the order for its whole life: 1 to 128 of
	// A-Z a-z 0-9 . _ ~ : / # = @ + -, but not "." or "..".
	ID string `json:"id"`
	Content
}

// CurrencyOr returns the order's currency, or the one given if the client named none.
func (c Content) CurrencyOr(other Currency) Currency {
	if c.Currency != "" {
		return c.Currency
	}
	return other
}

// View is an order as clients and the shop see it in JSON.
type View struct {
	Order
	// ProcessAt replaces the order's own, to write it as all other times are written.
	ProcessAt Timestamp `json:"process_at,omitzero"`
}

// View returns the order as clients and the shop see it.
func (o Order) View() View { return View{o, Timestamp{o.ProcessAt}} }

// fingerprintBytes is how much of the digest a fingerprint keeps: 128 bits rule out
// accidental collisions at half the memory.
const fingerprintBytes = 16

// Fingerprint digests the content: two submissions with equal fingerprints ask for
// the same thing. It is 22 characters of unpadded URL-safe base64 over the first 128
// bits of a SHA-256. Each text is hashed with its length in front, and what may be
// absent with its name, so no two different contents hash the same bytes. Records keep fingerprints: a new field
// must be hashed last and only when it is set, so that those of earlier orders stay
// as they are.
func (c Content) Fingerprint() string {
	h := sha256.New()
	writeNumber(h, c.Amount.Minor)
	writeNumber(h, int64(c.Priority))
	writeText(h, c.Customer)
	writeText(h, c.Address)
	writeText(h, c.Notes)
	writeNumber(h, int64(len(c.Items)))
	for _, item := range c.Items {
		writeText(h, item.Name)
	}
	if !c.ProcessAt.IsZero() {
		writeNumber(h, c.ProcessAt.UnixMicro())
	}
	c.writeCurrency(h)
	c.writeDetails(h)
	c.writeDestination(h)
	c.writeMetadata(h)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:fingerprintBytes])
}

// writeCurrency hashes the currency, and the decimals if they are not those of orders
// that were accepted before there were currencies.
func (c Content) writeCurrency(h hash.Hash) {
	if c.Currency != "" {
		writeText(h, "currency")
		writeText(h, string(c.Currency))
	}
	if c.Amount.Decimals != Cents(0).Decimals {
		writeText(h, "decimals")
		writeNumber(h, int64(c.Amount.Decimals))
	}
}

func (c Content) writeDestination(h hash.Hash) {
	if c.Country != "" {
		writeText(h, "country")
		writeText(h, string(c.Country))
	}
}

func (c Content) writeMetadata(h hash.Hash) {
	if c.Metadata == nil {
		return
	}
	writeText(h, "metadata")
	writeNumber(h, int64(len(c.Metadata)))
	for _, key := range slices.Sorted(maps.Keys(c.Metadata)) {
		writeText(h, key)
		writeText(h, c.Metadata[key])
	}
}

func writeNumber(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // the bits are hashed, never read back as a number
	h.Write(b[:])
}

func writeText(h hash.Hash, s string) {
	writeNumber(h, int64(len(s)))
	h.Write([]byte(s))
}
