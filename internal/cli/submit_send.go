package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"
)

// sendAll sends every entry, and counts what came of it. The error is one that the
// other entries would meet as well: from then on none is sent, those under way are
// answered, and the rest is counted.
func (s *submit) sendAll(ctx context.Context, file io.Reader) error {
	sending, going := errgroup.WithContext(ctx)
	from := newSupply()
	go from.run(going, file) // not waited for: reading a pipe cannot be interrupted
	for range s.concurrency {
		sending.Go(func() error { return s.sendFrom(ctx, going.Done(), from) })
	}
	err := sending.Wait()
	rest, unread := from.rest()
	s.tally.left(rest)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return errInterrupted
	default:
		return unread
	}
}

// sendFrom sends entries until there are no more, or the channel is closed.
func (s *submit) sendFrom(ctx context.Context, leave <-chan struct{}, from *supply) error {
	for {
		select {
		case <-leave:
			return nil
		case e, more := <-from.orders:
			switch {
			case !more:
				return nil
			case ctx.Err() != nil:
				from.keep(e)
				return nil //nolint:nilerr // sendAll tells that it was interrupted
			}
			if err := s.send(ctx, leave, e); err != nil {
				return err
			}
			_ = s.bar.Add(e.size)
		}
	}
}

// send submits one entry and counts what came of it. It returns an error only
// when going on makes no sense.
func (s *submit) send(ctx context.Context, leave <-chan struct{}, e entry) error {
	var body []byte
	var id string
	var made bool
	if e.err == nil {
		body, id, made, e.err = identify(e.text)
	}
	if e.err != nil {
		s.tally.refused(e.line, e.err)
		return nil //nolint:nilerr // it is counted
	}
	sent, err := s.client.SubmitPatiently(ctx, body, patience{
		tries: s.tries, limited: limitedTries, leave: leave, waits: s.told.wait,
	})
	s.count(submitted{line: e.line, id: id, made: made}, sent)
	if err == nil || !passing(sent.Last) && !barred(sent.Last) && sent.Doubt == nil {
		return nil
	}
	return &stoppedError{line: e.line, err: err}
}

// submitted is an order that was sent.
type submitted struct {
	line int
	id   string
	made bool // the id was made here
}

func (s *submit) count(o submitted, sent Sent) {
	switch {
	case sent.Last == nil && sent.Replayed && (!o.made || sent.Tries == 1):
		s.tally.replayed()
	case sent.Last == nil: // a replay of an id made here is our own first try
		s.tally.accepted(o)
	case sent.Doubt != nil:
		s.tally.unknown(o, sent.Doubt)
	case noRoom(sent.Last):
		s.tally.noRoom(o, sent.Last)
	default:
		s.tally.refused(o.line, sent.Last)
	}
}

// stoppedError is what made submit leave orders unsent.
type stoppedError struct {
	line int
	err  error
}

// Error implements error.
func (e *stoppedError) Error() string {
	if errors.Is(e.err, errInterrupted) {
		return e.err.Error()
	}
	return fmt.Sprintf("stopped at line %d: %v", e.line, e.err)
}

// Unwrap returns the reason.
func (e *stoppedError) Unwrap() error { return e.err }
