package rules

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"orderprocessor/internal/order"
)

const (
	// wholeDocument is the field of problems that no rule has.
	wholeDocument = "rules"
	// maxNesting bounds how deeply lists and maps are nested; a rule set needs three.
	maxNesting = 10
)

// document is a document that is being read.
type document struct {
	problems
	lines [][]rune
	// strange are values of a kind that the document must not have. They have a problem.
	strange map[*yaml.Node]bool
}

// read returns the rules of a document, as far as they can be read.
func (d *document) read(source []byte) []documentRule {
	source = bytes.TrimPrefix(source, []byte(byteOrderMark))
	if !d.characters(source) {
		return nil
	}
	source = withoutSurrogates(source)
	for line := range strings.SplitSeq(string(source), "\n") {
		d.lines = append(d.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	root := d.tree(source)
	if root == nil {
		return nil
	}
	d.strange = map[*yaml.Node]bool{}
	d.examine(root, "")
	return d.rules(root)
}

// tree returns the root of a document that is YAML, or nil. Aliases are not followed.
func (d *document) tree(source []byte) *yaml.Node {
	loader, err := yaml.NewLoader(bytes.NewReader(source), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxNesting))))
	if err != nil {
		d.syntax(err)
		return nil
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		d.add(place{1, 1}, wholeDocument, order.CodeRequired, "must be a list of rules; the document is empty")
		return nil
	case err != nil:
		d.syntax(err)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		d.add(at(&second), wholeDocument, order.CodeTooMany, "must be in one document; a second one begins here")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	return first.Content[0]
}

// syntax adds the problem of a document that is no YAML. The parser knows one only.
func (d *document) syntax(err error) {
	where, message := place{1, 1}, err.Error()
	var known *yaml.LoadError
	if errors.As(err, &known) {
		message = known.Message
		if known.Mark.Line > 0 {
			where = place{known.Mark.Line, max(known.Mark.Column, 1)}
		}
	}
	d.add(where, wholeDocument, order.CodeInvalid,
		"must be YAML or JSON: %s; an expression with quotes, a colon or # is safest in a line of its own after when: |", message)
}

func at(n *yaml.Node) place { return place{max(n.Line, 1), max(n.Column, 1)} }

// examine finds what YAML allows and documents must not have: what makes a short text
// long, or not what it seems to be.
func (d *document) examine(n *yaml.Node, path string) {
	field := cmp.Or(path, wholeDocument)
	switch {
	case n.Kind == yaml.AliasNode:
		d.stray(n, field, "must not use aliases (*); a text that begins with * needs quotes")
	case n.Anchor != "":
		d.stray(n, field, "must not use anchors (&); a text that begins with & needs quotes")
	case n.Style&yaml.TaggedStyle != 0:
		d.stray(n, field, "must not use tags (!); a text that begins with ! needs quotes, or a line of its own after |")
	}
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			d.examine(child, fmt.Sprintf("%s[%d]", path, i))
		case i%2 == 1:
			d.examine(child, join(path, n.Content[i-1].Value))
		default:
			d.examine(child, join(path, child.Value))
		}
	}
}

func (d *document) stray(n *yaml.Node, field, problem string) {
	d.strange[n] = true
	d.add(at(n), field, order.CodeInvalid, "%s", problem)
}

// maxKeyChars bounds what is shown of a key that does not exist.
const maxKeyChars = 40

func join(path, key string) string {
	shown := []rune(order.Printable(key))
	key = cmp.Or(string(shown[:min(len(shown), maxKeyChars)]), `""`)
	if path == "" {
		return key
	}
	return path + "." + key
}

// entries returns the values of a map by their keys, which must be among the known ones.
func (d *document) entries(n *yaml.Node, field string, known []string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		if !d.strange[n] {
			d.add(at(n), cmp.Or(field, wholeDocument), order.CodeWrongType, "must be a map with %s", strings.Join(known, ", "))
		}
		return values
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		if _, twice := values[name]; twice {
			d.add(at(key), join(field, name), order.CodeInvalid, "must not be there twice")
			continue
		}
		if key.Kind != yaml.ScalarNode || !slices.Contains(known, name) {
			d.add(at(key), join(field, name), order.CodeUnknownField, "is not known here; there are %s", strings.Join(known, ", "))
			continue
		}
		values[name] = value
	}
	return values
}
