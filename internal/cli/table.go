package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"orderprocessor/internal/order"
)

const (
	// nameWidth is the width of the names of figures, where there is room, so that
	// tables below each other line up.
	nameWidth = 36
	// columnGap is the space between two columns.
	columnGap = 3
	// minWrapped is the least room in which a text is wrapped.
	minWrapped = 20
)

// table collects rows and writes them in columns.
type table struct {
	to   io.Writer
	rows [][]string
}

func newTable(w io.Writer) *table { return &table{to: w} }

func (t *table) row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, row)
}

// flush writes the table, aligned to the left. On a terminal the last column is
// wrapped to what is left of the width. Standard output remembers an error.
func (t *table) flush() {
	width := terminalWidth(t.to)
	_, _ = io.WriteString(t.to, textColumns(t.rows, width))
}

// textColumns lays out a table of text; a width of 0 is without a bound.
func textColumns(rows [][]string, width int) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, columnGap, ' ', 0)
	for _, row := range rows {
		last := len(row) - 1
		parts := []string{row[last]}
		if room := width - leadingWidth(rows); room >= minWrapped {
			parts = wrap(row[last], room)
		}
		_, _ = fmt.Fprintln(w, strings.Join(append(row[:last:last], parts[0]), "\t"))
		for _, part := range parts[1:] {
			_, _ = fmt.Fprintln(w, strings.Repeat("\t", last)+part)
		}
	}
	_ = w.Flush()
	return text.String()
}

// leadingWidth is the width of all columns but the last.
func leadingWidth(rows [][]string) int {
	width := 0
	for _, w := range columnWidths(rows)[:len(rows[0])-1] {
		width += w + columnGap
	}
	return width
}

// columnWidths returns the width of each column.
func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// flushFigures writes a table whose rows are a name and figures, aligned to the
// right. A table that is wider than 80 columns is written with its rows as columns.
func (t *table) flushFigures() {
	_, _ = io.WriteString(t.to, figureColumns(t.rows, usualWidth))
}

func figureColumns(rows [][]string, width int) string {
	longest := columnWidths(rows)[0]
	for gap := columnGap; gap > 0; gap-- {
		for _, names := range []int{max(nameWidth, longest), longest} {
			if text := alignRight(rows, names, gap); utf8.RuneCountInString(text)/len(rows) <= width+1 {
				return text
			}
		}
	}
	if len(rows) >= len(rows[0]) { // turning it would not make it narrower
		return alignRight(rows, longest, 1)
	}
	turned := make([][]string, len(rows[0]))
	for i := range turned {
		for _, row := range rows {
			turned[i] = append(turned[i], row[i])
		}
	}
	return alignRight(turned, columnWidths(turned)[0], 1)
}

func alignRight(rows [][]string, names, gap int) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, gap, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		_, _ = fmt.Fprintf(w, "%-*s\t%s\t\n", names, row[0], strings.Join(row[1:], "\t"))
	}
	_ = w.Flush()
	return text.String()
}

// wrap breaks a text between its words into lines of at most so many characters. A
// longer word, such as a path, stays whole so that it can be copied.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// shorten returns at most so many characters of a text, and marks an early end.
func shorten(text string, n int) string {
	chars := []rune(text)
	if len(chars) <= n {
		return text
	}
	return string(chars[:max(0, n-1)]) + "…"
}

// moment writes a time in UTC, or nothing for one that has not come.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return order.FormatTime(t)
}

// oneLine makes one line of an error that may have several.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", ": ") }

// countOrders is a number of orders, for sentences.
func countOrders[N int | int64](n N) string {
	if n == 1 {
		return "1 order"
	}
	return fmt.Sprintf("%d orders", n)
}
