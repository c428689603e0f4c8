package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

const (
	// archiveInterval is the time between two questions whether the archive answers.
	archiveInterval = 2 * time.Second
	// archiveTimeout bounds one of them.
	archiveTimeout = 2 * time.Second
	// archiveOpenTimeout bounds one attempt to open it. A migration takes longer the more
	// orders there are.
	archiveOpenTimeout = time.Minute
	// checkArchive is the name of the check of the archive.
	checkArchive = "archive"
	// archiveAdvice is what to do while it is away.
	archiveAdvice = "see the log of its database, its disk and ORDERS_ARCHIVE_URL; orders stay in Redis until it is back, so watch the memory"
)

// Archive is the archive of a program, which opens it while it runs, as soon as the
// database answers. Its methods are those of archive.Archive, and return
// order.ErrUnavailable before. It is safe for concurrent use.
type Archive struct {
	address config.Secret
	log     *slog.Logger
	opened  atomic.Pointer[archive.Archive]
	ready   chan struct{}         // closed when it has been opened
	away    atomic.Pointer[error] // why it does not answer
}

// errOpening is why the archive does not answer at first.
var errOpening = fmt.Errorf("the archive is not open yet: %w", order.ErrUnavailable)

// newArchive returns nil without an address.
func newArchive(address config.Secret, log *slog.Logger) *Archive {
	if address.Reveal() == "" {
		return nil
	}
	a := &Archive{address: address, log: log, ready: make(chan struct{})}
	a.away.Store(&errOpening)
	return a
}

// run opens the archive and watches whether it answers, until ctx ends. An address that
// cannot be right and an archive of a newer version are errors.
func (a *Archive) run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := a.try(ctx)
		if err != nil && !errors.Is(err, order.ErrUnavailable) && ctx.Err() == nil {
			return fmt.Errorf("ORDERS_ARCHIVE_URL: %w", err)
		}
		a.changed(ctx, err)
		pause(ctx, archiveInterval)
	}
	return nil
}

// try opens the archive, or asks it for an answer if it is open.
func (a *Archive) try(ctx context.Context) error {
	if store := a.opened.Load(); store != nil {
		ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
		defer cancel()
		return store.Ping(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, archiveOpenTimeout)
	defer cancel()
	store, err := archive.Open(ctx, a.address.Reveal())
	if err == nil {
		a.opened.Store(store)
		close(a.ready)
	}
	return err
}

// changed keeps whether the archive answers, and logs when that changes.
func (a *Archive) changed(ctx context.Context, err error) {
	before := *a.away.Swap(&err)
	switch {
	case ctx.Err() != nil:
	case err == nil && before != nil:
		a.log.InfoContext(ctx, "the archive answers")
	case err != nil && (before == nil || errors.Is(before, errOpening)):
		a.log.WarnContext(ctx, "the archive does not answer; orders stay in Redis until it does", "error", err)
	}
}

// close closes what run opened.
func (a *Archive) close() {
	if store := a.opened.Load(); store != nil {
		_ = store.Close()
	}
}

// AwaitOpen waits until it has been opened or ctx ends.
func (a *Archive) AwaitOpen(ctx context.Context) {
	select {
	case <-a.ready:
	case <-ctx.Done():
	}
}

// finding is whether the archive answers.
func (a *Archive) finding() Finding {
	found := good("it answers")
	if err := *a.away.Load(); err != nil {
		found = warning(err.Error())
	}
	return found.complete(check{area: checkArchive, name: checkArchive, advice: archiveAdvice})
}

func (a *Archive) store() (*archive.Archive, error) {
	if store := a.opened.Load(); store != nil {
		return store, nil
	}
	return nil, errOpening
}

// Put is that of archive.Archive.
func (a *Archive) Put(ctx context.Context, histories []order.History) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	return store.Put(ctx, histories)
}

// State is that of archive.Archive.
func (a *Archive) State(ctx context.Context) (order.ArchiveState, error) {
	store, err := a.store()
	if err != nil {
		return order.ArchiveState{}, err
	}
	return store.State(ctx)
}

// Missing is that of archive.Archive.
func (a *Archive) Missing(ctx context.Context, histories []order.History) ([]order.History, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.Missing(ctx, histories)
}

// Get is that of archive.Archive.
func (a *Archive) Get(ctx context.Context, id string) (order.Record, []order.Event, error) {
	store, err := a.store()
	if err != nil {
		return order.Record{}, nil, err
	}
	return store.Get(ctx, id)
}

// Search is that of archive.Archive.
func (a *Archive) Search(ctx context.Context, f order.Filter, after order.Position, limit int) ([]order.Record, order.Position, error) {
	store, err := a.store()
	if err != nil {
		return nil, order.Position{}, err
	}
	return store.Search(ctx, f, after, limit)
}

// Export is that of archive.Archive.
func (a *Archive) Export(ctx context.Context, f order.Filter, yield func(order.Record) error) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	return store.Export(ctx, f, yield)
}

// Failures is that of archive.Archive.
func (a *Archive) Failures(ctx context.Context, since time.Time, limit int) ([]order.FailureGroup, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.Failures(ctx, since, limit)
}

// Erase is that of archive.Archive.
func (a *Archive) Erase(ctx context.Context, customer string, limit int) (erased, left int, err error) {
	store, err := a.store()
	if err != nil {
		return 0, 0, err
	}
	return store.Erase(ctx, customer, limit)
}

// Forget is that of archive.Archive.
func (a *Archive) Forget(ctx context.Context, before time.Time, limit int) (forgotten int, err error) {
	store, err := a.store()
	if err != nil {
		return 0, err
	}
	return store.Forget(ctx, before, limit)
}

// ExamineArchive opens an archive and asks it for an answer, for the doctor. It returns
// within seconds.
func ExamineArchive(ctx context.Context, address config.Secret) Finding {
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	a := newArchive(address, slog.New(slog.DiscardHandler))
	defer a.close()
	err := a.try(ctx)
	a.away.Store(&err)
	found := a.finding()
	if err != nil && !errors.Is(err, order.ErrUnavailable) {
		found.State = FindingProblem
	}
	return found
}
