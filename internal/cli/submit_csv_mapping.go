package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"orderprocessor/internal/order"
)

const (
	// maxMappingBytes bounds a mapping, which has a line for each field.
	maxMappingBytes = 64 << 10
	// maxShownColumns bounds the columns that a message lists: Shopify has eighty.
	maxShownColumns = 100
	// maxColumnChars bounds the name of a column in a message.
	maxColumnChars = 60
)

// errHeader begins the errors of a header.
var errHeader = errors.New("the header of the CSV")

// csvMapping says for each field of an order where it comes from. Nil means columns with
// the names of the fields.
type csvMapping map[string]csvSource

// csvSource is where a field comes from: columns, which are joined, or a constant.
type csvSource struct { //nolint:recvcheck // a source is used by value and read by pointer
	columns  []string
	constant string
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *csvSource) UnmarshalYAML(node *yaml.Node) error {
	switch node.Kind {
	case yaml.ScalarNode:
		s.columns = []string{node.Value}
		return nil
	case yaml.SequenceNode:
		return node.Decode(&s.columns)
	default:
		return s.unmarshalConstant(node)
	}
}

func (s *csvSource) unmarshalConstant(node *yaml.Node) error {
	var constant map[string]string
	if err := node.Decode(&constant); err != nil {
		return err
	}
	value, there := constant["value"]
	if !there || len(constant) != 1 {
		return fmt.Errorf("line %d: a constant is written {value: …}", node.Line)
	}
	s.constant = value
	return nil
}

// readMapping reads a mapping from a file in YAML or JSON.
func readMapping(path string) (csvMapping, error) {
	f, err := os.Open(path) //nolint:gosec // the caller names the file
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxMappingBytes))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	m, err := parseMapping(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func parseMapping(text []byte) (csvMapping, error) {
	var named map[string]csvSource
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&named); err != nil {
		return nil, fmt.Errorf("is no mapping: %w", err)
	}
	m := csvMapping{}
	for name, from := range named {
		field, known := csvField(name)
		if !known {
			return nil, fmt.Errorf("%q is not a field of an order; the fields are %s", shortText(name), csvFieldsText())
		}
		if _, there := m[field]; there {
			return nil, fmt.Errorf("%s is there twice", field)
		}
		if from.constant == "" && (len(from.columns) == 0 || slices.Contains(from.columns, "")) {
			return nil, fmt.Errorf("%s names no column and no value", field)
		}
		m[field] = from
	}
	return m, nil
}

// names lists columns for a message.
func names(header []string) string {
	shown := make([]string, min(len(header), maxShownColumns))
	for i := range shown {
		shown[i] = shortText(header[i])
	}
	return strings.Join(shown, ", ")
}

// shortText is a text of a file as a message may show it.
func shortText(text string) string {
	if runes := []rune(text); len(runes) > maxColumnChars {
		text = string(runes[:maxColumnChars]) + "…"
	}
	return order.Printable(text)
}
