package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

const submitHelp = `submit sends the orders of a file, or of standard input, to the API.

The file holds one JSON object, an array of them, or objects one after the
other, on a line each (NDJSON) or not, in UTF-8. Nothing else is read: not CSV,
and not what is compressed. It is read as it is sent, so it may be of any
length, or a pipe.
Amounts reach the API as they are written. A bad order is told with its line and
does not stop the others.

An order without an id is given one before it is first sent. So it is safe to
send it again when the API is away or busy, and submit does so, waiting longer
from try to try or as long as the API asks. A wait of a second or more is told.

When an order is still not taken after all tries, no more are sent; those under way
are answered first. Every order of the file is counted: not sent are those behind.
Running submit again on the same file takes no order twice that has an id there;
those without are new orders each time.`

type submit struct {
	*World
	api         target
	concurrency int
	tries       int

	client *Client
	tally  tally
	told   waitTeller
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
	s.told.say = s.say
	s.bar = newProgress(s.Stderr, size, "submitting", progressbar.OptionShowBytes(true))
	err = s.sendAll(ctx, file)
	_ = s.bar.Finish()
	s.tally.print(s.World)
	return s.tally.verdict(err)
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

// say writes a line on standard error, above the bar if there is one.
func (s *submit) say(text string) {
	if isTerminal(s.Stderr) {
		_, _ = progressbar.Bprintf(s.bar, "\r\x1b[K%s\n", text)
		return
	}
	_, _ = fmt.Fprintln(s.Stderr, text)
}
