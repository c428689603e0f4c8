package ctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"orderprocessor/internal/order"
)

// noMatch is said instead of a table without rows.
const noMatch = "No order matches.\n"

// orderTable writes orders page by page, a row each. A column never becomes
// narrower, so that the pages line up.
type orderTable struct {
	*World
	widths [6]int // of all columns but the last
	begun  bool
}

// page writes the rows of one page. A reader that went away is an error, so that no
// more pages are asked for.
func (o *orderTable) page(orders []json.RawMessage) error {
	if len(orders) == 0 {
		return nil
	}
	t := newTable(o.Stdout)
	err := o.rows(t, orders)
	return errors.Join(err, t.Flush())
}

func (o *orderTable) rows(t table, orders []json.RawMessage) error {
	if !o.begun {
		o.row(t, "id", "status", "amount", "customer", "queue", "created at", "error")
		o.begun = true
	}
	for _, text := range orders {
		var v orderView
		if json.Unmarshal(text, &v) != nil || v.ID == "" {
			return errNotTheAPI
		}
		o.row(t, order.Printable(v.ID), order.Printable(string(v.Status)), v.Amount.String(), cut(v.Customer),
			order.Printable(string(v.Queue)), second(v.CreatedAt), cut(v.Error))
	}
	return nil
}

func (o *orderTable) row(t table, cells ...string) {
	padded := make([]any, len(cells))
	for i, c := range cells {
		if i < len(o.widths) {
			o.widths[i] = max(o.widths[i], utf8.RuneCountInString(c))
			c = fmt.Sprintf("%-*s", o.widths[i], c)
		}
		padded[i] = c
	}
	t.row(padded[0], padded[1:]...)
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

// cut makes a free text fit into a table.
func cut(text string) string { return shortened(order.Printable(text), maxCellChars) }

// shortened returns at most so many characters of a text, and marks where it ends
// early.
func shortened(text string, n int) string {
	chars := []rune(text)
	if len(chars) <= n {
		return text
	}
	return string(chars[:n-1]) + "…"
}

// second writes a time in UTC, without its fraction.
func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }
