// Package order is the language of the service: what a client submits, what an
// order is, which states it passes through, and how each of these can fail.
//
// It receives a Submission that nobody has checked and hands on an Order that
// everybody may trust. It owns no state, talks to nothing and depends on the
// standard library alone, so nothing is durable after it.
package order

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"time"
)

// Order is a submission that passed New. Its fields never change afterwards:
// what happens to an order is told by its Record.
type Order struct {
	// ID names the order for its whole life: 1 to 64 of A-Z a-z 0-9 . _ -,
	// but not "." or "..".
	ID string `json:"id"`
	// Amount is what the order is worth, above zero.
	Amount Money `json:"amount"`
	// Items lists what was ordered: 1 to MaxItems names.
	Items []string `json:"items"`
	// Customer names who ordered, up to MaxCustomerChars.
	Customer string `json:"customer"`
	// Address says where to, up to MaxAddressChars; it may span lines.
	Address string `json:"address"`
	// Priority says how urgent the client finds it.
	Priority Priority `json:"priority"`
	// Notes is free text, up to MaxNotesChars; it may span lines or be empty.
	Notes string `json:"notes,omitempty"`
	// ProcessAt is when work on it may begin, UTC, to the microsecond; zero for
	// at once.
	ProcessAt time.Time `json:"process_at,omitzero"`
}

// View is an order as clients and the shop see it in JSON.
type View struct {
	Order
	// ProcessAt is that of the order.
	ProcessAt Timestamp `json:"process_at,omitzero"`
}

// View returns the order as clients and the shop see it.
func (o Order) View() View { return View{o, Timestamp{o.ProcessAt}} }

// fingerprintBytes is how much of the digest a Fingerprint keeps: 128 bits
// leave accidental collisions out of the question at half the memory.
const fingerprintBytes = 16

// Fingerprint digests the content of the order, its id left out: two
// submissions with equal fingerprints ask for the same thing. It is 22
// characters of unpadded URL-safe base64 over the first 128 bits of a SHA-256.
// Each field is fed with its length in front, so that no two different orders
// can spell the same bytes.
func (o Order) Fingerprint() string {
	h := sha256.New()
	writeNumber(h, int64(o.Amount))
	writeNumber(h, int64(o.Priority))
	writeText(h, o.Customer)
	writeText(h, o.Address)
	writeText(h, o.Notes)
	writeNumber(h, int64(len(o.Items)))
	for _, item := range o.Items {
		writeText(h, item)
	}
	if !o.ProcessAt.IsZero() {
		writeNumber(h, o.ProcessAt.UnixMicro())
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:fingerprintBytes])
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
