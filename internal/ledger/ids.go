package ledger

import (
	"crypto/sha256"
	"time"
)

// The ids of forgotten orders are kept as digests, with the beginning of the order's
// fingerprint and its time of acceptance: about 50 bytes of Redis each, 100 at most. They
// are in hashes of a few dozen where there are a million, which Redis keeps compact.
//
// Each hash belongs to a generation, which is named by its end, in seconds since 1970.
// Redis removes it then. An id is put into the generation that lasts for one to two terms
// more, so two generations are looked through for an order that is not known.
const (
	// idBuckets is how many hashes a generation has. The number never changes: ids would
	// not be found.
	idBuckets = 16_384
	// idDigestBytes is the length of a digest: the hash is chosen by the first two bytes,
	// and the other eight are the field in it. Among a billion ids, a new one looks like
	// one of them with a probability of 10^-14.
	idDigestBytes = 10
)

// idDigest returns the digest of an order's id.
func idDigest(id string) string {
	sum := sha256.Sum256([]byte(id))
	return string(sum[:idDigestBytes])
}

// SetIDTerm sets for how long the id of an order is known after Forget has dropped the
// order, in whole seconds; 0, the default, for no longer than the order itself. It must be
// called before the first Forget, and concerns the orders that are dropped from then on.
func (l *Ledger) SetIDTerm(term time.Duration) {
	for _, b := range l.books {
		b.idTerm = term
	}
}
