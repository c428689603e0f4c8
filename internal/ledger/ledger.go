// Package ledger keeps the books: every order with its status and attempts, the events
// of all orders, and how many orders there are of each kind.
//
// It receives orders from intake and attempts from the workers, and returns records
// and totals. It owns all keys that begin with orders: in Redis. When one of its
// methods returns without an error, one script has written record, index, counters and
// event together, and Redis keeps them as far as its persistence goes. Every method
// can be repeated after an error: it is applied once.
//
// There may be several books, each in a slot of a Redis Cluster of its own. An order is in
// one of them for good. What concerns the whole service is in book 0.
package ledger

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Ledger is all books in one Redis or Redis Cluster. It is safe for concurrent use, by any
// number of processes.
type Ledger struct {
	service
	books []*Book
	// totals are the last that each book was known to have.
	totals []atomic.Pointer[lastTotals]
}

// service is what there is once for all books, in book 0: the rule sets, the circuit
// breakers, the samples, the programs, and what people did elsewhere than in a book.
type service struct {
	rdb  redis.UniversalClient
	keys keys
}

// Config is how a ledger is kept. All programs must have the same.
type Config struct {
	// Books is how many books there are, 1 to order.MaxBooks; 0 counts as 1. See Fix.
	Books int
	// Archive is where orders also go; nil for nowhere. With an archive, every change marks
	// its order until the archive has it, and no order is forgotten before.
	Archive Archive
}

// New returns the ledger of one book in rdb, without an archive. The caller closes rdb.
func New(rdb redis.UniversalClient) *Ledger { return NewWith(rdb, Config{}) }

// NewWith returns the ledger in rdb. The caller closes rdb.
func NewWith(rdb redis.UniversalClient, cfg Config) *Ledger {
	l := &Ledger{service: service{rdb, newKeys(0)}, books: make([]*Book, max(cfg.Books, 1))}
	l.totals = make([]atomic.Pointer[lastTotals], len(l.books))
	leads := newLeads(rdb, len(l.books))
	for n := range l.books {
		l.books[n] = newBook(rdb, n, len(l.books), cfg.Archive, leads)
	}
	return l
}

// Books returns each book, by number.
func (l *Ledger) Books() []*Book { return l.books }

// of returns the book of an order.
func (l *Ledger) of(id string) *Book { return l.books[order.BookOf(id, len(l.books))] }

func (l *Ledger) first() *Book { return l.books[0] }

// divide returns for each book which of n orders are in it.
func (l *Ledger) divide(n int, id func(i int) string) [][]int {
	parts := make([][]int, len(l.books))
	for i := range n {
		book := order.BookOf(id(i), len(l.books))
		parts[book] = append(parts[book], i)
	}
	return parts
}

// Ping checks that Redis answers. It returns order.ErrUnavailable otherwise.
func (l *Ledger) Ping(ctx context.Context) error {
	return wrap(l.rdb.Ping(ctx).Err(), "ping redis")
}

// Now returns the time by the clock of Redis, the clock of the books.
func (s *service) Now(ctx context.Context) (time.Time, error) {
	now, err := s.rdb.Time(ctx).Result()
	return now.UTC(), wrap(err, "read the time")
}
