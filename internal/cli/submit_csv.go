package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxRowBytes bounds a row of CSV, and with it what is held of a file whose quotes do
// not match: an order, and columns that are not read.
const maxRowBytes = 4 * maxOrderBytes

var (
	errNotCSV  = errors.New("is not valid CSV")
	errRows    = errors.New("the rows after it cannot be told apart: a quote is not closed, or is not doubled within quotes")
	errNotUTF8 = errors.New("is not in UTF-8; save the file as UTF-8, or: iconv -f WINDOWS-1252 -t UTF-8 FILE | orderctl submit - --format csv")
	errCutOff  = errors.New("may not be complete, as the file cannot be read further")
)

// csvInput reads the orders of a CSV file one by one, in bounded memory. Rows that
// follow one another with the same id are one order. It reads one row further than the
// order, unless the order has no id.
type csvInput struct {
	file    *source
	rows    *csv.Reader
	columns []csvColumn
	width   int     // columns of the header
	line    int     // of the last row
	end     int64   // where in the file the last row ended
	ahead   *csvRow // belongs to the next order
	err     error   // why the file cannot be read further
}

// csvRow is a row of a file.
type csvRow struct {
	line  int
	size  int64
	cells []string // a text for each column that is read
	id    string   // of its order; empty if the order has none
	known bool     // whether the id could be read
	err   error    // why the row cannot be used
}

// newCSVInput returns io.EOF for an empty file, and an error for a header that does not
// say where the fields of an order are.
func newCSVInput(file io.Reader, m csvMapping) (*csvInput, error) {
	s, err := newSource(file)
	if err != nil {
		return nil, err
	}
	s.budget = maxRowBytes
	in := bufio.NewReaderSize(s, maxHeaderBytes)
	rows := csv.NewReader(in)
	rows.Comma = delimiter(firstLine(in))
	rows.FieldsPerRecord = -1 // the width is compared here
	r := &csvInput{file: s, rows: rows}
	header, err := rows.Read()
	if err != nil {
		return nil, r.broken(err)
	}
	r.line, _ = rows.FieldPos(0)
	r.width, r.end = len(header), rows.InputOffset()
	r.columns, err = m.columns(header)
	return r, err
}

// next implements orderInput.
func (r *csvInput) next() (entry, error) {
	last := r.ahead
	r.ahead = nil
	if last == nil {
		var err error
		if last, err = r.read(); err != nil {
			return entry{}, err
		}
	}
	o := newCSVOrder(r.columns, last)
	for id, known := last.id, last.known; id != "" || !known; {
		row, err := r.read()
		if err != nil {
			break // for the next call
		}
		if known && row.known && row.id != id {
			r.ahead = row.after(last)
			break
		}
		if row.known {
			id, known = row.id, true
		}
		o.add(row)
		last = row
	}
	if r.err != nil && !errors.Is(r.err, io.EOF) && last.id != "" {
		o.fail(last.line, errCutOff)
	}
	return o.entry(), nil
}

// after returns a row that begins an order. If the row before it does not say whose it
// is, it may be of this order, which then cannot be used either.
func (row *csvRow) after(last *csvRow) *csvRow {
	if !last.known && row.err == nil {
		row.err = fmt.Errorf("follows line %d, which cannot be read and may belong to the same order", last.line)
	}
	return row
}

// read returns io.EOF after the last row, or why the file cannot be read further.
func (r *csvInput) read() (*csvRow, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.file.budget = maxRowBytes
	cells, err := r.rows.Read()
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax) && syntax.Line == syntax.StartLine:
		r.line = syntax.Line
		return r.row(cells, fmt.Errorf("%w: %w in column %d", errNotCSV, syntax.Err, syntax.Column)), nil
	case err != nil:
		r.err = r.broken(err)
		return nil, r.err
	}
	r.line, _ = r.rows.FieldPos(0)
	if len(cells) != r.width {
		err = fmt.Errorf("has %d columns, and the header has %d", len(cells), r.width)
	}
	return r.row(cells, err), nil
}

// broken explains why no more rows can be read.
func (r *csvInput) broken(err error) error {
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", syntax.StartLine, errRows)
	case errors.Is(err, errTooLong):
		return fmt.Errorf("line %d: the row after it is longer than %d KiB, or %w", r.line, maxRowBytes>>10, errRows)
	default:
		return err
	}
}

// row returns a row that was read. What is wrong with it may come after its id.
func (r *csvInput) row(cells []string, err error) *csvRow {
	row := &csvRow{line: r.line, size: r.rows.InputOffset() - r.end, known: true, err: err}
	r.end = r.rows.InputOffset()
	row.cells = make([]string, len(r.columns))
	var problems []string
	for i, column := range r.columns {
		text, there := column.text(cells)
		row.cells[i] = text
		if column.name == "id" {
			row.id, row.known = text, there
		}
		if problem := column.check(text); problem != "" {
			problems = append(problems, problem)
		}
	}
	if err == nil && len(problems) > 0 {
		row.err = errors.New(strings.Join(problems, "; "))
	}
	return row
}
