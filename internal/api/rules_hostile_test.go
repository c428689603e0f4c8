package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/rules"
)

// full returns a document of as many rules with an expression as there may be.
func full(when string) string {
	var all []string
	for size := len(`{"rules":[]}`); len(all) < rules.MaxRules; {
		rule := fmt.Sprintf(`{"name":"r%d","when":%q,"tag":"a"}`, len(all), when)
		if size += len(rule) + 1; size > rules.MaxDocumentBytes {
			break
		}
		all = append(all, rule)
	}
	return `{"rules":[` + strings.Join(all, ",") + `]}`
}

// joined repeats an expression, with || in between, as often as it fits into a rule.
func joined(part string) string {
	n := rules.MaxWhenChars / (len(part) + 2)
	return strings.TrimSuffix(strings.Repeat(part+"||", n), "||")
}

// within nests an expression.
func within(before string, n int, middle, after string) string {
	return strings.Repeat(before, n) + middle + strings.Repeat(after, n)
}

// muchLonger is how much longer than an ordinary document of the greatest size any other
// may take.
const muchLonger = 10

// TestHostileRules sends documents that try to keep the API busy: none takes much longer
// than an ordinary one of the same size, and neither does showing all of them.
func TestHostileRules(t *testing.T) {
	b := open(t)
	push := func(text string) answer { return b.ask(t, "POST", "/rules", text, "Content-Type", yamlMedia) }
	var ordinary time.Duration
	for n := range 3 {
		a := push(full(joined(fmt.Sprint("order.amount > ", n))))
		a.object(t, 201)
		ordinary = max(ordinary, a.took)
	}
	var bomb strings.Builder
	bomb.WriteString("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c < 'k'; c++ {
		fmt.Fprintf(&bomb, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	for name, row := range map[string]struct {
		text string
		code int
	}{
		"a megabyte":             {strings.Repeat("a", 1<<20), 413},
		"a body of the limit":    {strings.Repeat("[", 256<<10), 400},
		"deep lists":             {strings.Repeat("[", rules.MaxDocumentBytes), 400},
		"deep maps":              {strings.Repeat("{a: ", rules.MaxDocumentBytes/4), 400},
		"deep blocks":            {strings.Repeat("- ", rules.MaxDocumentBytes/2), 400},
		"aliases of aliases":     {bomb.String() + "rules: *j\n", 400},
		"too many rules":         {`{"rules":[` + strings.Repeat("{},", 20_000) + `{}]}`, 400},
		"unknown keys":           {"rules:\n- {" + strings.Repeat("k: 1, ", 10_000) + "name: a}", 400},
		"a long number":          {`{"rules":1e` + strings.Repeat("9", 60_000) + `}`, 400},
		"long comment":           {"#" + strings.Repeat("x", 60_000) + "\nrules: []", 201},
		"unknown names":          {full(joined("x.y")), 400},
		"no expressions":         {full(strings.Repeat("@#$ ", 490)), 400},
		"deep brackets":          {full(within("(", 990, "true", ")")), 400},
		"deep lists in rules":    {full(within("[", 900, "", "]") + " == []"), 400},
		"deep conditions":        {full(strings.Repeat("true ? true : ", 140) + "true"), 400},
		"signs":                  {full(strings.Repeat("!", 1990) + "true"), 201},
		"loops within loops":     {full(within("[1].map(a,", 40, "1", ")") + ".size() > 0"), 400},
		"loops after loops":      {full("order.items" + strings.Repeat(".map(i,i)", 150) + ".size() > 0"), 400},
		"costly loops":           {full(within("[1,2,3,4,5,6,7,8,9].exists(a,", 5, "a==11", ")")), 201},
		"many loops":             {full(joined("order.items.exists(i,i.name=='a')")), 201},
		"many amounts":           {full(joined("order.amount>money('1')")), 201},
		"long lists":             {full("order.amount in [" + strings.Repeat("1,", 900) + "1]"), 201},
		"large patterns":         {full("order.notes.matches('" + strings.Repeat(`\\p{L}`, 300) + "')"), 400},
		"patterns that multiply": {full("order.notes.matches('" + within("(", 8, "a", "{9})") + "')"), 400},
	} {
		a := push(row.text)
		if a.took > muchLonger*ordinary { // a busy machine?
			a.took = min(a.took, push(row.text).took)
		}
		if a.code != row.code || a.took > muchLonger*ordinary {
			t.Errorf("%s: answered %d after %v, want %d; an ordinary document takes %v: %.300s", name, a.code, a.took, row.code, ordinary, a.body)
		}
	}
	for range 2 {
		if a := b.ask(t, "GET", "/rules", ""); a.code != 200 || a.took > muchLonger*ordinary {
			t.Errorf("the list is answered %d after %v; an ordinary document takes %v", a.code, a.took, ordinary)
		}
	}
	t.Logf("an ordinary document takes %v", ordinary)
}
