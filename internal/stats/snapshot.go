package stats

import (
	"context"
	"errors"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

// askTimeout bounds each question beside the totals, where there are several books: some may
// be away, and a client of the API waits for the others.
const askTimeout = 800 * time.Millisecond

// Snapshot reads the ledger and the queues. While some of several books are away, the queues
// are those that answer, the workers may be unknown, and what else cannot be read is as it
// was last. Snapshot returns order.ErrUnavailable when no book answers.
func (r *Reporter) Snapshot(ctx context.Context) (s Snapshot, err error) {
	totals, err := r.ledger.Totals(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	if len(totals.Books) > 0 {
		s, err = r.readParts(ctx, totals)
	} else {
		s.Totals = totals
		err = r.readAll(ctx, &s)
	}
	if err != nil {
		return Snapshot{}, err
	}
	s.Uptime = time.Since(r.started)
	s.Throughput, s.CompletedRate, s.FailedRate = r.rates(totals)
	s.Trend = r.trend(totals)
	s.Recent = r.recent(totals)
	return s, nil
}

// question adds to a snapshot what it asks for. With an error it adds what is known.
type question func(ctx context.Context, s *Snapshot) error

func (r *Reporter) questions() []question {
	return []question{
		func(ctx context.Context, s *Snapshot) error {
			depths, err := r.queues.Depths(ctx)
			if depths != nil {
				s.Depths = depths
			}
			return err
		},
		func(ctx context.Context, s *Snapshot) (err error) {
			s.WorkerPool, err = r.queues.Workers(ctx)
			s.PoolUnknown = err != nil
			return err
		},
		func(ctx context.Context, s *Snapshot) error {
			if used, limit, err := r.ledger.Memory(ctx); err == nil { // Redis may deny it, which is not an error
				s.Memory = Memory{used, limit}
			}
			return nil
		},
		func(ctx context.Context, s *Snapshot) error {
			shop, err := r.ledger.Fulfilment(ctx, s.At)
			if err == nil {
				s.Fulfilment = shop
			}
			return err
		},
		func(ctx context.Context, s *Snapshot) error {
			gone, err := r.ledger.GoneWorkers(ctx, s.At)
			if err == nil {
				s.Gone = gone
			}
			return err
		},
		func(ctx context.Context, s *Snapshot) error {
			backlog, err := r.ledger.ArchiveBacklog(ctx)
			if err == nil {
				s.Archive = backlog
			}
			return err
		},
	}
}

// readAll adds what there is beside the totals.
func (r *Reporter) readAll(ctx context.Context, s *Snapshot) error {
	for _, ask := range r.questions() {
		if err := ask(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// readParts returns what is known beside the totals of several books. It asks everything at
// once, so that it waits once for a node that is away.
func (r *Reporter) readParts(ctx context.Context, totals Totals) (Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r.mu.Lock()
	s := r.last
	r.mu.Unlock()
	s.Totals = totals
	questions := r.questions()
	errs := make([]error, len(questions))
	var asking sync.WaitGroup
	for i, ask := range questions {
		asking.Go(func() { errs[i] = ask(ctx, &s) })
	}
	asking.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, order.ErrUnavailable) {
			return Snapshot{}, err
		}
	}
	r.mu.Lock()
	r.last = s
	r.mu.Unlock()
	return s, nil
}
