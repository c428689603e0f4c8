package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// askTimeout bounds a question about the queues of several books, and asking once more
// those of them that did not answer.
const askTimeout = 300 * time.Millisecond

// Inspector reads what is in the queues, and pauses them; it never changes a task. It is
// safe for concurrent use.
//
// It reads Asynq's keys itself, as Asynq's GetQueueInfo fails on a queue that nobody has
// used yet, and whenever the hash of a task is missing.
type Inspector struct {
	rdb   redis.UniversalClient
	asynq *asynq.Inspector
	names names
}

// NewInspector returns an inspector of the queues of so many books (0 is 1) on rdb, which
// stays the caller's to close.
func NewInspector(rdb redis.UniversalClient, books int) *Inspector {
	return &Inspector{rdb: rdb, asynq: newAsynqInspector(rdb, books), names: newNames(books)}
}

// Register adds the queues to the set in which Asynq's inspector and Asynqmon find them.
// With one book, Asynq's client does so once for each queue, and not again when Redis has
// lost them; with more it does not. Register may be called at any time, and returns
// order.ErrUnavailable when Redis did not answer.
func (i *Inspector) Register(ctx context.Context) error {
	queues := make([]any, len(i.names.all))
	for n, queue := range i.names.all {
		queues[n] = queue
	}
	if err := i.rdb.SAdd(ctx, queuesKey, queues...).Err(); err != nil {
		return fmt.Errorf("register the queues: %w: %w", order.ErrUnavailable, err)
	}
	return nil
}

// Backlog returns how many tasks of all queues wait for a worker or for their time, in the
// books that answer. It returns order.ErrUnavailable when none did.
func (i *Inspector) Backlog(ctx context.Context) (int64, error) {
	asked := make([][]*redis.IntCmd, len(i.names.all))
	silent, err := i.ask(ctx, func(pipe redis.Pipeliner, n int) {
		queue := i.names.all[n]
		asked[n] = []*redis.IntCmd{
			pipe.LLen(ctx, queueKey(queue, "pending")),
			pipe.ZCard(ctx, queueKey(queue, "scheduled")),
			pipe.ZCard(ctx, queueKey(queue, "retry")),
		}
	})
	if len(silent) == len(asked) {
		return 0, fmt.Errorf("read the backlog: %w: %w", order.ErrUnavailable, err)
	}
	var backlog int64
	for n, answers := range asked {
		for _, answer := range answers {
			if !silent[n] {
				backlog += answer.Val()
			}
		}
	}
	return backlog, nil
}

// Depths returns how many tasks each queue has over all books. A queue that nobody has used
// is empty. One is paused while it is paused in any book, and its oldest task is the oldest
// of all books.
//
// It returns order.ErrUnavailable when Redis did not answer. If that was so for some of the
// books' queues alone, the error says for how many, and the depths are those of the others.
func (i *Inspector) Depths(ctx context.Context) (map[order.Queue]stats.Depth, error) {
	answers := make([]depthAnswers, len(i.names.all))
	silent, err := i.ask(ctx, func(pipe redis.Pipeliner, n int) { answers[n] = askDepth(ctx, pipe, i.names.all[n]) })
	if len(silent) == len(answers) {
		return nil, fmt.Errorf("read queue depths: %w: %w", order.ErrUnavailable, err)
	}
	depths := map[order.Queue]stats.Depth{}
	for n, queue := range i.names.all {
		if !silent[n] {
			q := i.names.queue[queue]
			depths[q] = added(depths[q], answers[n].depth())
		}
	}
	i.addOldest(ctx, depths, silent, answers)
	if len(silent) > 0 {
		return depths, fmt.Errorf("read queue depths: %w: %d of %d queues did not answer: %w", order.ErrUnavailable, len(silent), len(answers), err)
	}
	return depths, nil
}

// Waiting returns how many tasks of each queue wait for a worker, by book. Those of a book's
// queue that did not answer are absent. It returns order.ErrUnavailable when none did.
func (i *Inspector) Waiting(ctx context.Context) ([]map[order.Queue]int64, error) {
	answers := make([]*redis.IntCmd, len(i.names.all))
	silent, err := i.ask(ctx, func(pipe redis.Pipeliner, n int) { answers[n] = pipe.LLen(ctx, queueKey(i.names.all[n], "pending")) })
	if len(silent) == len(answers) {
		return nil, fmt.Errorf("count what waits: %w: %w", order.ErrUnavailable, err)
	}
	waiting := make([]map[order.Queue]int64, i.names.books)
	for book := range waiting {
		waiting[book] = map[order.Queue]int64{}
		for q, each := range i.names.each {
			if n := slices.Index(i.names.all, each[book]); !silent[n] {
				waiting[book][q] = answers[n].Val()
			}
		}
	}
	return waiting, nil
}

// ask asks about all of Asynq's queues in one pipeline, to which add adds the questions
// about number n. It returns which queues did not answer, with an error of one of them.
//
// Redis Cluster gives all answers of a pipeline up when one of its nodes is away. So the
// queues of several books are asked once more, each apart.
func (i *Inspector) ask(ctx context.Context, add func(pipe redis.Pipeliner, n int)) (silent map[int]bool, err error) {
	all := make([]int, len(i.names.all))
	for n := range all {
		all[n] = n
	}
	silent = map[int]bool{}
	if err = i.askSome(ctx, all, add); err == nil {
		return silent, nil
	}
	failed := slices.Repeat([]error{err}, len(all))
	if i.names.books > 1 {
		var asking sync.WaitGroup
		for _, n := range all {
			asking.Go(func() { failed[n] = i.askSome(ctx, []int{n}, add) })
		}
		asking.Wait()
	}
	err = nil
	for n := range failed {
		if failed[n] != nil {
			silent[n], err = true, failed[n]
		}
	}
	return silent, err
}

func (i *Inspector) askSome(ctx context.Context, some []int, add func(pipe redis.Pipeliner, n int)) error {
	ctx, cancel := i.bound(ctx)
	defer cancel()
	pipe := i.rdb.Pipeline()
	for _, n := range some {
		add(pipe, n)
	}
	_, err := pipe.Exec(ctx)
	return err
}

// bound ends a question about several books in time, as some of them may be away.
func (i *Inspector) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if i.names.books == 1 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, askTimeout)
}

// depthAnswers are the answers about one of Asynq's queues.
type depthAnswers struct {
	pending, active, scheduled, retry, archived, paused *redis.IntCmd
	oldest                                              *redis.StringSliceCmd
}

func askDepth(ctx context.Context, pipe redis.Pipeliner, queue string) depthAnswers {
	return depthAnswers{
		pending:   pipe.LLen(ctx, queueKey(queue, "pending")),
		active:    pipe.LLen(ctx, queueKey(queue, "active")),
		scheduled: pipe.ZCard(ctx, queueKey(queue, "scheduled")),
		retry:     pipe.ZCard(ctx, queueKey(queue, "retry")),
		archived:  pipe.ZCard(ctx, queueKey(queue, "archived")),
		paused:    pipe.Exists(ctx, queueKey(queue, "paused")),
		oldest:    pipe.LRange(ctx, queueKey(queue, "pending"), -1, -1),
	}
}

func (a depthAnswers) depth() stats.Depth {
	return stats.Depth{
		Pending: a.pending.Val(), Active: a.active.Val(), Scheduled: a.scheduled.Val(),
		Retry: a.retry.Val(), Archived: a.archived.Val(), Paused: a.paused.Val() > 0,
	}
}

// addOldest adds how long the oldest pending task of each queue has waited, zero when there
// is none or a worker has just taken it.
func (i *Inspector) addOldest(ctx context.Context, depths map[order.Queue]stats.Depth, silent map[int]bool, answers []depthAnswers) {
	ctx, cancel := i.bound(ctx)
	defer cancel()
	pipe, since := i.rdb.Pipeline(), map[int]*redis.StringCmd{}
	for n, a := range answers {
		if oldest := a.oldest.Val(); len(oldest) > 0 && !silent[n] {
			since[n] = pipe.HGet(ctx, taskKey(i.names.all[n], oldest[0]), "pending_since")
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its own answer
	for n, answer := range since {
		ns, err := strconv.ParseInt(answer.Val(), 10, 64)
		if err != nil {
			continue
		}
		q := i.names.queue[i.names.all[n]]
		d := depths[q]
		d.OldestPending = max(d.OldestPending, time.Since(time.Unix(0, ns)))
		depths[q] = d
	}
}

// added is the depth of a queue in two books together, without its oldest task.
func added(a, b stats.Depth) stats.Depth {
	return stats.Depth{
		Pending: a.Pending + b.Pending, Active: a.Active + b.Active, Scheduled: a.Scheduled + b.Scheduled,
		Retry: a.Retry + b.Retry, Archived: a.Archived + b.Archived, Paused: a.Paused || b.Paused,
	}
}
