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
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
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
	rdb    redis.UniversalClient
	groups groups
	reads  *reads
}

// New returns the ledger in rdb, which stays the caller's to close.
func New(rdb redis.UniversalClient) *Ledger {
	return &Ledger{rdb: rdb, groups: newGroups(rdb), reads: newReads(rdb)}
}

// Ping asks Redis for an answer. It returns order.ErrUnavailable without one.
func (l *Ledger) Ping(ctx context.Context) error {
	return wrap(l.rdb.Ping(ctx).Err(), "ping redis")
}

// Get returns the record of an order, or order.ErrNotFound.
func (l *Ledger) Get(ctx context.Context, id string) (order.Record, error) {
	fields, err := l.read(ctx, id)
	if err != nil {
		return order.Record{}, wrap(err, "read order %s", id)
	}
	if len(fields) == 0 {
		return order.Record{}, fmt.Errorf("read order %s: %w", id, order.ErrNotFound)
	}
	return parseRecord(id, fields)
}

// Now is the time by the clock of Redis, the clock of the books.
func (l *Ledger) Now(ctx context.Context) (time.Time, error) {
	now, err := l.rdb.Time(ctx).Result()
	return now.UTC(), wrap(err, "read the time")
}

// wrap names the operation and its subject, and tells a Redis that is away, to
// be asked again, from one that refuses a wrong command.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	operation := fmt.Sprintf(format, args...)
	if unavailable(err) {
		return fmt.Errorf("%s: %w: %w", operation, order.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// passing lists what marks the error replies of a Redis that is not able to work at
// the moment, or not for this user: starting, failing over, a replica, out of
// replicas, of memory or of disk, or with rights withdrawn. The lines without capitals
// are replies without a code of their own, those of Redis 6.2 to scripts among them.
var passing = []string{ //nolint:gochecknoglobals // a constant list
	"LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "READONLY", "NOREPLICAS", "OOM", "MISCONF", "BUSY",
	"NOPERM", "NOAUTH", "WRONGPASS", "DENIED", "NOGOODSLAVE",
	"max number of clients", "ACL failure in script", "user executing the script", "unknown command",
	"Unknown Redis command", "Disk error", "invalid password", "without any password configured",
}

func unavailable(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return !errors.Is(err, context.Canceled) // the caller's own wish
	}
	if redis.IsAuthError(err) || redis.IsPermissionError(err) {
		return true
	}
	for _, p := range passing {
		if strings.Contains(reply.Error(), p) {
			return true
		}
	}
	return false
}
