package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// failuresView is the JSON of the groups of failures.
type failuresView struct {
	Groups     []groupView     `json:"groups"`
	AsOf       order.Timestamp `json:"as_of,omitzero"`
	Incomplete bool            `json:"incomplete,omitempty"`
}

// groupView is the JSON of a group of failures.
type groupView struct {
	Fingerprint string          `json:"fingerprint"`
	Error       string          `json:"error"`
	Note        string          `json:"note,omitempty"`
	Orders      int             `json:"orders"`
	FirstSeen   order.Timestamp `json:"first_seen"`
	LastSeen    order.Timestamp `json:"last_seen"`
	Queue       order.Queue     `json:"queue"`
	ExampleIDs  []string        `json:"example_ids"`
}

// listFailures answers GET /failures: from the archive, which has all failed orders, or
// from the ledger while there is none.
func (s *Server) listFailures(c *fiber.Ctx) error {
	q := queryOf(c, "since", "limit")
	since, limit := q.time("since"), q.limit(maxGroups, defaultGroups)
	if err := q.err(); err != nil {
		return err
	}
	found, err := s.allFailures(c, since, limit)
	if err != nil {
		return err
	}
	v := failuresView{Groups: make([]groupView, len(found.groups)), AsOf: order.Timestamp{Time: found.asOf}, Incomplete: found.incomplete}
	for i, g := range found.groups {
		v.Groups[i] = groupView{
			g.Fingerprint, g.Error, g.Note, g.Orders, order.Timestamp{Time: g.FirstSeen}, order.Timestamp{Time: g.LastSeen}, g.Queue, g.ExampleIDs,
		}
	}
	return c.JSON(v)
}

// foundFailures are groups of failures, and up to when the archive had every outcome. The
// ledger alone may have too few.
type foundFailures struct {
	groups     []order.FailureGroup
	asOf       time.Time
	incomplete bool
}

func (s *Server) allFailures(c *fiber.Ctx, since time.Time, limit int) (foundFailures, error) {
	if s.Archive == nil {
		return s.keptFailures(c.UserContext(), since, limit)
	}
	found, err := s.archivedFailures(c.UserContext(), since, limit)
	if !errors.As(err, new(archiveAwayError)) {
		return found, err
	}
	httpserver.SetReason(c, err.Error())
	found, err = s.keptFailures(c.UserContext(), since, limit)
	found.incomplete = true
	return found, err
}

func (s *Server) archivedFailures(ctx context.Context, since time.Time, limit int) (found foundFailures, err error) {
	err = s.inTurn(ctx, func(ctx context.Context) error {
		if found.asOf, err = s.Archived.ArchivedUntil(ctx); err != nil {
			return err
		}
		found.groups, err = s.Archive.Failures(ctx, since, limit)
		return archiveError(err)
	})
	return found, err
}

// keptFailures groups the failed orders of the ledger, the newest first, as many as the
// time suffices for.
func (s *Server) keptFailures(ctx context.Context, since time.Time, limit int) (foundFailures, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.partTimeout())
	defer cancel()
	known := failures{since: since, groups: map[string]*failureGroup{}}
	var after order.Position
	for more := true; more; more = !after.IsZero() {
		records, next, err := s.Records.List(ctx, order.Filter{Status: order.StatusFailed}, after, maxListed)
		switch {
		case errors.Is(err, order.ErrUnreadable):
			known.full = true
		case ctx.Err() != nil && len(known.groups) > 0:
			return foundFailures{groups: known.largest(limit), incomplete: true}, nil
		case err != nil:
			return foundFailures{}, err
		}
		for _, rec := range records {
			known.add(rec)
		}
		after = next
	}
	return foundFailures{groups: known.largest(limit), incomplete: known.full}, nil
}

// failures are groups that are being counted.
type failures struct {
	since  time.Time
	groups map[string]*failureGroup
	full   bool // some order is in no group
}

// failureGroup is a group with the times of its examples, newest first.
type failureGroup struct {
	order.FailureGroup
	failedAt []time.Time
}

func (f *failures) add(rec order.Record) {
	if rec.ProcessedAt.Before(f.since) {
		return
	}
	fingerprint := order.ErrorFingerprint(rec.Error)
	g := f.groups[fingerprint]
	switch {
	case g != nil:
	case len(f.groups) == maxGroups:
		f.full = true
		return
	default:
		g = &failureGroup{FailureGroup: order.FailureGroup{Fingerprint: fingerprint, FirstSeen: rec.ProcessedAt}}
		f.groups[fingerprint] = g
	}
	g.add(rec)
}

// add counts an order. Orders are not listed in the order in which they failed.
func (g *failureGroup) add(rec order.Record) {
	g.Orders++
	if rec.ProcessedAt.Before(g.FirstSeen) {
		g.FirstSeen = rec.ProcessedAt
	}
	at, _ := slices.BinarySearchFunc(g.failedAt, rec.ProcessedAt, func(a, b time.Time) int { return b.Compare(a) })
	if at == 0 {
		g.LastSeen, g.Error, g.Queue, g.Note = rec.ProcessedAt, rec.Error, rec.Queue, ""
		if n := len(rec.Attempts); n > 0 {
			g.Note = rec.Attempts[n-1].Note
		}
	}
	g.failedAt, g.ExampleIDs = slices.Insert(g.failedAt, at, rec.ProcessedAt), slices.Insert(g.ExampleIDs, at, rec.ID)
	n := min(len(g.failedAt), order.MaxExamples)
	g.failedAt, g.ExampleIDs = g.failedAt[:n], g.ExampleIDs[:n]
}

// largest returns the largest groups, as the archive orders them.
func (f *failures) largest(limit int) []order.FailureGroup {
	all := make([]order.FailureGroup, 0, len(f.groups))
	for _, g := range f.groups {
		all = append(all, g.FailureGroup)
	}
	slices.SortFunc(all, func(a, b order.FailureGroup) int {
		return cmp.Or(b.Orders-a.Orders, cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return all[:min(len(all), limit)]
}
