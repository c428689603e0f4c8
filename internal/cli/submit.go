package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"orderprocessor/internal/client"
)

const submitHelp = `submit sends the orders of a file, or of standard input, to the API.

The file holds one JSON object, an array of them, or objects one after the other, on
one line each (NDJSON) or not, in UTF-8. It reads no compressed files. It reads while
it sends, so the file may be of any length, or a pipe. Amounts reach the API as they
are written. A bad order is reported with its line and does not stop the others; only
a syntax error within an array ends the reading.

A file whose name ends in .csv is CSV, with commas, semicolons or tabs. Its header names
the fields:

  id, amount, currency, customer, address, country, priority, notes, process_at,
  item (or item.name), item.sku, item.quantity, item.unit_price, metadata.KEY

Rows that follow one another with the same id are one order with an item each; the
rows after the first may leave the fields of the order empty. A row without an id is an
order of its own. Columns with other names need a mapping, in YAML or JSON: the field,
and the column, a list of columns to join, or a constant. Other columns are ignored then.

  id: Name
  address: [Shipping Street, Shipping City]
  metadata.channel: {value: export}

An order without an id gets one before it is first sent. So it is safe to send it
again when the API is away or busy, and submit does so, waiting longer from try to try
or as long as the API asks. A wait of a second or more is reported.

When an order is still not accepted after all tries, no more are sent, and submit waits
for the answers to those under way. Every order of the file is counted; the rest of the
file is "not sent". Running submit again on the same file submits no order twice that
has an id there; those without are new orders each time.`

const (
	// maxConcurrency bounds the requests under way; the API accepts 16,384
	// connections from all its clients.
	maxConcurrency = 1024
	// maxTries bounds how often one order is sent.
	maxTries = 100
	// rateLimitedTries is how often one more order is sent while the key is over its
	// rate: with the waits in between about 15 minutes.
	rateLimitedTries = 100
	// reportedWait is the shortest wait that is reported.
	reportedWait = time.Second
	// countTimeout bounds how long the rest of a file is read to count its orders:
	// some hundred megabytes, and not the end of a pipe that stays open.
	countTimeout = time.Second
)

type submitCommand struct {
	apiCommand
	concurrency int
	tries       int
	format      orderFormat
	mapping     string

	client *client.Client
	report submitReport
	bar    *progressbar.ProgressBar

	mu            sync.Mutex
	reportedUntil time.Time // the end of the wait that was reported last
}

func newSubmit(w *World) *cobra.Command {
	s := &submitCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "submit [FILE|-]",
		Short: "Submit the orders of a file or of standard input",
		Long:  submitHelp,
		Example: `  orderctl submit order.json
  orderctl submit orders.ndjson --concurrency 64
  orderctl submit orders.csv --mapping mapping.yaml
  zcat orders.ndjson.gz | orderctl submit - --api https://orders.example.com`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, named []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(named) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault // any file
		},
		PreRunE: s.check,
		RunE:    s.withClient(s.run),
	}
	addAPIFlags(cmd, w, &s.api)
	cmd.Flags().IntVar(&s.concurrency, "concurrency", 16, "how many orders are sent at a time")
	cmd.Flags().IntVar(&s.tries, "tries", 8, "how often an order is sent while the API is away or busy")
	s.addFormatFlags(cmd)
	return cmd
}

func (s *submitCommand) check(_ *cobra.Command, args []string) error {
	if err := s.chooseFormat(args); err != nil {
		return err
	}
	return cmp.Or(checkRange("concurrency", s.concurrency, 1, maxConcurrency), checkRange("tries", s.tries, 1, maxTries))
}

func (s *submitCommand) run(ctx context.Context, api *client.Client, args []string) error {
	file, size, err := s.openFile(args)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	open, err := s.inputOf(file)
	if err != nil {
		return err
	}
	if err := api.Reach(ctx); err != nil {
		return err
	}
	s.client = api
	s.bar = newProgress(s.Stderr, size, "submitting", progressbar.OptionShowBytes(true))
	err = s.sendAll(ctx, open)
	_ = s.bar.Finish()
	s.report.print(s.World)
	return s.report.err(err)
}

// openFile returns the file and its size, or -1 if it is not known.
func (s *submitCommand) openFile(args []string) (io.ReadCloser, int64, error) {
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

// sendAll sends every order of the file and counts the outcomes. The error is one
// that the other orders would meet as well: from then on no order is sent, and the
// rest is counted.
func (s *submitCommand) sendAll(ctx context.Context, open func() (orderInput, error)) error {
	senders, sending := errgroup.WithContext(ctx)
	entries := make(chan entry)
	read := make(chan error, 1)
	go func() { // not waited for: reading a pipe cannot be interrupted
		read <- s.readAll(sending, open, entries)
		close(entries)
	}()
	for range s.concurrency {
		senders.Go(func() error { return s.sendEntries(ctx, sending.Done(), entries) })
	}
	err := senders.Wait()
	var unread error
	incomplete := true
	select {
	case unread = <-read:
		incomplete = unread != nil
	case <-time.After(countTimeout):
	}
	s.report.freeze(incomplete)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return client.ErrInterrupted
	default:
		return unread
	}
}

// readAll passes on the entries of a file. After the end of ctx it only counts them.
func (s *submitCommand) readAll(ctx context.Context, open func() (orderInput, error), entries chan<- entry) error {
	in, err := open()
	for err == nil {
		var e entry
		if e, err = in.next(); err != nil {
			break
		}
		if ctx.Err() == nil {
			select {
			case entries <- e:
				continue
			case <-ctx.Done():
			}
		}
		s.report.addUnsent(e)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("read the orders: %w", err)
}

// sendEntries sends entries until there are no more, or stop is closed.
func (s *submitCommand) sendEntries(ctx context.Context, stop <-chan struct{}, entries <-chan entry) error {
	for {
		select {
		case <-stop:
			return nil
		case e, more := <-entries:
			switch {
			case !more:
				return nil
			case ctx.Err() != nil:
				s.report.addUnsent(e)
				return nil //nolint:nilerr // sendAll returns that it was interrupted
			}
			if err := s.send(ctx, stop, e); err != nil {
				return err
			}
			_ = s.bar.Add64(e.size)
		}
	}
}

// send submits one entry and counts the outcome. It returns an error only if
// the other entries would meet it as well.
func (s *submitCommand) send(ctx context.Context, stop <-chan struct{}, e entry) error {
	var o identified
	if e.err == nil {
		o, e.err = identify(e.text)
	}
	if e.err != nil {
		s.report.addRefused(e.line, e.err)
		return nil //nolint:nilerr // it is counted
	}
	sent, err := s.client.SubmitRepeatedly(ctx, o.body, client.RetryPolicy{
		Attempts: s.tries, RateLimited: rateLimitedTries, Stop: stop, OnWait: s.reportWait,
	})
	s.report.add(e.line, o, sent)
	switch {
	case err == nil, !client.Temporary(sent.Err) && !client.Denied(sent.Err) && sent.Unknown == nil:
		return nil
	case errors.Is(err, client.ErrInterrupted):
		return err
	default:
		return fmt.Errorf("stopped at line %d: %w", e.line, err)
	}
}

// reportWait reports why nothing happens, once for all orders that wait at the same
// time.
func (s *submitCommand) reportWait(why error, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if d < reportedWait || now.Before(s.reportedUntil) {
		return
	}
	s.reportedUntil = now.Add(d)
	text := fmt.Sprintf("%s: trying again in %d s (Ctrl-C stops)", waitReason(why), int(math.Ceil(d.Seconds())))
	if isTerminal(s.Stderr) {
		_, _ = progressbar.Bprintf(s.bar, "\r\x1b[K%s\n", text) // above the bar
		return
	}
	_, _ = fmt.Fprintln(s.Stderr, text)
}

func waitReason(err error) string {
	var response *client.ResponseError
	switch {
	case client.NoRoom(err):
		return "no room"
	case client.RateLimited(err):
		return "over the rate limit"
	case errors.As(err, new(*client.UnreachableError)):
		return "no answer from the API"
	case errors.As(err, &response) && response.RedisUnavailable():
		return client.RedisUnavailable
	default:
		return "the API is busy"
	}
}
