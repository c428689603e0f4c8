package hostile_test

import (
	"fmt"
	"strings"
)

// verdict is what has to become of a document. The idea, and the names y, n and
// i, are those of the public test suites for JSON parsers; the documents are our
// own.
type verdict byte

const (
	y verdict = 'y' // an order: accepted
	n verdict = 'n' // not JSON by RFC 8259, or not strict JSON: refused as malformed
	x verdict = 'x' // JSON and no order: refused
	i verdict = 'i' // RFC 8259 leaves it to the parser: accepted or refused
)

// document is one body that a client may send. Its text is made for an id, so
// that one document can be sent several times as different orders.
type document struct {
	name string
	want verdict
	text func(id string) string
}

// corpus is every document; each name occurs once.
func corpus() []document {
	var all []document
	for _, family := range [][]document{
		numbers(), texts(), names(), structures(), broken(), depths(), wholes(),
	} {
		all = append(all, family...)
	}
	return all
}

// orderWith is an ordinary order with one member more, or another value for one that
// it has. Raw is the value as it is to be written.
func orderWith(id, member, raw string) string {
	members := []struct{ name, raw string }{
		{"id", `"` + id + `"`},
		{"amount", "12.5"},
		{"items", `["tea","cup"]`},
		{"customer", `"ada"`},
		{"address", `"1 Road"`},
	}
	var b strings.Builder
	replaced := member == ""
	for _, m := range members {
		if m.name == member {
			m.raw, replaced = raw, true
		}
		fmt.Fprintf(&b, `,"%s":%s`, m.name, m.raw)
	}
	if !replaced {
		fmt.Fprintf(&b, `,"%s":%s`, member, raw)
	}
	return "{" + b.String()[1:] + "}"
}

func plain(id string) string { return orderWith(id, "", "") }

// withMember makes a document for each value of a member.
func withMember(family, member string, want verdict, values ...string) []document {
	all := make([]document, len(values))
	for k, raw := range values {
		all[k] = document{
			name: fmt.Sprintf("%s: %s", family, shown(raw)), want: want,
			text: func(id string) string { return orderWith(id, member, raw) },
		}
	}
	return all
}

// wrapped makes a document of an order with something around it.
func wrapped(name string, want verdict, before, after string) document {
	return document{name, want, func(id string) string { return before + plain(id) + after }}
}

// shown is a text in the name of a document: short, and safe to print.
func shown(raw string) string {
	text := fmt.Sprintf("%q", raw)
	if len(text) > 60 {
		return fmt.Sprintf("%s… (%d bytes)", text[:40], len(raw))
	}
	return text
}
