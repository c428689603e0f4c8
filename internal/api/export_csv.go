package api

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// csvColumn is a column of an export.
type csvColumn struct {
	name  string
	value func(v recordView) string
	// exact is set for values that the service itself writes, such as numbers and times.
	exact bool
}

// csvColumns returns the columns of an export. Orders that name no currency have that of
// the installation.
func csvColumns(installed order.Currency) []csvColumn {
	return []csvColumn{
		{"id", func(v recordView) string { return v.ID }, false},
		{"status", func(v recordView) string { return string(v.Status) }, true},
		{"created_at", func(v recordView) string { return csvTime(v.CreatedAt) }, true},
		{"settled_at", func(v recordView) string { return csvTime(v.ProcessedAt) }, true},
		{"customer", func(v recordView) string { return v.Customer }, false},
		{"amount", func(v recordView) string { return v.Amount.String() }, true},
		{"currency", func(v recordView) string { return string(cmp.Or(v.Currency, installed)) }, true},
		{"country", func(v recordView) string { return string(v.Country) }, true},
		{"priority", func(v recordView) string { return strconv.Itoa(int(v.Priority)) }, true},
		{"queue", func(v recordView) string { return string(v.Queue) }, true},
		{"handling", func(v recordView) string { return string(v.Handling) }, true},
		{"tags", func(v recordView) string { return strings.Join(v.Tags, " ") }, false},
		{"attempts", csvAttempts, true},
		{"error", func(v recordView) string { return v.Error }, false},
		{"note", csvNote, false},
		{"cancel_reason", func(v recordView) string { return v.CancelReason }, false},
		{"items", csvItems, false},
		{"address", func(v recordView) string { return v.Address }, false},
		{"notes", func(v recordView) string { return v.Notes }, false},
		{"metadata", csvMetadata, false},
		{"archived", func(v recordView) string { return strconv.FormatBool(v.Archived) }, true},
	}
}

func csvHeader() string {
	var names []string
	for _, column := range csvColumns("") {
		names = append(names, column.name)
	}
	return strings.Join(names, ",") + "\r\n"
}

// csvWriter returns a function that adds an order as a row of RFC 4180.
func csvWriter(installed order.Currency) func(to *bytes.Buffer, o found) error {
	columns := csvColumns(installed)
	return func(to *bytes.Buffer, o found) error {
		view := viewFound(o)
		row := make([]string, len(columns))
		for i, column := range columns {
			row[i] = column.value(view)
			if !column.exact {
				row[i] = inert(row[i])
			}
		}
		w := csv.NewWriter(to)
		w.UseCRLF = true
		_ = w.Write(row) // a buffer takes everything
		w.Flush()
		return w.Error()
	}
}

// inert returns a text that no spreadsheet executes: where a cell begins with what begins
// a formula, a ' makes it a text. A cell also begins after what some countries separate
// cells by, as a spreadsheet there may not see that the whole text is one cell.
func inert(text string) string {
	if !strings.ContainsAny(text, formula) {
		return text
	}
	var out strings.Builder
	begins := true
	for _, r := range text {
		if begins && strings.ContainsRune(formula, r) {
			out.WriteByte('\'')
		}
		begins = strings.ContainsRune(";\t\r\n", r) || begins && r == ' '
		out.WriteRune(r)
	}
	return out.String()
}

// formula are the characters that begin a formula, with their wide forms, and those that
// spreadsheets drop in front of them.
const formula = "=+-@\t\r＝＋－＠"

func csvTime(t order.Timestamp) string {
	if t.IsZero() {
		return ""
	}
	return order.FormatTime(t.Time)
}

func csvAttempts(v recordView) string {
	if len(v.Attempts) == 0 {
		return "0"
	}
	return strconv.Itoa(v.Attempts[len(v.Attempts)-1].Number)
}

// csvNote is what the shop answered last.
func csvNote(v recordView) string {
	if len(v.Attempts) == 0 {
		return ""
	}
	return v.Attempts[len(v.Attempts)-1].Note
}

func csvItems(v recordView) string { return csvJSON(v.Items) }

func csvMetadata(v recordView) string {
	if len(v.Metadata) == 0 {
		return ""
	}
	return csvJSON(v.Metadata)
}

func csvJSON[T []order.Item | map[string]string](v T) string {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) //nolint:errchkjson // texts and numbers always encode
	return strings.TrimSuffix(text.String(), "\n")
}
