package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxHeaderBytes bounds where delimiters are looked for.
	maxHeaderBytes = 64 << 10
	// metadataPrefix begins the fields of an order's metadata.
	metadataPrefix = "metadata."
	// itemPrefix begins the fields of an item.
	itemPrefix = "item."
	// itemName is also called item.
	itemName = itemPrefix + "name"
)

// csvFields lists what a column can hold, besides metadata.
func csvFields() []string {
	return []string{
		"id", "amount", "currency", "customer", "address", "country", "priority", "notes", "process_at",
		itemName, itemPrefix + "sku", itemPrefix + "quantity", itemPrefix + "unit_price",
	}
}

// csvFieldsText describes csvFields for messages.
func csvFieldsText() string { return list(csvFields()) + ", " + metadataPrefix + "KEY" }

// csvField returns the field of a name, or false if there is none.
func csvField(name string) (field string, known bool) {
	if name == "item" {
		return itemName, true
	}
	key, metadata := strings.CutPrefix(name, metadataPrefix)
	return name, metadata && key != "" || slices.Contains(csvFields(), name)
}

// csvColumn says where in a row a field is.
type csvColumn struct {
	name     string
	indexes  []int // more than one are joined
	constant string
}

// text returns the field in a row, and false if the row is too short for it. White space
// around a cell is dropped.
func (c csvColumn) text(cells []string) (text string, there bool) {
	if len(c.indexes) == 0 {
		return c.constant, true
	}
	var parts []string
	for _, index := range c.indexes {
		if index >= len(cells) {
			return "", false
		}
		if part := strings.TrimSpace(cells[index]); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, c.separator()), true
}

// separator stands between joined columns.
func (c csvColumn) separator() string {
	if c.name == "address" || c.name == "notes" {
		return "\n"
	}
	return " "
}

// number is whether the field is a number in JSON.
func (c csvColumn) number() bool {
	return slices.Contains([]string{"amount", "priority", itemPrefix + "quantity", itemPrefix + "unit_price"}, c.name)
}

// check returns why a text cannot be a value in JSON. The API judges all else.
func (c csvColumn) check(text string) (problem string) {
	switch {
	case !utf8.ValidString(text):
		return c.name + " " + errNotUTF8.Error()
	case text == "" || !c.number() || jsontext.Value(text).IsValid() && jsontext.Value(text).Kind() == '0':
		return ""
	default:
		return fmt.Sprintf("%s must be a number such as 1234.50, not %q", c.name, shortText(text))
	}
}

// columns returns where the fields are in rows with this header.
func (m csvMapping) columns(header []string) (columns []csvColumn, err error) {
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if m == nil {
		if m, err = standardMapping(header); err != nil {
			return nil, err
		}
	}
	for _, field := range slices.Sorted(maps.Keys(m)) {
		column, err := m[field].column(field, header)
		if err != nil {
			return nil, err
		}
		columns = append(columns, column)
	}
	for _, field := range []string{"amount", "customer", itemName} {
		if _, there := m[field]; !there {
			return nil, fmt.Errorf("%w: %s has no column; the columns are %s", errHeader, field, names(header))
		}
	}
	return columns, nil
}

// standardMapping is that of a header which names the fields themselves.
func standardMapping(header []string) (csvMapping, error) {
	m := csvMapping{}
	for _, name := range header {
		field, known := csvField(name)
		if !known {
			return nil, fmt.Errorf("%w: %q is not a field of an order; the fields are %s; --mapping gives columns of other names a meaning",
				errHeader, shortText(name), csvFieldsText())
		}
		if _, there := m[field]; there {
			return nil, fmt.Errorf("%w: %s is there twice", errHeader, field)
		}
		m[field] = csvSource{columns: []string{name}}
	}
	return m, nil
}

// column returns where a field is in rows with this header.
func (s csvSource) column(field string, header []string) (csvColumn, error) {
	c := csvColumn{name: field, constant: s.constant}
	for _, name := range s.columns {
		index := slices.Index(header, name)
		if index < 0 {
			return c, fmt.Errorf("%w: there is no column %q for %s; the columns are %s", errHeader, shortText(name), field, names(header))
		}
		if slices.Contains(header[index+1:], name) {
			return c, fmt.Errorf("%w: the column %q is there twice", errHeader, shortText(name))
		}
		c.indexes = append(c.indexes, index)
	}
	return c, nil
}

// firstLine returns the first line of a file without reading it, or its beginning.
func firstLine(in *bufio.Reader) []byte {
	for n := 1; ; n++ {
		_, err := in.Peek(n)
		begin, _ := in.Peek(in.Buffered())
		if end := bytes.IndexByte(begin, '\n'); end >= 0 {
			return begin[:end]
		}
		if err != nil {
			return begin
		}
		n = len(begin)
	}
}

// delimiter returns what most likely stands between the columns of a header.
func delimiter(header []byte) rune {
	quoted, counts := false, map[byte]int{}
	for _, c := range header {
		if c == '"' {
			quoted = !quoted
		}
		if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte(";\t") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return rune(best)
}
