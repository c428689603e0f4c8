package prefetch

import "math/bits"

// bookSet is a set of books. There are at most order.MaxBooks, which is 64.
type bookSet uint64

// allBooks is the set of so many books.
func allBooks(n int) bookSet { return ^bookSet(0) >> (64 - n) }

func (s bookSet) with(book int) bookSet    { return s | 1<<book }
func (s bookSet) without(book int) bookSet { return s &^ (1 << book) }
func (s bookSet) has(book int) bool        { return s&(1<<book) != 0 }
func (s bookSet) len() int                 { return bits.OnesCount64(uint64(s)) }

// from is the first book of the set from one on, in turn. The set must not be empty.
func (s bookSet) from(book int) int {
	return (book + bits.TrailingZeros64(bits.RotateLeft64(uint64(s), -book))) % 64
}
