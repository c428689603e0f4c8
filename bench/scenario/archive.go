package scenario

import (
	"context"
	"path/filepath"
	"time"

	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// withArchive is the system that also archives every order.
const withArchive = "ours, archive in SQLite"

// archiveSteps measure submit to settled without an archive, and with one until it has
// every order.
func (b *Bench) archiveSteps() []Step {
	step := func(name string, archived bool) Step {
		return Step{Scenario: Archive, System: name, Measure: func(ctx context.Context) error { return b.archived(ctx, name, archived) }}
	}
	return []Step{step(ours, false), step(withArchive, true)}
}

// archived sends orders as fast as they are accepted, and counts processor time until they
// are settled and the archive has them.
func (b *Bench) archived(ctx context.Context, name string, archived bool) error {
	settings := systems.Settings{Kind: systems.Ours}
	if archived {
		settings.Archive = func(dir string) string { return "sqlite://" + filepath.Join(dir, "archive.db") }
	}
	s, err := b.openWorking(ctx, settings)
	if err != nil {
		return err
	}
	defer s.Close()
	before, err := s.AllCPU()
	if err != nil {
		return err
	}
	m, err := b.throughSystem(ctx, s, b.Sizes.Sustained, mixedOrders())
	if err != nil {
		return err
	}
	if archived {
		begun := time.Now()
		if err := s.Books.AwaitArchived(ctx); err != nil {
			return err
		}
		b.keep(key(Archive, name, "until all are archived"), report.Milliseconds, milliseconds(time.Since(begun)))
	}
	after, err := s.AllCPU()
	if err != nil {
		return err
	}
	if err := s.Books.Balance(ctx, b.Sizes.Sustained, 0); err != nil {
		return err
	}
	b.keep(key(Archive, name, rate), report.OrdersPerSecond, m.rate)
	b.keep(key(Archive, name, allPerOrder), report.Microseconds, float64((after-before).Microseconds())/float64(b.Sizes.Sustained))
	return nil
}
