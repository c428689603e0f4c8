package api

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// Archive finds orders that the ledger may have forgotten; see the methods of
// archive.Archive.
type Archive interface {
	Get(ctx context.Context, id string) (order.Record, []order.Event, error)
	Search(ctx context.Context, f order.Filter, after order.Position, limit int) (
		records []order.Record, next order.Position, err error)
	Failures(ctx context.Context, since time.Time, limit int) ([]order.FailureGroup, error)
}

// Archived tells up to when the archive has every outcome; see ledger.Ledger.ArchivedUntil.
type Archived interface {
	ArchivedUntil(ctx context.Context) (time.Time, error)
}

// archiveAwayError is an error of the archive that a later attempt may not meet.
type archiveAwayError struct{ error }

// Unwrap returns the cause.
func (e archiveAwayError) Unwrap() error { return e.error }

// archiveError tells the archive that is away from Redis that is.
func archiveError(err error) error {
	if errors.Is(err, order.ErrUnavailable) {
		return archiveAwayError{err}
	}
	return err
}

// found is an order and where it was found.
type found struct {
	order.Record
	archived bool
}

func (f found) position() order.Position { return order.Position{CreatedAt: f.CreatedAt, ID: f.ID} }

// find returns an order from the ledger, or else from the archive.
func (s *Server) find(ctx context.Context, id string) (found, error) {
	rec, err := s.Records.Get(ctx, id)
	if s.Archive == nil || !errors.Is(err, order.ErrNotFound) {
		return found{Record: rec}, err
	}
	rec, _, err = s.Archive.Get(ctx, id)
	return found{rec, true}, archiveError(err)
}

// findEvents returns the timeline of an order from the ledger, or else from the archive.
func (s *Server) findEvents(ctx context.Context, id string) (events []order.Event, archived bool, err error) {
	events, err = s.Records.Events(ctx, id)
	if s.Archive == nil || !errors.Is(err, order.ErrNotFound) {
		return events, false, err
	}
	_, events, err = s.Archive.Get(ctx, id)
	return events, true, archiveError(err)
}

// page is a page of orders.
type page struct {
	orders []found
	// next is the position to continue after, zero when there are no more.
	next order.Position
	// asOf is up to when the archive had every outcome; zero for orders of both places.
	asOf time.Time
	// away is why the archive could not be asked, so that its orders are not among these.
	away error
	// unreadable is about orders that cannot be read, which are not among these.
	unreadable error
}

// page returns a page of the orders of ledger and archive, as if they were in one list:
// at most limit of them. Both lists have the same order. The ledger has an order until
// after the archive has it, and is read first, so none is missed in between. The ledger
// also knows better: an order that only the archive's list has counts if the ledger does
// not have it at all. The archive is asked for every page, as no process knows what the
// ledger no longer has: the shortest retention of all workers counts, and a Redis that was
// restored from a backup has lost what came after it. An archive that does not answer in
// the time of patience is away.
func (s *Server) page(ctx context.Context, f order.Filter, after order.Position, limit int, patience time.Duration) (page, error) {
	records, next, err := s.Records.List(ctx, f, after, limit)
	p := page{next: next}
	if errors.Is(err, order.ErrUnreadable) {
		p.unreadable = err
	} else if err != nil {
		return page{}, err
	}
	for _, rec := range records {
		p.orders = append(p.orders, found{Record: rec})
	}
	if s.Archive == nil {
		return p, nil
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	records, next, err = s.Archive.Search(asking, f, after, limit)
	switch {
	case errors.Is(err, order.ErrUnreadable):
		p.unreadable = errors.Join(p.unreadable, err)
	case errors.Is(err, order.ErrUnavailable):
		p.away = err
		return p, nil
	case err != nil:
		return page{}, err
	}
	err = s.merge(ctx, &p, records, next, limit)
	return p, err
}

// partTimeout bounds what a request does without if it takes longer: the archive's part of
// a page, and the grouping of the last failures of the ledger. It is a second.
func (s *Server) partTimeout() time.Duration { return s.requestTimeout * 2 / 3 }

// merge adds a page of the archive. Each list is complete only up to where its page ends.
func (s *Server) merge(ctx context.Context, p *page, archived []order.Record, next order.Position, limit int) error {
	p.next = order.FirstOf(p.next, next)
	listed := map[order.Position]bool{}
	for _, o := range p.orders {
		listed[o.position()] = true
	}
	for _, rec := range archived {
		if o := (found{rec, true}); !listed[o.position()] {
			p.orders = append(p.orders, o)
		}
	}
	p.orders = slices.DeleteFunc(p.orders, func(o found) bool { return !p.next.IsZero() && o.position().Compare(p.next) > 0 })
	err := s.dropKept(ctx, p)
	slices.SortFunc(p.orders, func(a, b found) int { return a.position().Compare(b.position()) })
	if len(p.orders) > limit {
		p.orders = p.orders[:limit]
		p.next = p.orders[limit-1].position()
	}
	return err
}

// dropKept removes the orders of the archive that the ledger has.
func (s *Server) dropKept(ctx context.Context, p *page) error {
	errs := make([]error, len(p.orders))
	kept := make([]bool, len(p.orders))
	var asked sync.WaitGroup
	for i, o := range p.orders {
		if o.archived {
			asked.Go(func() { kept[i], errs[i] = s.kept(ctx, o) })
		}
	}
	asked.Wait()
	i := -1
	p.orders = slices.DeleteFunc(p.orders, func(found) bool { i++; return kept[i] })
	return errors.Join(errs...)
}

// kept reports whether the ledger has an order, and not a later one with its id.
func (s *Server) kept(ctx context.Context, o found) (bool, error) {
	rec, err := s.Records.Get(ctx, o.ID)
	switch {
	case errors.Is(err, order.ErrNotFound):
		return false, nil
	case errors.Is(err, order.ErrUnreadable):
		return true, nil
	}
	return rec.CreatedAt.Equal(o.CreatedAt), err
}

// search returns a page of the orders that match a filter that needs the archive.
func (s *Server) search(ctx context.Context, f order.Filter, after order.Position, limit int) (p page, err error) {
	err = s.inTurn(ctx, func(ctx context.Context) error {
		asOf, err := s.Archived.ArchivedUntil(ctx)
		if err != nil {
			return err
		}
		p, err = s.searchPage(ctx, f, after, limit)
		p.asOf = asOf
		return err
	})
	return p, err
}

// inTurn does what may take the archive some time, when fewer than maxSearches others do.
func (s *Server) inTurn(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), searchTimeout)
	defer cancel()
	select {
	case s.searches <- struct{}{}:
		defer func() { <-s.searches }()
		return do(ctx)
	case <-ctx.Done():
		return errSearching
	}
}

// searchPage returns a page of the archive alone.
func (s *Server) searchPage(ctx context.Context, f order.Filter, after order.Position, limit int) (p page, err error) {
	records, next, err := s.Archive.Search(ctx, f, after, limit)
	switch {
	case errors.Is(err, order.ErrUnreadable):
		p.unreadable = err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return page{}, errSearchTimeout
	case err != nil:
		return page{}, archiveError(err)
	}
	for _, rec := range records {
		p.orders = append(p.orders, found{rec, true})
	}
	p.next = next
	return p, nil
}

var (
	// errSearching is a search while as many run as may.
	errSearching = errors.New("too many searches run")
	// errSearchTimeout is a search that took too long.
	errSearchTimeout = errors.New("the search took too long")
)

// logPage logs what a page lacks.
func (s *Server) logPage(c *fiber.Ctx, p page) {
	if p.unreadable != nil {
		s.cfg.Log.ErrorContext(c.UserContext(), "orders cannot be listed", "error", p.unreadable, "request_id", httpserver.RequestID(c))
	}
	if p.away != nil {
		httpserver.SetReason(c, p.away.Error())
	}
}
