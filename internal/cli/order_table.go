package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"orderprocessor/internal/order"
)

// noMatch is said instead of a table without rows.
const noMatch = "No order matches.\n"

// orderTable writes orders page by page, a row each. A column never becomes
// narrower, so that the pages line up.
//
// Where it is read by a program nothing is cut. On a terminal no row is wider than it: a
// row that would be takes two lines, and texts and ids are shortened; figures never are.
type orderTable struct {
	*World
	widths [orderColumns]int
	begun  bool
}

// The columns of the table.
const (
	columnID = iota
	columnStatus
	columnAmount
	columnCustomer
	columnQueue
	columnCreated
	columnError
	orderColumns
)

// page writes the rows of one page. A reader that went away is an error, so that no
// more pages are asked for.
func (o *orderTable) page(orders []json.RawMessage) error {
	if len(orders) == 0 {
		return nil
	}
	width := terminalWidth(o.Stdout)
	rows, err := o.rows(orders, width)
	if err != nil {
		return err
	}
	_, err = io.WriteString(o.Stdout, strings.Join(o.lines(rows, width), "\n")+"\n")
	return err
}

func (o *orderTable) rows(orders []json.RawMessage, width int) ([][orderColumns]string, error) {
	var rows [][orderColumns]string
	if !o.begun {
		rows = append(rows, [orderColumns]string{"id", "status", "amount", "customer", "queue", "created at", "error"})
		o.begun = true
	}
	for _, text := range orders {
		var v orderView
		if json.Unmarshal(text, &v) != nil || v.ID == "" {
			return nil, errNotTheAPI
		}
		row := [orderColumns]string{
			order.Printable(v.ID), order.Printable(string(v.Status)), v.Amount.String(), order.Printable(v.Customer),
			order.Printable(string(v.Queue)), second(v.CreatedAt), order.Printable(v.Error),
		}
		if width > 0 {
			row[columnCustomer], row[columnError] = shortened(row[columnCustomer], maxCellChars), shortened(row[columnError], maxCellChars)
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i, cell := range row[:columnError] {
			o.widths[i] = max(o.widths[i], utf8.RuneCountInString(cell))
		}
		o.widths[columnError] = max(o.widths[columnError], utf8.RuneCountInString(row[columnError]))
	}
	return rows, nil
}

// lines lays rows out in a width, or without a bound for 0.
func (o *orderTable) lines(rows [][orderColumns]string, width int) []string {
	whole := (orderColumns - 1) * textGap
	for _, w := range o.widths {
		whole += w
	}
	var lines []string
	for _, row := range rows {
		if width == 0 || whole <= width {
			lines = append(lines, o.padded(row[:columnError]...)+row[columnError])
			continue
		}
		lines = append(lines, o.twoLines(row, width)...)
	}
	return lines
}

// padded writes the first columns of a row.
func (o *orderTable) padded(cells ...string) string {
	var line strings.Builder
	for i, c := range cells {
		_, _ = fmt.Fprintf(&line, "%-*s", o.widths[i]+textGap, c)
	}
	return line.String()
}

// twoLines writes the id and the figures of a row, and its texts below them.
func (o *orderTable) twoLines(row [orderColumns]string, width int) []string {
	const gap, indent = "  ", "    "
	figures := fmt.Sprintf("%s%-*s%s%*s%s%-*s", gap, o.widths[columnStatus], row[columnStatus],
		gap, o.widths[columnAmount], row[columnAmount], gap, o.widths[columnCreated], row[columnCreated])
	ids := min(o.widths[columnID], max(1, width-utf8.RuneCountInString(figures)))
	first := fmt.Sprintf("%-*s", ids, shortened(row[columnID], ids)) + figures
	texts := []string{}
	for _, text := range []string{row[columnQueue], row[columnCustomer], row[columnError]} {
		if text != "" {
			texts = append(texts, text)
		}
	}
	second := shortened(indent+strings.Join(texts, gap), width)
	return []string{strings.TrimRight(first, " "), strings.TrimRight(second, " ")}
}

// end tells what the rows do not.
func (o *orderTable) end(found *pages) {
	switch {
	case !o.begun:
		o.printf(noMatch)
	case !found.ended:
		_, _ = fmt.Fprintln(o.Stderr, "There may be more: --limit shows more of them, --all shows all.")
	}
}

// shortened returns at most so many characters of a text, and marks where it ends
// early.
func shortened(text string, n int) string {
	chars := []rune(text)
	if len(chars) <= n {
		return text
	}
	return string(chars[:max(0, n-1)]) + "…"
}

// second writes a time in UTC, without its fraction.
func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }
