package hostile_test

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is what the API has to do with a document. The idea, and the names y, n and i,
// are those of the public test suites for JSON parsers; the documents are our own.
type verdict byte

const (
	y verdict = 'y' // an order: accepted
	n verdict = 'n' // not JSON by RFC 8259, or not strict JSON: refused as malformed
	x verdict = 'x' // JSON but not an order: refused
	i verdict = 'i' // RFC 8259 leaves it to the parser: accepted or refused
)

// document is one body that a client may send.
type document struct {
	want verdict
	text string // anyID stands for the id of the order
}

const (
	anyID = "%id%"
	plain = `{"id":"` + anyID + `","amount":12.5,"items":["tea","cup"],"customer":"ada","address":"1 Road"}`
)

// with is the text for an id, so that one document can be sent as different orders.
func (d document) with(id string) string { return strings.ReplaceAll(d.text, anyID, id) }

// corpus is every document.
func corpus() []document {
	return slices.Concat(numbers(), texts(), names(), structures(), broken(), depths(), wholes())
}

func documents(want verdict, texts ...string) []document {
	all := make([]document, len(texts))
	for k, text := range texts {
		all[k] = document{want, text}
	}
	return all
}

// orderWith is an ordinary order with one member more, or another value for one that it
// has, written as it is.
func orderWith(member, raw string) string {
	members := [][2]string{
		{"id", `"` + anyID + `"`}, {"amount", "12.5"}, {"items", `["tea","cup"]`}, {"customer", `"ada"`}, {"address", `"1 Road"`},
	}
	at := slices.IndexFunc(members, func(m [2]string) bool { return m[0] == member })
	if at < 0 {
		at, members = len(members), append(members, [2]string{member})
	}
	members[at][1] = raw
	var b strings.Builder
	for _, m := range members {
		fmt.Fprintf(&b, `,"%s":%s`, m[0], m[1])
	}
	return "{" + b.String()[1:] + "}"
}

// withMember makes a document for each value of a member.
func withMember(member string, want verdict, values ...string) []document {
	all := documents(want, values...)
	for k := range all {
		all[k].text = orderWith(member, all[k].text)
	}
	return all
}
