package prefetch

import (
	"time"

	"orderprocessor/internal/order"
)

const (
	// slowAfter is how long a fetch may keep the other books of its queue waiting. The
	// Redis node of a book may be away.
	slowAfter = 25 * time.Millisecond
	// maxFetches is how many books of a queue are fetched from at the same time, without
	// those that are slow.
	maxFetches = 8
)

// queue is one queue over all books: the tasks fetched from it, and what is known of it.
// The mutex of the Prefetcher guards it.
//
// Its books take turns: the tasks of one fetch are begun together, so that they are
// acknowledged together, and the next fetch asks the next book that may have tasks. A book
// that had as many tasks as were wanted may have more than are worth fetching, and is
// fetched from alone; of the others, several are at the same time.
type queue struct {
	name    order.Queue
	buffers []*buffer // by book

	filled   bookSet // books with buffered tasks
	empty    bookSet // books of which a fetch got all tasks there were, until the next wake-up
	fetching bookSet // books that are being fetched from
	slow     bookSet // those of them for which that takes long

	beginAt, fetchAt int // the books whose turn it is
	buffered         int // tasks
	wanted           int // tasks that are being fetched, without slow fetches

	// begun counts the tasks taken since the pace was measured.
	begun int
	// pace is how many tasks are taken in the time of lookahead.
	pace int
}

// newQueue returns a queue with a buffer for each book. One book is fetched from without a
// reason; of several, those that have tasks are found out first.
func newQueue(q order.Queue, names []string) *queue {
	own := &queue{name: q}
	for book, name := range names {
		own.buffers = append(own.buffers, &buffer{queue: own, book: book, name: name})
	}
	if len(names) > 1 {
		own.empty = allBooks(len(names))
	}
	return own
}

// ready returns the buffer whose oldest task is begun next, nil if there is none. Tasks that
// are older than maxAge, perhaps because the machine was suspended, may be another worker's
// by now, and are requeued soon.
func (q *queue) ready(maxAge time.Duration) *buffer {
	for left := q.filled; left != 0; {
		book := left.from(q.beginAt)
		if b := q.buffers[book]; wallClock().Sub(b.tasks[0].at) <= maxAge {
			q.beginAt = book
			return b
		}
		left = left.without(book)
	}
	return nil
}

// prompt is how many fetches are under way that are not slow.
func (q *queue) prompt() int { return (q.fetching &^ q.slow).len() }

// fetchable returns the buffer that is fetched into next, nil if there is none, when room
// is left for so many tasks. One is always fetched into. The more are slow, the more may
// be: however many books are away, the others are soon found among them.
func (q *queue) fetchable(except bookSet, room int) *buffer {
	left := allBooks(len(q.buffers)) &^ q.empty &^ q.fetching &^ except
	prompt := q.prompt()
	if left == 0 || prompt > 0 && (room <= 0 || prompt >= maxFetches+q.slow.len()) {
		return nil
	}
	return q.buffers[left.from(q.fetchAt)]
}

// share is how many tasks are fetched into a buffer when room is left for so many.
func (q *queue) share(b *buffer, room int) int {
	if len(q.buffers) > 1 && !b.full {
		room = (room + maxFetches - 1) / maxFetches
	}
	return max(room, 1)
}

// take removes the oldest task of a buffer.
func (q *queue) take(b *buffer) fetched {
	oldest := b.tasks[0]
	b.tasks = b.tasks[1:]
	q.buffered--
	q.begun++
	if len(b.tasks) == 0 {
		q.filled = q.filled.without(b.book)
	}
	return oldest
}

// takeAll empties a buffer.
func (q *queue) takeAll(b *buffer) (tasks []fetched) {
	tasks, b.tasks = b.tasks, nil
	q.buffered -= len(tasks)
	q.filled = q.filled.without(b.book)
	return tasks
}

// beginFetch notes that so many tasks are being fetched into a buffer.
func (q *queue) beginFetch(b *buffer, n int) {
	q.fetching = q.fetching.with(b.book)
	q.fetchAt = (b.book + 1) % len(q.buffers)
	b.wanted = n
	q.wanted += n
}

// slowFetch notes that a fetch takes long: no other one waits for it.
func (q *queue) slowFetch(b *buffer) {
	q.slow = q.slow.with(b.book)
	q.wanted -= b.wanted
	b.wanted = 0
}

// endFetch adds what a fetch got, and notes whether that was all there is, or else as much
// as it wanted.
func (q *queue) endFetch(b *buffer, tasks []fetched, all, full bool) {
	b.full = full
	q.slowFetch(b)
	q.fetching = q.fetching.without(b.book)
	q.slow = q.slow.without(b.book)
	b.tasks = append(b.tasks, tasks...)
	q.buffered += len(tasks)
	if len(b.tasks) > 0 {
		q.filled = q.filled.with(b.book)
	}
	if all {
		q.empty = q.empty.with(b.book)
	} else {
		q.empty = q.empty.without(b.book)
	}
}

// wake notes that there may be tasks.
func (q *queue) wake(b *buffer) {
	q.empty = q.empty.without(b.book)
	b.wakeUps++
}
