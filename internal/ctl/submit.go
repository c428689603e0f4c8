package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const submitHelp = `submit sends the orders of a file, or of standard input, to the API.

The file holds one JSON object, an array of them, or one object a line
(NDJSON). It is read as it is sent, so it may be of any length, or a pipe.
Amounts reach the API as they are written. A bad order is told with its line and
does not stop the others.

An order without an id is given one before it is first sent. So it is safe to
send it again when the API is away or busy, and submit does so, waiting longer
from try to try or as long as the API asks. Running submit again on a file whose
orders have no ids submits new orders.`

type submit struct {
	*World
	api         target
	concurrency int
	tries       int

	client *Client
	tally  tally
	bar    *progressbar.ProgressBar
}

func newSubmit(w *World) *cobra.Command {
	s := &submit{World: w}
	cmd := &cobra.Command{
		Use:   "submit [FILE|-]",
		Short: "Submit the orders of a file or of standard input",
		Long:  submitHelp,
		Example: `  orderctl submit order.json
  orderctl submit orders.ndjson --concurrency 64
  zcat orders.ndjson.gz | orderctl submit - --api https://orders.example.com`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFile,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
	}
	addAPIFlags(cmd, w, &s.api)
	cmd.Flags().IntVar(&s.concurrency, "concurrency", 16, "how many orders are sent at a time")
	cmd.Flags().IntVar(&s.tries, "tries", 8, "how often an order is sent while the API is away or busy")
	return cmd
}

func (s *submit) run(ctx context.Context, args []string) error {
	if s.concurrency < 1 || s.concurrency > maxConcurrency {
		return usagef("--concurrency must be 1 to %d", maxConcurrency)
	}
	if s.tries < 1 || s.tries > maxTries {
		return usagef("--tries must be 1 to %d", maxTries)
	}
	file, size, err := s.open(args)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if s.client, err = s.api.open(s.concurrency); err != nil {
		return err
	}
	defer s.client.Close()
	if err := s.client.Reach(ctx); err != nil {
		return err
	}
	s.bar = newProgress(s.Stderr, size, "submitting", progressbar.OptionShowBytes(true))
	err = s.sendAll(ctx, file)
	_ = s.bar.Finish()
	s.tally.print(s.World)
	if err != nil {
		return err
	}
	return s.tally.err()
}

// open returns the file and its size, or -1 where nobody knows it.
func (s *submit) open(args []string) (io.ReadCloser, int64, error) {
	if len(args) == 0 || args[0] == "-" {
		if isTerminal(s.Stdin) {
			_, _ = fmt.Fprintln(s.Stderr, "Reading orders from the terminal; end with Ctrl-D.")
		}
		return io.NopCloser(s.Stdin), -1, nil
	}
	f, err := os.Open(args[0])
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, errors.Join(err, f.Close())
	case info.IsDir():
		return nil, 0, errors.Join(usagef("%s is a folder; name a file", args[0]), f.Close())
	case !info.Mode().IsRegular():
		return f, -1, nil
	}
	return f, info.Size(), nil
}

// sendAll sends every entry. The error is one that the other entries would meet
// as well.
func (s *submit) sendAll(ctx context.Context, file io.Reader) error {
	sending, ctx := errgroup.WithContext(ctx)
	queue := make(chan entry)
	unread := make(chan error, 1)
	go func() { // not waited for: reading a pipe cannot be interrupted
		unread <- readAll(ctx, file, queue)
		close(queue)
	}()
	for range s.concurrency {
		sending.Go(func() error { return s.sendFrom(ctx, queue) })
	}
	if err := sending.Wait(); err != nil {
		return err
	}
	return <-unread
}

func readAll(ctx context.Context, file io.Reader, queue chan<- entry) error {
	from, err := newEntries(file)
	for err == nil {
		var e entry
		if e, err = from.next(); err != nil {
			break
		}
		select {
		case queue <- e:
		case <-ctx.Done():
			return errInterrupted
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("read the orders: %w", err)
}

func (s *submit) sendFrom(ctx context.Context, queue <-chan entry) error {
	for {
		select {
		case <-ctx.Done():
			return errInterrupted
		case e, more := <-queue:
			if !more {
				return nil
			}
			if err := s.send(ctx, e); err != nil {
				return err
			}
			_ = s.bar.Add(e.size)
		}
	}
}

// send submits one entry and counts what came of it. It returns an error only
// when going on makes no sense.
func (s *submit) send(ctx context.Context, e entry) error {
	var body []byte
	var id string
	var given bool
	if e.err == nil {
		body, id, given, e.err = identify(e.text)
	}
	if e.err != nil {
		s.tally.refused(e.line, e.err)
		return nil //nolint:nilerr // it is counted
	}
	sent, err := s.client.SubmitPatiently(ctx, body, s.tries)
	var answer *AnswerError
	switch {
	case err == nil && sent.Replayed && (!given || sent.Tries == 1):
		s.tally.replayed()
	case err == nil: // a replay of an id made here is our own first try
		s.tally.accepted()
	case barred(err):
		s.tally.refused(e.line, err)
		return &stoppedError{line: e.line, err: err}
	case errors.As(err, &answer) && !passing(err):
		s.tally.refused(e.line, err)
	default:
		s.tally.unknown(e.line, id, err)
		return &stoppedError{line: e.line, err: err}
	}
	return nil
}

// stoppedError is what made submit leave orders unsent.
type stoppedError struct {
	line int
	err  error
}

// Error implements error.
func (e *stoppedError) Error() string {
	return fmt.Sprintf("stopped around line %d, the orders behind it were not sent: %v", e.line, e.err)
}

// Unwrap returns the reason.
func (e *stoppedError) Unwrap() error { return e.err }
