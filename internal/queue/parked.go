package queue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"orderprocessor/internal/order"
)

// parkedPage is roughly how many places Parked looks at.
const parkedPage = 200

// walk is how far the look at one set of a queue has come.
type walk struct {
	queue  order.Queue
	set    string
	cursor uint64
}

// walks is a whole walk through what is parked.
func walks() []walk {
	all := make([]walk, 0, len(order.Queues())*3)
	for _, q := range order.Queues() {
		all = append(all, walk{queue: q, set: "scheduled"}, walk{queue: q, set: "retry"}, walk{queue: q, set: "archived"})
	}
	return all
}

// Parked returns some of the places that wait for their time or are archived,
// about 200 at most, and the next ones at the next call; done says that a walk
// through all of them has ended and the next call begins another. What is
// pending is not among them: workers look at that themselves. It returns
// order.ErrUnavailable when Redis could not be asked.
func (s *Sweeper) Parked(ctx context.Context) (found []order.Parked, done bool, err error) {
	if len(s.parked) == 0 {
		s.parked = walks()
	}
	w := &s.parked[0]
	entries, cursor, err := s.rdb.ZScan(ctx, queueKey(w.queue, w.set), w.cursor, "", parkedPage).Result()
	if err != nil {
		return nil, false, fmt.Errorf("look at what is %s in queue %s: %w: %w", w.set, w.queue, order.ErrUnavailable, err)
	}
	for i := 0; i+1 < len(entries); i += 2 {
		p := order.Parked{ID: entries[i], Queue: w.queue}
		if at, err := strconv.ParseFloat(entries[i+1], 64); err == nil && w.set == "archived" {
			p.ArchivedAt = time.Unix(int64(at), 0).UTC()
		}
		found = append(found, p)
	}
	if w.cursor = cursor; cursor == 0 {
		s.parked = s.parked[1:]
	}
	return found, len(s.parked) == 0, nil
}

// Remove takes a parked place off its queue, and says whether it was still there.
// It returns order.ErrUnavailable when Redis could not be asked.
func (s *Sweeper) Remove(ctx context.Context, p order.Parked) (bool, error) {
	keys := []string{
		taskKey(place{p.Queue, p.ID}),
		queueKey(p.Queue, "scheduled"), queueKey(p.Queue, "retry"), queueKey(p.Queue, "archived"),
	}
	n, err := removeScript.Run(ctx, s.rdb, keys, p.ID).Int()
	if err != nil {
		return false, fmt.Errorf("remove task of order %s: %w: %w", p.ID, order.ErrUnavailable, err)
	}
	return n == 1, nil
}
