package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
)

// Tasks finds, moves and removes tasks that Asynq has lost track of; package recovery
// decides which. See orphans.go, delayed.go and corrupt.go.
//
// Asynq itself requeues the tasks of a killed worker after 60 to 90 seconds, and stops
// doing so at the first task that it cannot decode. Tasks goes by the leases instead,
// which a live worker renews every five seconds, and by the clock of Redis alone.
//
// Its methods return order.ErrUnavailable when Redis does not answer. They may run
// concurrently; Orphans and Delayed not with themselves.
type Tasks struct {
	rdb           redis.UniversalClient
	names         names
	book          int // or allBooks
	inspector     *asynq.Inspector
	counter       *counter
	leasesUnknown bool   // the last call of Orphans failed
	delayedSet    int    // the set that Delayed reads next
	delayedCursor uint64 // where in this set
}

// allBooks is the book of Tasks of all books.
const allBooks = -1

// NewTasks returns the Tasks of so many books (0 is 1) on rdb, which stays the caller's to
// close. It fails if the program is built with a version of Asynq whose keys are not known.
func NewTasks(rdb redis.UniversalClient, books int) (*Tasks, error) {
	if err := prefetch.Supported(); err != nil {
		return nil, err
	}
	return &Tasks{rdb: rdb, names: newNames(books), book: allBooks, inspector: newAsynqInspector(rdb, books), counter: newCounter(rdb, books)}, nil
}

// OfBook returns the Tasks of one book, which need no Redis node but those of the book: it
// finds the tasks of this book alone, and saves their leases apart from those of others.
// With one book they are the Tasks of all.
func (t *Tasks) OfBook(book int) *Tasks {
	return &Tasks{rdb: t.rdb, names: t.names, book: book, inspector: t.inspector, counter: t.counter}
}

// queues are Asynq's queues whose tasks are found.
func (t *Tasks) queues() []string {
	if t.book == allBooks {
		return t.names.all
	}
	return t.names.inBook(t.book)
}

// leasesKey holds the leases as they were last read.
func (t *Tasks) leasesKey() string {
	if t.book == allBooks || t.names.books == 1 {
		return allLeasesKey
	}
	return leasesKey(t.book)
}

// newAsynqInspector returns Asynq's inspector. With several books it does not ask which
// queues there are, as that would make all books depend on one Redis node.
func newAsynqInspector(rdb redis.UniversalClient, books int) *asynq.Inspector {
	if books > 1 && prefetch.Supported() == nil {
		rdb = prefetch.AllQueuesKnown(rdb)
	}
	return asynq.NewInspectorFromRedisClient(rdb)
}

// taskKey returns the key of a task's hash. Its id is the order's.
func taskKey(queue, id string) string { return queueKey(queue, "t:"+id) }

// findTask returns Asynq's view of a task. It returns order.ErrCorrupt, and with it
// Asynq's own error, for a task that is missing or cannot be decoded.
func findTask(ctx context.Context, inspector *asynq.Inspector, queue, id string) (*asynq.TaskInfo, error) {
	info, err := withContext(ctx, func() (*asynq.TaskInfo, error) { return inspector.GetTaskInfo(queue, id) })
	switch {
	case err == nil && info.ID == id && info.Queue == queue:
		return info, nil
	case err == nil:
		return nil, fmt.Errorf("find task of order %s: %w: it is another order's", id, order.ErrCorrupt)
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound), isDecodeError(err):
		return nil, fmt.Errorf("find task of order %s: %w: %w", id, order.ErrCorrupt, err)
	default:
		return nil, fmt.Errorf("find task of order %s: %w: %w", id, order.ErrUnavailable, err)
	}
}

// isDecodeError reports whether Asynq found a task that it cannot decode. Asynq has no
// error value for that, so its text decides.
func isDecodeError(err error) bool {
	texts := []string{"could not decode", "unexpected value", "not supported task state", "WRONGTYPE"}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(err.Error(), text) })
}
