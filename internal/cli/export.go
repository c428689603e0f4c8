package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const exportHelp = `export writes all orders that match the flags, newest first: as NDJSON, each order as
get -o json shows it, or as CSV, a table for spreadsheets. In CSV a cell that would
begin a formula begins with ', so that a spreadsheet executes nothing.

With --file, the file appears when the export is whole, and replaces an earlier one.
Without, an export that was cut has written a part of the orders; the exit status
says so.

` + filterHelp

type exportCommand struct {
	*World
	api    target
	filter orderFilter
	format client.ExportFormat
	file   string
}

func newExport(w *World) *cobra.Command {
	e := &exportCommand{World: w}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all orders that match to a file",
		Long:  exportHelp,
		Example: `  orderctl export --file orders.csv
  orderctl export --status failed --from 2026-11-01T00:00:00Z --format csv > failed.csv
  orderctl export --tag vip | jq -r .customer | sort -u`,
		Args:    cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return e.filter.check(cmd.Flags()) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := e.api.open(0)
			if err != nil {
				return err
			}
			defer api.Close()
			return e.run(cmd.Context(), api)
		},
	}
	addAPIFlags(cmd, w, &e.api)
	e.filter.addFlags(cmd)
	addChoice(cmd, &e.format, "format", "", []client.ExportFormat{client.ExportNDJSON, client.ExportCSV},
		"ndjson or csv (default csv for a --file that ends with .csv, else ndjson)")
	cmd.Flags().StringVar(&e.file, "file", "", "write to this file (default standard output)")
	_ = cmd.RegisterFlagCompletionFunc("file", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)) // any file
	return cmd
}

func (e *exportCommand) run(ctx context.Context, api *client.Client) error {
	switch {
	case e.format != "":
	case filepath.Ext(e.file) == ".csv":
		e.format = client.ExportCSV
	default:
		e.format = client.ExportNDJSON
	}
	count := &counter{csv: e.format == client.ExportCSV, progress: newProgress(e.Stderr, -1, "orders")}
	if count.csv {
		count.lines = -1 // the header is not an order
	}
	write := func(to io.Writer) error {
		count.to = to
		err := api.Export(ctx, e.filter.query(), e.format, count)
		_ = count.progress.Finish()
		return err
	}
	var err error
	if e.file == "" {
		err = e.toStdout(write)
	} else {
		err = replace(e.file, write)
	}
	switch {
	case errors.Is(err, client.ErrCut):
		return fmt.Errorf("after %d orders %w", max(0, count.lines), err)
	case err != nil:
		return fmt.Errorf("export orders: %w", err)
	case e.file != "":
		_, _ = fmt.Fprintf(e.Stderr, "%d orders are in %s.\n", max(0, count.lines), e.file)
	}
	return nil
}

// toStdout writes to standard output, and escapes what would mislead on a terminal. That
// changes nothing in JSON, so it is done to a file or a pipe as well, as list does.
func (e *exportCommand) toStdout(write func(to io.Writer) error) error {
	if e.format == client.ExportCSV && !isTerminal(e.Stdout) {
		return write(e.Stdout)
	}
	lines := &escapedLines{to: e.Stdout}
	err := write(lines)
	return errors.Join(err, lines.flush())
}

// escapedLines writes whole lines, escaped.
type escapedLines struct {
	to   io.Writer
	rest []byte
}

// Write implements io.Writer.
func (l *escapedLines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(p, '\n')
	if end < 0 {
		return len(p), nil
	}
	whole := len(l.rest) - len(p) + end + 1
	_, err := io.WriteString(l.to, order.Escape(string(l.rest[:whole])))
	l.rest = append(l.rest[:0], l.rest[whole:]...)
	return len(p), err
}

// flush writes the line that was cut.
func (l *escapedLines) flush() error {
	if len(l.rest) == 0 {
		return nil
	}
	_, err := io.WriteString(l.to, order.Escape(string(l.rest)))
	return err
}

// replace writes a file that appears under its name once it is whole.
func replace(path string, write func(to io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; without --file the orders go to standard output", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }()
	if err := write(part); err != nil {
		return errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// counter counts the orders that it passes on. In CSV a line break within a quoted cell
// ends no order.
type counter struct {
	to       io.Writer
	csv      bool
	lines    int
	progress *progressbar.ProgressBar
	inside   bool // a quoted cell
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	before := c.lines
	for _, b := range p[:n] {
		switch {
		case b == '"' && c.csv:
			c.inside = !c.inside
		case b == '\n' && !c.inside:
			c.lines++
		}
	}
	_ = c.progress.Add(c.lines - before)
	return n, err
}
