package cli

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"orderprocessor/internal/order"
)

// csvOrder makes an order of its rows.
type csvOrder struct {
	columns []csvColumn
	first   *csvRow
	items   []any // as they are written in JSON
	bytes   int   // of the texts of the items
	result  entry
}

func newCSVOrder(columns []csvColumn, first *csvRow) *csvOrder {
	o := &csvOrder{columns: columns, first: first, result: entry{line: first.line}}
	o.add(first)
	return o
}

// add adds a row. It keeps no more items than it takes for the API to refuse the order.
func (o *csvOrder) add(row *csvRow) {
	o.result.size += row.size
	if row.err != nil {
		o.fail(row.line, row.err)
	} else if row != o.first {
		o.compare(row)
	}
	switch item := o.item(row); {
	case item == nil || o.result.err != nil || len(o.items) > order.MaxItems:
	case o.bytes > maxOrderBytes:
		o.fail(row.line, errTooLong)
	default:
		o.items = append(o.items, item)
	}
}

// fail refuses the order. The first reason is reported, with its line.
func (o *csvOrder) fail(line int, err error) {
	if o.result.err == nil {
		o.result.line, o.result.err, o.items = line, err, nil
	}
}

// compare refuses an order whose rows contradict each other.
func (o *csvOrder) compare(row *csvRow) {
	for i, column := range o.columns {
		first, text := o.first.cells[i], row.cells[i]
		if !strings.HasPrefix(column.name, itemPrefix) && text != "" && text != first {
			o.fail(row.line, fmt.Errorf("%s is %q, and %q in line %d, which is of the same order",
				column.name, shortText(text), shortText(first), o.first.line))
		}
	}
}

// item returns the item that a row names, or nil. One that has a name only is written as
// its name.
func (o *csvOrder) item(row *csvRow) any {
	fields := map[string]any{}
	for i, column := range o.columns {
		field, ofItem := strings.CutPrefix(column.name, itemPrefix)
		if text := row.cells[i]; ofItem && text != "" {
			fields[field] = column.value(text)
			o.bytes += len(text)
		}
	}
	switch name, named := fields["name"]; {
	case len(fields) == 0:
		return nil
	case named && len(fields) == 1:
		return name
	default:
		return fields
	}
}

// value returns a text as it is written in JSON: numbers stay as they are.
func (c csvColumn) value(text string) any {
	if c.number() {
		return jsontext.Value(text)
	}
	return text
}

// entry returns the order when it has all its rows.
func (o *csvOrder) entry() entry {
	if o.result.err != nil {
		return o.result
	}
	fields, metadata := map[string]any{}, map[string]string{}
	for i, column := range o.columns {
		text := o.first.cells[i]
		key, ofMetadata := strings.CutPrefix(column.name, metadataPrefix)
		switch {
		case text == "" || strings.HasPrefix(column.name, itemPrefix):
		case ofMetadata:
			metadata[key] = text
		default:
			fields[column.name] = column.value(text)
		}
	}
	if len(metadata) > 0 {
		fields["metadata"] = metadata
	}
	fields["items"] = append([]any{}, o.items...)
	o.result.text, o.result.err = json.Marshal(fields, json.Deterministic(true))
	if len(o.result.text) > maxOrderBytes {
		o.result.err = errTooLong
	}
	return o.result
}
