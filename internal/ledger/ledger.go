// Package ledger keeps the books: every order with its status and attempts, the events
// of all orders, and how many orders there are of each kind.
//
// It receives orders from intake and attempts from the workers, and returns records
// and totals. It owns all keys that begin with orders: in Redis. When one of its
// methods returns without an error, one script has written record, index, counters and
// event together, and Redis keeps them as far as its persistence goes. Every method
// can be repeated after an error: it is applied once.
package ledger

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxEntries is roughly how many entries the stream of events keeps, the newest
	// ones. That is 100,000 events, about 15 MB, when updates share scripts, and 10,000
	// when each runs alone.
	maxEntries = 10_000
	// entryEvents is how many events one entry holds at most.
	entryEvents = 10
)

// Ledger is the books in one Redis. It is safe for concurrent use, by any
// number of processes.
type Ledger struct {
	rdb      redis.UniversalClient
	marks    string  // the key of the marks, empty without an archive
	archive  Archive // or nil
	idTerm   time.Duration
	batchers batchers
	reads    *reads
}

// New returns the ledger in rdb. The caller closes rdb.
func New(rdb redis.UniversalClient) *Ledger {
	l := &Ledger{rdb: rdb, reads: newReads(rdb)}
	l.batchers = newBatchers(l.runScript)
	return l
}

// NewArchived returns the ledger of orders that also go into an archive: every change
// marks its order until the archive has it, and no order is forgotten before. All programs
// must have the same.
func NewArchived(rdb redis.UniversalClient, a Archive) *Ledger {
	l := New(rdb)
	l.marks, l.archive = marksKey, a
	return l
}

// Ping checks that Redis answers. It returns order.ErrUnavailable otherwise.
func (l *Ledger) Ping(ctx context.Context) error {
	return wrap(l.rdb.Ping(ctx).Err(), "ping redis")
}

// Now returns the time by the clock of Redis, the clock of the books.
func (l *Ledger) Now(ctx context.Context) (time.Time, error) {
	now, err := l.rdb.Time(ctx).Result()
	return now.UTC(), wrap(err, "read the time")
}
