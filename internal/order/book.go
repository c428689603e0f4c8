package order

import "math/bits"

// MaxBooks is how many books there may be.
const MaxBooks = 64

// BookOf returns in which of some books an order is, from 0. It is a function of the order's
// id alone and spreads ids evenly: FNV-1a with the finalizer of MurmurHash3, both with 64
// bits. It must never change, as an order is looked for where it says.
func BookOf(id string, books int) int {
	const offset, prime, mix1, mix2 = 14695981039346656037, 1099511628211, 0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53
	hash := uint64(offset)
	for i := range len(id) {
		hash = (hash ^ uint64(id[i])) * prime
	}
	hash = (hash ^ hash>>33) * mix1
	hash = (hash ^ hash>>33) * mix2
	book, _ := bits.Mul64(hash^hash>>33, uint64(books)) //nolint:gosec // 1 to MaxBooks
	return int(book)                                    //nolint:gosec // below MaxBooks
}
