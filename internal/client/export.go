package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
)

// ExportFormat is how the API writes an export.
type ExportFormat string

// The formats of an export.
const (
	// ExportNDJSON is each order as the API shows it, one a line.
	ExportNDJSON ExportFormat = "ndjson"
	// ExportCSV is a table for spreadsheets.
	ExportCSV ExportFormat = "csv"
)

// exportSegment is the last segment of the path of the export.
const exportSegment = "export"

// ErrCut means that an export ended before all orders were written.
var ErrCut = errors.New("the export was cut, so it is not whole")

// Export writes all orders that match a filter, query parameters of GET /orders. It
// returns ErrCut when not all of them were written, and when the API sent nothing for half
// a minute. An error of the writer ends it, and is returned as it is.
func (c *Client) Export(parent context.Context, filter url.Values, format ExportFormat, to io.Writer) error {
	ctx, timer, end := timed(parent, maxSilence)
	defer end()
	r := get("orders", exportSegment)
	r.export = true
	r.query = url.Values{"format": {string(format)}}
	for name, values := range filter {
		r.query[name] = values
	}
	mediaType := "application/x-ndjson"
	if format == ExportCSV {
		mediaType = "text/csv"
	}
	stream, err := c.open(ctx, r, mediaType)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	out := &writer{to: to}
	if _, err := io.Copy(out, timedReader{stream, timer, maxSilence}); err != nil && out.err == nil {
		if parent.Err() != nil {
			return ErrInterrupted
		}
		return fmt.Errorf("%w: %w", ErrCut, cmp.Or(context.Cause(ctx), err))
	}
	return out.err
}

// writer remembers its error, to tell it from one of the reader.
type writer struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.err = err
	return n, err
}
