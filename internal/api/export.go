package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
)

// errExporting is an export while as many run as may.
var errExporting = errors.New("other exports run")

// exportFormat is how an export is written.
type exportFormat string

const (
	formatNDJSON exportFormat = "ndjson"
	formatCSV    exportFormat = "csv"
)

// mediaCSV is the media type of RFC 4180.
const mediaCSV = "text/csv; charset=utf-8; header=present"

// exporter writes the orders of an export.
type exporter struct {
	// write adds an order.
	write func(to *bytes.Buffer, o found) error
	// read returns the page after a position.
	read func(ctx context.Context, after order.Position) (page, error)
}

// exportOrders answers GET /orders/export. The answer begins once the first page has been
// read, so that what prevents it has a status. An export that ends early ends without the
// end of the answer.
func (s *Server) exportOrders(c *fiber.Ctx) error {
	q, filter := s.filterOf(c, "format")
	format := cmp.Or(choice(q, "format", []exportFormat{formatNDJSON, formatCSV}), formatNDJSON)
	if err := s.checkFilter(q, filter); err != nil {
		return err
	}
	caller := callerOf(c)
	if !s.exports.acquire(caller, len(s.cfg.Keys) > 0) {
		return errExporting
	}
	release := func() { s.exports.release(caller) }
	e := exporter{writeNDJSON, func(ctx context.Context, after order.Position) (page, error) { return s.exportPage(ctx, filter, after) }}
	ctx := c.UserContext()
	if filter.NeedsArchive() { // which takes its time
		ctx = context.WithoutCancel(ctx)
	}
	first, err := e.read(ctx, order.Position{})
	if err != nil || c.Method() == fiber.MethodHead {
		release()
	}
	if err != nil {
		return err
	}
	media, header := mediaNDJSON, ""
	if format == formatCSV {
		media, header, e.write = mediaCSV, csvHeader(), csvWriter(s.cfg.Terms.Currency)
	}
	c.Set(fiber.HeaderContentType, media)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="orders.`+string(format)+`"`)
	c.Set("X-Accel-Buffering", "no") // otherwise nginx delays the orders
	if c.Method() == fiber.MethodHead {
		return nil
	}
	id := httpserver.RequestID(c)
	s.http.Stream(c, func(ctx context.Context, w *httpserver.StreamWriter) {
		defer release()
		whole := false
		defer func() {
			if !whole {
				w.Cut()
			}
		}()
		err := e.run(ctx, w, header, first)
		if whole = err == nil; !whole {
			s.cfg.Log.WarnContext(ctx, "an export was cut", "error", err, "request_id", id)
		}
	})
	return nil
}

// exportPage reads a page of an export, which lacks nothing: an archive that is away and an
// order that cannot be read are errors.
func (s *Server) exportPage(ctx context.Context, f order.Filter, after order.Position) (p page, err error) {
	ctx, cancel := context.WithTimeout(ctx, exportPageTimeout)
	defer cancel()
	if f.NeedsArchive() {
		p, err = s.searchPage(ctx, f, after, exportPage)
	} else {
		p, err = s.page(ctx, f, after, exportPage, exportPageTimeout)
	}
	if p.away != nil {
		err = archiveAwayError{p.away}
	}
	return p, errors.Join(err, p.unreadable)
}

// run writes all pages. It returns an error unless the client has all of them.
func (e exporter) run(ctx context.Context, w *httpserver.StreamWriter, header string, p page) error {
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	part := bytes.NewBufferString(header)
	for {
		for _, o := range p.orders {
			if err := e.write(part, o); err != nil {
				return err
			}
			if part.Len() >= exportPart && !send(w, part) {
				return errNotReceived
			}
		}
		if !send(w, part) {
			return errNotReceived
		}
		if p.next.IsZero() {
			return nil
		}
		var err error
		if p, err = e.read(ctx, p.next); err != nil {
			return err
		}
	}
}

// errNotReceived means that the client has gone, or reads too slowly.
var errNotReceived = errors.New("the client does not receive it")

// send sends what a buffer has, and empties it. It reports whether the client has it.
func send(w *httpserver.StreamWriter, part *bytes.Buffer) bool {
	defer part.Reset()
	if !w.Flush() { // sets the time by which the client must have the part
		return false
	}
	_, err := io.Copy(w, part)
	return err == nil && w.Flush()
}

// writeNDJSON writes an order as GET /orders/{id} shows it.
func writeNDJSON(to *bytes.Buffer, o found) error {
	return json.NewEncoder(to).Encode(viewFound(o))
}
