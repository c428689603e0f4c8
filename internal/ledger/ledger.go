// Package ledger keeps the books: what every order is, where it stands, what
// was tried, and how many there are of each kind.
//
// It receives orders from intake and reports of attempts from the workers, and
// hands out records and totals. It owns all keys below orders: in Redis. When
// one of its changes returns without an error, record, index, counters and
// event have been written together by one script, and Redis keeps them as far
// as its persistence goes. Every change can be repeated after an error: it is
// applied once.
package ledger

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxEntries is roughly how many entries the stream of events keeps, the newest
	// ones: 100,000 events when orders come together, about 15 MB, and 10,000 when
	// they come one by one.
	maxEntries = 10_000
	// entryEvents is how many events one entry holds at most.
	entryEvents = 10
)

// Ledger is the books in one Redis. It is safe for concurrent use, by any
// number of processes.
type Ledger struct {
	rdb      redis.UniversalClient
	batchers batchers
	reads    *reads
}

// New returns the ledger in rdb, which stays the caller's to close.
func New(rdb redis.UniversalClient) *Ledger {
	return &Ledger{rdb: rdb, batchers: newBatchers(rdb), reads: newReads(rdb)}
}

// Ping asks Redis for an answer. It returns order.ErrUnavailable without one.
func (l *Ledger) Ping(ctx context.Context) error {
	return wrap(l.rdb.Ping(ctx).Err(), "ping redis")
}

// Now is the time by the clock of Redis, the clock of the books.
func (l *Ledger) Now(ctx context.Context) (time.Time, error) {
	now, err := l.rdb.Time(ctx).Result()
	return now.UTC(), wrap(err, "read the time")
}
