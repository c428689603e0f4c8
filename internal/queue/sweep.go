package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/prefetch"
)

const (
	// strayAfter is how long a lease must stay as it is for its worker to be taken
	// for lost. Asynq renews the leases of all that it works every five seconds; one
	// renewal may fail, and Redis be slow.
	strayAfter = 12 * time.Second
	// maxGap is the longest time between two looks that still counts as watching:
	// after a longer one, workers must have the time to renew their leases again.
	maxGap = 4 * time.Second
	// watchKey holds what the last look has seen, so that another process can go on
	// watching when this one is killed.
	watchKey = "asynq:watch"
)

// Sweeper finds the places in the queues that Asynq has lost track of, and puts
// them right.
//
// Asynq itself brings the orders of a killed worker back after 60 to 90 seconds,
// and stops doing so at the first task that it cannot read. The sweeper watches
// the leases instead: a worker that lives renews them every five seconds. It goes
// by the clock of Redis alone. Its methods may run beside each other, but Strays
// and Parked not beside themselves.
type Sweeper struct {
	rdb    redis.UniversalClient
	asynq  *asynq.Inspector
	blind  bool   // the last look failed
	parked []walk // the rest of the walk through what is parked
	now    func(context.Context) (time.Time, error)
}

// place is a task's.
type place struct {
	queue order.Queue
	id    string
}

// NewSweeper returns a sweeper on rdb, which stays the caller's to close, or an
// error when the program is built with another version of Asynq than the one
// whose keys it knows.
func NewSweeper(rdb redis.UniversalClient) (*Sweeper, error) {
	if err := prefetch.Supported(); err != nil {
		return nil, err
	}
	now := func(ctx context.Context) (time.Time, error) { return rdb.Time(ctx).Result() }
	return &Sweeper{rdb: rdb, asynq: asynq.NewInspectorFromRedisClient(rdb), now: now}, nil
}

// sightings is what one look has seen: the lease of each place that is being
// worked, and since when it has been so. Times are milliseconds since 1970, and
// names short, as it is written every second.
type sightings struct {
	At   int64               `json:"a"`
	Seen map[string]sighting `json:"s"` // by queue and id
}

type sighting struct {
	Lease string `json:"l"`
	Since int64  `json:"t"`
}

// Strays looks at all orders that workers hold, and returns those whose lease has
// not been renewed for twelve seconds of watching. To watch, one process must call
// it at least every four seconds; which one does not matter. After a look that
// failed it begins anew: workers may have failed to renew their leases as well. It
// returns order.ErrUnavailable when Redis could not be asked.
func (s *Sweeper) Strays(ctx context.Context) ([]order.Stray, error) {
	strays, err := s.look(ctx)
	s.blind = err != nil
	return strays, err
}

func (s *Sweeper) look(ctx context.Context) ([]order.Stray, error) {
	// The time first: what is seen below was so after it.
	now, before, err := s.before(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what was seen last: %w: %w", order.ErrUnavailable, err)
	}
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]sighting, len(held))
	var strays []order.Stray
	for at, lease := range held {
		name := string(at.queue) + "/" + at.id
		last, known := before[name]
		// A lease that is gone was withheld: no worker takes its own away.
		if !known || (last.Lease != lease && lease != "") {
			last.Since = now.UnixMilli()
		}
		last.Lease = lease
		seen[name] = last
		if now.Sub(time.UnixMilli(last.Since)) >= strayAfter {
			strays = append(strays, order.Stray{ID: at.id, Queue: at.queue, Lease: lease, SeenAt: now})
		}
	}
	text, err := json.Marshal(sightings{At: now.UnixMilli(), Seen: seen})
	if err != nil {
		return nil, fmt.Errorf("write down what is seen: %w", err)
	}
	if err := watchScript.Run(ctx, s.rdb, []string{watchKey}, text, maxGap.Milliseconds()).Err(); err != nil {
		return nil, fmt.Errorf("write down what is seen: %w: %w", order.ErrUnavailable, err)
	}
	return strays, nil
}

// before returns the time, and what was seen at the last look, nothing when that
// is too long ago.
func (s *Sweeper) before(ctx context.Context) (now time.Time, seen map[string]sighting, err error) {
	if now, err = s.now(ctx); err != nil {
		return now, nil, err
	}
	text, err := s.rdb.Get(ctx, watchKey).Bytes()
	if err != nil && !errors.Is(err, redis.Nil) {
		return now, nil, err
	}
	var last sightings
	known := !s.blind && json.Unmarshal(text, &last) == nil && now.Sub(time.UnixMilli(last.At)) <= maxGap
	if !known {
		last.Seen = nil
	}
	return now, last.Seen, nil
}

// Held lists all orders that workers hold at the moment, strays among them. It
// returns order.ErrUnavailable when Redis could not be asked.
func (s *Sweeper) Held(ctx context.Context) ([]order.Stray, error) {
	places, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	held := make([]order.Stray, 0, len(places))
	for at, lease := range places {
		held = append(held, order.Stray{ID: at.id, Queue: at.queue, Lease: lease})
	}
	return held, nil
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
	n, err := requeue(ctx, s.rdb, at.queue, []prefetch.Task{{ID: at.id, Lease: stray.Lease}})
	if err != nil {
		return false, fmt.Errorf("put order %s back: %w: %w", at.id, order.ErrUnavailable, err)
	}
	return n == 1, nil
}

// Withhold keeps a stray order where it is until it is put back: Asynq's own
// recovery passes it over. Repeating it changes nothing. It returns
// order.ErrUnavailable when Redis could not be asked.
func (s *Sweeper) Withhold(ctx context.Context, stray order.Stray) error {
	keys := []string{queueKey(stray.Queue, "lease")}
	if err := withholdScript.Run(ctx, s.rdb, keys, stray.ID, stray.Lease).Err(); err != nil {
		return fmt.Errorf("withhold order %s: %w: %w", stray.ID, order.ErrUnavailable, err)
	}
	return nil
}

// taskKey is the key of a task's own hash.
func taskKey(at place) string { return queueKey(at.queue, "t:"+at.id) }

// lookUp returns Asynq's view of a task. It returns order.ErrDamaged, and with it
// Asynq's own error, for one that is not there or is not what it should be.
func lookUp(ctx context.Context, inspector *asynq.Inspector, at place) (*asynq.TaskInfo, error) {
	info, err := withContext(ctx, func() (*asynq.TaskInfo, error) { return inspector.GetTaskInfo(string(at.queue), at.id) })
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
