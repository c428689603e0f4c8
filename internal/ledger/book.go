package ledger

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

const (
	// maxEntries is roughly how many entries the stream of events of a book keeps, the
	// newest ones. That is 100,000 events, about 15 MB, when updates share scripts, and
	// 10,000 when each runs alone.
	maxEntries = 10_000
	// entryEvents is how many events one entry holds at most.
	entryEvents = 10
)

// Book is one book of a ledger. It is safe for concurrent use, by any number of processes.
type Book struct {
	rdb      redis.UniversalClient
	number   int
	of       int // how many books there are
	keys     keys
	marks    string  // the key of the marks, empty without an archive
	archive  Archive // or nil
	idTerm   time.Duration
	batchers batchers
	reads    *reads
	leads    *batch.Batcher[candidacy, *redis.Cmd] // shared by all books
}

func newBook(rdb redis.UniversalClient, number, of int, a Archive, leads *batch.Batcher[candidacy, *redis.Cmd]) *Book {
	b := &Book{rdb: rdb, number: number, of: of, keys: newKeys(number), archive: a, leads: leads}
	if a != nil {
		b.marks = b.keys.marks
	}
	b.reads = newReads(b.readRecords)
	b.batchers = newBatchers(b.runScript)
	return b
}

// Number returns the number of the book, from 0.
func (b *Book) Number() int { return b.number }

// Now returns the time by the clock of Redis, the clock of the book.
func (b *Book) Now(ctx context.Context) (time.Time, error) {
	if b.of == 1 {
		now, err := b.rdb.Time(ctx).Result()
		return now.UTC(), wrap(err, "read the time")
	}
	// A Cluster may send the command TIME to any node.
	us, err := nowScript.Run(ctx, b.rdb, []string{b.keys.counters}).Text()
	return parseTime(us), wrap(err, "read the time of book %d", b.number)
}

// Node returns the address of the Redis node that has the book; see NodeOf.
func (b *Book) Node(ctx context.Context) (string, error) {
	return NodeOf(ctx, b.rdb, b.keys.counters)
}

// Kept returns how many settled orders have not left the book. It returns
// order.ErrUnavailable when Redis did not answer.
func (b *Book) Kept(ctx context.Context) (total int64, err error) {
	pipe := b.rdb.Pipeline()
	var counts []*redis.IntCmd
	for _, s := range order.Statuses() {
		if s.Settled() {
			counts = append(counts, pipe.ZCard(ctx, b.keys.index(s)))
		}
	}
	_, err = pipe.Exec(ctx)
	for _, n := range counts {
		total += n.Val()
	}
	return total, wrap(err, "count what book %d keeps", b.number)
}
