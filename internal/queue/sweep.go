package queue

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// strayAfter is how long a lease must stay as it is for its worker to be taken
	// for lost. Asynq renews the leases of all that it works every five seconds,
	// and a slow Redis makes that a little more.
	strayAfter = 9 * time.Second
	// maxGap is the longest time between two looks that still counts as watching:
	// after a longer one, workers must have the time to renew their leases again.
	maxGap = 3 * time.Second
)

//go:embed scripts/putback.lua
var putbackLua string

// The scripts that change tasks in Asynq's place. Each file under scripts
// documents its keys, arguments and answers.
//
//nolint:gochecknoglobals // compiled once, never changed
var (
	putbackScript  = redis.NewScript(putbackLua)
	setasideScript = redis.NewScript(setasideLua)
	removeScript   = redis.NewScript(removeLua)
)

// Sweeper finds the places in the queues that Asynq has lost track of, and puts
// them right.
//
// Asynq itself brings the orders of a killed worker back after 60 to 90 seconds,
// and stops doing so at the first task that it cannot read. The sweeper watches
// the leases instead: a worker that lives renews them every five seconds. It
// compares no clocks. Its methods may run beside each other, but Strays and Parked
// not beside themselves.
type Sweeper struct {
	rdb    redis.UniversalClient
	asynq  *asynq.Inspector
	seen   map[place]sighting
	looked time.Time
	parked []walk // the rest of the walk through what is parked
	now    func() time.Time
}

// place is a task's.
type place struct {
	queue order.Queue
	id    string
}

// sighting is a lease and since when it has been seen.
type sighting struct {
	lease string
	since time.Time
}

// NewSweeper returns a sweeper on rdb, which stays the caller's to close, or an
// error when the program is built with another version of Asynq than the one
// whose keys it knows.
func NewSweeper(rdb redis.UniversalClient) (*Sweeper, error) {
	if err := checkLayout(); err != nil {
		return nil, err
	}
	return &Sweeper{rdb: rdb, asynq: asynq.NewInspectorFromRedisClient(rdb), seen: map[place]sighting{}, now: time.Now}, nil
}

// Strays looks at all orders that workers hold, and returns those whose lease has
// not been renewed for nine seconds while it watched. To watch, call it at least
// every three seconds. It returns order.ErrUnavailable when Redis could not be
// asked.
func (s *Sweeper) Strays(ctx context.Context) ([]order.Stray, error) {
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if now.Sub(s.looked) > maxGap {
		s.seen = map[place]sighting{}
	}
	s.looked = now
	seen := make(map[place]sighting, len(held))
	var strays []order.Stray
	for at, lease := range held {
		seen[at] = sighting{lease: lease, since: now}
		before, known := s.seen[at]
		if !known || before.lease != lease {
			continue
		}
		seen[at] = before
		if now.Sub(before.since) >= strayAfter {
			strays = append(strays, order.Stray{ID: at.id, Queue: at.queue, Lease: lease})
		}
	}
	s.seen = seen
	return strays, nil
}

// held returns the lease of every active task, empty where there is none.
func (s *Sweeper) held(ctx context.Context) (map[place]string, error) {
	pipe := s.rdb.Pipeline()
	active := map[order.Queue]*redis.StringSliceCmd{}
	leases := map[order.Queue]*redis.ZSliceCmd{}
	for _, q := range order.Queues() {
		active[q] = pipe.LRange(ctx, queueKey(q, "active"), 0, -1)
		leases[q] = pipe.ZRangeWithScores(ctx, queueKey(q, "lease"), 0, -1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("look at the orders being worked: %w: %w", order.ErrUnavailable, err)
	}
	held := map[place]string{}
	for q, ids := range active {
		for _, id := range ids.Val() {
			held[place{q, id}] = ""
		}
		for _, z := range leases[q].Val() {
			id, _ := z.Member.(string)
			if _, ok := held[place{q, id}]; ok {
				held[place{q, id}] = strconv.FormatFloat(z.Score, 'f', -1, 64)
			}
		}
	}
	return held, nil
}

// PutBack gives a stray order to the next worker that asks, before all others
// that wait, and says whether it did: an order that has moved on meanwhile is left
// alone. It returns order.ErrDamaged for a place that no worker could read, and
// order.ErrUnavailable when Redis could not be asked.
func (s *Sweeper) PutBack(ctx context.Context, stray order.Stray) (bool, error) {
	at := place{stray.Queue, stray.ID}
	if _, err := lookUp(ctx, s.asynq, at); err != nil {
		return false, err
	}
	keys := []string{
		queueKey(at.queue, "active"), queueKey(at.queue, "lease"), queueKey(at.queue, "pending"), taskKey(at),
	}
	n, err := putbackScript.Run(ctx, s.rdb, keys, at.id, stray.Lease, time.Now().UnixNano()).Int()
	if err != nil {
		return false, fmt.Errorf("put order %s back: %w: %w", at.id, order.ErrUnavailable, err)
	}
	return n == 1, nil
}

// taskKey is the key of a task's own hash.
func taskKey(at place) string { return queueKey(at.queue, "t:"+at.id) }

// lookUp returns Asynq's view of a task. It returns order.ErrDamaged, and with it
// Asynq's own error, for one that is not there or is not what it should be.
func lookUp(ctx context.Context, inspector *asynq.Inspector, at place) (*asynq.TaskInfo, error) {
	info, err := within(ctx, func() (*asynq.TaskInfo, error) { return inspector.GetTaskInfo(string(at.queue), at.id) })
	switch {
	case err == nil && info.ID == at.id && info.Queue == string(at.queue):
		return info, nil
	case err == nil:
		return nil, fmt.Errorf("look for task of order %s: %w: it is another's", at.id, order.ErrDamaged)
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound), unreadable(err):
		return nil, fmt.Errorf("look for task of order %s: %w: %w", at.id, order.ErrDamaged, err)
	default:
		return nil, fmt.Errorf("look for task of order %s: %w: %w", at.id, order.ErrUnavailable, err)
	}
}

// unreadable says whether Asynq has found a task and cannot make sense of it. It
// has no error of its own for that.
func unreadable(err error) bool {
	for _, complaint := range []string{"could not decode", "unexpected value", "not supported task state", "WRONGTYPE"} {
		if strings.Contains(err.Error(), complaint) {
			return true
		}
	}
	return false
}
