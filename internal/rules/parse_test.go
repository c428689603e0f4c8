package rules_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// mustParse returns a set that is valid.
func mustParse(tb testing.TB, source string) *rules.Set {
	tb.Helper()
	set, err := rules.Parse([]byte(source))
	if err != nil {
		tb.Fatalf("%v in:\n%s", err, source)
	}
	return set
}

// problemsOf returns the problems of a set that is not, each as "12:9 rules[2].when code message".
func problemsOf(tb testing.TB, source string) []string {
	tb.Helper()
	_, err := rules.Parse([]byte(source))
	var invalid *rules.Invalid
	if !errors.As(err, &invalid) {
		tb.Fatalf("parsed with %v:\n%s", err, source)
	}
	var all []string
	for _, p := range invalid.Problems {
		all = append(all, fmt.Sprintf("%d:%d %s %s %s", p.Line, p.Column, p.Field, p.Code, p.Message))
	}
	return all
}

// rule returns a document with one rule, whose name and keys are on lines 2 and following.
func rule(lines ...string) string {
	return "rules:\n- name: a\n  " + strings.Join(lines, "\n  ") + "\n"
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const action = "reject: bad"
	for _, row := range []struct {
		name, source string
		want         []string // patterns, each from the beginning of a problem
	}{
		{"empty", "", []string{`1:1 rules required must be a list`}},
		{"only a comment", "# nothing\n", []string{`1:1 rules required`}},
		{"not a map", "- a\n", []string{`1:1 rules wrong_type must be a map`}},
		{"no rules", "{}", []string{`1:1 rules required is required`}},
		{"rules not a list", "rules: 5", []string{`1:8 rules wrong_type must be a list`}},
		{"unknown key of the document", "rules: []\nrule: 1\n", []string{`2:1 rule unknown_field .*there are rules`}},
		{"rule not a map", "rules: [x]", []string{`1:9 rules\[0\] wrong_type must be a map`}},
		{"two documents", "rules: []\n---\nrules: []\n", []string{`2:1 rules too_many .*one document`}},
		{"too long", "#" + strings.Repeat(" ", rules.MaxDocumentBytes), []string{`1:1 rules too_long .*64 KiB`}},
		{"too many rules", "rules: [" + strings.Repeat("{}, ", rules.MaxRules) + "\n {}]", []string{`2:2 rules too_many must have at most 200 rules, has 201`}},
		{"not UTF-8", "rules: []\n# \xff", []string{`2:3 rules invalid must be UTF-8`}},
		{"NUL", "rules: []\n\x00", []string{`2:1 rules invalid must not contain the character U\+0000`}},
		{"turned text", "rules: [] # \u202e", []string{`1:13 rules invalid .*U\+202E`}},
		{"UTF-16", "\xff\xfer\x00", []string{`1:1 rules invalid must be UTF-8`}},
		{"no YAML", "rules:\n- name: a: b\n", []string{`2:10 rules invalid must be YAML or JSON: mapping values are not allowed`}},
		{"unclosed", "rules: [", []string{`2:1 rules invalid must be YAML`}},
		{"too deep", strings.Repeat("[", 5000), []string{`1:\d+ rules invalid must be YAML.*depth`}},

		{"alias", "rules: &a []\nb: *a\n", []string{`1:8 rules invalid .*anchors`, `2:1 b unknown_field`, `2:4 b invalid .*aliases`}},
		{"merge", "rules:\n- &r {name: a, when: 'true', reject: x}\n- <<: *r\n", []string{
			`2:3 rules\[0\] invalid .*anchors`, `3:3 rules\[1\]\.<< unknown_field`, `3:3 rules\[1\]\.name required`, `3:3 rules\[1\]\.when required`, `3:3 rules\[1\] required .*one of`, `3:7 rules\[1\]\.<< invalid .*aliases`,
		}},
		{"tag", rule("when: !has(order.notes)", action), []string{`3:9 rules\[0\]\.when invalid must not use tags`}},
		{"bomb", "a: &a [x,x,x,x,x,x,x,x,x]\n" + bomb(20), []string{`1:1 a unknown_field`, `1:1 rules required`, `1:4 a invalid .*anchors`}},

		{"name missing", "rules:\n- when: 'true'\n  reject: bad\n", []string{`2:3 rules\[0\]\.name required`}},
		{"name empty", "rules:\n- name: ''\n  when: 'true'\n  reject: x\n", []string{`2:9 rules\[0\]\.name required must not be empty`}},
		{"name not a text", "rules:\n- {name: on, when: 'true', reject: x}\n", []string{`2:10 rules\[0\]\.name wrong_type must be a text: quote it, as in "on"`}},
		{"name too long", "rules:\n- {name: " + strings.Repeat("é", 101) + ", when: 'true', reject: x}\n", []string{`2:10 rules\[0\]\.name too_long must have at most 100 characters, has 101`}},
		{"name of two lines", "rules:\n- {name: \"a\\nb\", when: 'true', reject: x}\n", []string{`2:10 rules\[0\]\.name invalid .*control character`}},
		{"name twice", "rules:\n- {name: a, when: 'true', reject: x}\n- {name: a, when: 'true', reject: x}\n", []string{`3:3 rules\[1\]\.name invalid .*rules\[0\] has the same`}},
		{"key twice", rule("when: 'true'", action, "reject: x"), []string{`5:3 rules\[0\]\.reject invalid must not be there twice`}},
		{"unknown key", rule("when: 'true'", action, "expire: 1h"), []string{`5:3 rules\[0\]\.expire unknown_field .*expires, on_expiry`}},

		{"reason a number", rule("when: 'true'", "hold: 123"), []string{`4:9 rules\[0\]\.hold wrong_type .*quote it, as in "123"`}},
		{"reason too long", rule("when: 'true'", "reject: "+strings.Repeat("x", 251)), []string{`4:11 rules\[0\]\.reject too_long .*250`}},
		{"queue null", rule("when: 'true'", action, "queue: null"), []string{`5:10 rules\[0\]\.queue required must not be empty`}},
		{"queue unknown", rule("when: 'true'", action, "queue: fast"), []string{`5:10 rules\[0\]\.queue invalid must be one of critical, default, low`}},
		{"queue a list", rule("when: 'true'", action, "queue: [low]"), []string{`5:10 rules\[0\]\.queue wrong_type must be a text`}},
		{"no action", rule("when: 'true'", "queue: low"), []string{`2:3 rules\[0\] required must have one of reject, hold, handling, tag`}},
		{"two actions", rule("when: 'true'", action, "tag: x"), []string{`2:3 rules\[0\] invalid must have only one of .* and has reject, tag`}},
		{"handling", rule("when: 'true'", "handling: fast"), []string{`4:13 rules\[0\]\.handling invalid must be one of standard, priority, expedited`}},
		{"tag", rule("when: 'true'", "tag: a b"), []string{`4:8 rules\[0\]\.tag invalid .*1 to 40`}},
		{"expires alone", rule("when: 'true'", action, "expires: 1h"), []string{`5:12 rules\[0\]\.expires invalid must stand beside hold`}},
		{"on_expiry alone", rule("when: 'true'", "hold: x", "on_expiry: release"), []string{`5:14 rules\[0\]\.on_expiry invalid must stand beside expires`}},
		{"on_expiry", rule("when: 'true'", "hold: x", "expires: 1h", "on_expiry: approve"), []string{`6:14 rules\[0\]\.on_expiry invalid must be one of reject, release`}},
		{"expires", rule("when: 'true'", "hold: x", "expires: a day"), []string{`5:12 rules\[0\]\.expires invalid must be a duration`}},
		{"expires zero", rule("when: 'true'", "hold: x", "expires: 0s"), []string{`5:12 rules\[0\]\.expires out_of_range`}},
		{"expires too late", rule("when: 'true'", "hold: x", "expires: 8761h"), []string{`5:12 rules\[0\]\.expires out_of_range .*8760h`}},

		{"when missing", rule(action), []string{`2:3 rules\[0\]\.when required`}},
		{"when a bool", rule("when: true", action), []string{`3:9 rules\[0\]\.when wrong_type .*quote it`}},
		{"when too long", rule("when: '"+strings.Repeat("x", 2001)+"'", action), []string{`3:9 rules\[0\]\.when too_long`}},
		{"several rules", "rules:\n- {name: a, when: '', reject: x}\n- {name: b, when: a, reject: x}\n- {when: b, tag: \"?\"}\n", []string{
			`2:19 rules\[0\]\.when required`, `3:19 rules\[1\]\.when invalid`, `4:3 rules\[2\]\.name required`, `4:10 rules\[2\]\.when invalid`, `4:18 rules\[2\]\.tag invalid`,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			compareProblems(t, row.source, row.want)
		})
	}
}

func compareProblems(t *testing.T, source string, want []string) {
	t.Helper()
	got := problemsOf(t, source)
	for i, pattern := range want {
		if i >= len(got) || !regexp.MustCompile("^"+pattern).MatchString(got[i]) {
			t.Fatalf("problem %d does not match %s:\n%s", i, pattern, strings.Join(got, "\n"))
		}
	}
	if len(got) != len(want) && !strings.HasSuffix(t.Name(), "/bomb") {
		t.Errorf("%d problems, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
}

func bomb(levels int) string {
	var text strings.Builder
	for i := range levels {
		from, to := string(rune('a'+i)), string(rune('b'+i))
		fmt.Fprintf(&text, "%s: &%s [%s]\n", to, to, strings.TrimSuffix(strings.Repeat("*"+from+",", 9), ","))
	}
	return text.String()
}

// TestExpressionProblems has an expression in line 3, from column 9.
func TestExpressionProblems(t *testing.T) {
	t.Parallel()
	for when, want := range map[string][]string{
		`order.itms.size() > 1`:                     {`3:15 rules\[0\]\.when invalid must use a field that exists, not itms: order has id, amount, .*items`},
		`order.items.exists(i, i.skuu == '')`:       {`3:33 rules\[0\]\.when invalid must use a field that exists, not skuu: an item has name, sku, quantity, unit_price`},
		`customer.orders > 1`:                       {`3:18 rules\[0\]\.when invalid .*customer has orders_24h, amount_24h`},
		`order.amount > "x"`:                        {`3:22 rules\[0\]\.when invalid must use > with other types, not \(int, string\)`},
		`order.amount > 1.5`:                        {`3:22 rules\[0\]\.when invalid .*\(int, double\); amounts are whole numbers`},
		`now() > order.created_at`:                  {`3:9 rules\[0\]\.when invalid must use what exists, not now`},
		`order.notes.lower() == "a"`:                {`3:21 rules\[0\]\.when invalid must use what exists, not lower`},
		`foo + order.itms == bar`:                   {`3:9 rules\[0\]\.when .*foo`, `3:21 rules\[0\]\.when .*itms`, `3:29 rules\[0\]\.when .*bar`},
		`dyn(order.amount) > 1`:                     {`3:9 rules\[0\]\.when invalid must use what exists, not dyn`},
		`order.amount >`:                            {`3:23 rules\[0\]\.when invalid must be an expression: mismatched input '<EOF>'$`},
		`order.amount`:                              {`3:9 rules\[0\]\.when wrong_type must be true or false \(bool\), but is int`},
		`[1, "a"] == [1]`:                           {`3:13 rules\[0\]\.when invalid .*expected type 'int' but found 'string'`},
		`order == order`:                            {`3:9 .*whole objects`, `3:9 .*fields of order`, `3:18 .*whole objects`, `3:18 .*fields of order`},
		`order.metadata == {"a": "b"}`:              {`3:9 .*whole objects`, `3:27 .*whole objects`},
		`order.items[0] in order.items`:             {`3:9 .*whole objects`, `3:27 .*whole objects`},
		`google.protobuf.Int64Value{value: 1} == 1`: {`3:35 rules\[0\]\.when invalid must not make objects`},

		`money(order.amount) > 1`:                    {`3:20 rules\[0\]\.when invalid must have an amount in quotes here`},
		`order.amount > money(5)`:                    {`3:30 rules\[0\]\.when invalid must have the amount in quotes: money\("5"\)`},
		`order.amount > money("1,000.00")`:           {`3:30 rules\[0\]\.when invalid must have an amount in digits`},
		`order.amount > money("1000000000000.00")`:   {`3:30 rules\[0\]\.when invalid must have a smaller amount here: it must be at most 999999999999.99`},
		`order.notes.matches(order.id)`:              {`3:29 rules\[0\]\.when invalid must have a text in quotes here`},
		`matches(order.notes, "(")`:                  {`3:30 rules\[0\]\.when invalid must have a regular expression of RE2 here`},
		`order.notes.matches("(.{0,50}){0,10}")`:     {`3:29 rules\[0\]\.when invalid must have a smaller regular expression here: it has 1\d\d\d instructions`},
		`order.created_at > timestamp("2026-01-01")`: {`3:38 rules\[0\]\.when invalid must be a time with its zone`},
		`order.created_at.getHours("CET") < 6`:       {`3:35 rules\[0\]\.when invalid must have UTC here`},
		`duration("1 hour") > duration("1h")`:        {`3:18 rules\[0\]\.when invalid must have a duration here`},
		`int("x") > 1`:                               {`3:9 rules\[0\]\.when invalid .*type conversion error`},

		`order.items.exists(i, order.items.exists(j, i.name == j.name))`:           {`3:31 rules\[0\]\.when invalid must not go through a list for each member of another`},
		`{"a": 1}.exists(k, k == "a")`:                                             {`3:9 rules\[0\]\.when invalid must not go through a map that is written`},
		"order.items" + strings.Repeat(".filter(i, true)", 6) + ".size() > 0":      {`3:9 rules\[0\]\.when too_many must have at most 5 loops`},
		strings.Repeat("[1].map(i, ", 6) + "i" + strings.Repeat(")", 6) + " == []": {`3:64 rules\[0\]\.when too_many must have at most 5 loops`},
		strings.Repeat("(", 60) + "true" + strings.Repeat(")", 60):                 {`3:9 rules\[0\]\.when invalid must be an expression: .*recursion`},
		costly(50, 50) + ".size() > 0":                                             {`3:9 rules\[0\]\.when invalid must cost at most 50000 units; costs \d+ at least`},
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			compareProblems(t, rule("when: "+quote(when), "reject: bad"), shift(want))
		})
	}
}

// quote makes an expression a scalar of YAML. Single quotes move it by one column.
func quote(when string) string { return "'" + strings.ReplaceAll(when, "'", "''") + "'" }

// shift moves the columns of patterns by the quote in front of an expression.
func shift(patterns []string) []string {
	shifted := make([]string, len(patterns))
	for i, p := range patterns {
		var line, column int
		if _, err := fmt.Sscanf(p, "%d:%d", &line, &column); err != nil {
			panic(err)
		}
		_, rest, _ := strings.Cut(p, " ")
		shifted[i] = fmt.Sprintf("%d:%d %s", line, column+1, rest)
	}
	return shifted
}

// costly returns an expression that does n times m things.
func costly(n, m int) string {
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }
	return list(n) + ".map(a, " + list(m) + ".map(b, a + b + order.amount + order.quantity + order.priority))"
}

// TestPlaces finds a mistake in each style that a document can write an expression in.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, source, want string }{
		{"plain", "rules:\n- name: a\n  when: order.amount > 1 && x\n  reject: bad\n", "3:29"},
		{"plain lines", "rules:\n- name: a\n  when: order.amount > 1\n    && order.notes == \"\"\n\n    && x\n  reject: bad\n", "6:8"},
		{"single quotes", "rules:\n- name: a\n  when: 'order.notes == ''''  || x'\n  reject: bad\n", "3:34"},
		{"escapes", "rules:\n- name: a\n  when: \"order.notes == \\\"\\u00e9\\x41\\\" \\t|| x\"\n  reject: bad\n", "3:45"},
		{"double quotes, lines", "rules:\n- name: a\n  when: \"order.amount > 1\n    && order.notes == 'a\\\n    b'\n    || x\"\n  reject: bad\n", "6:8"},
		{"literal", "rules:\n- name: a\n  when: |\n    order.amount > 1\n      && order.notes == \"é😀\" && x\n  reject: bad\n", "5:33"},
		{"literal with a comment", "rules:\n- name: a\n  when: |2- # why\n    order.amount > 1 ||\n\n    x\n  reject: bad\n", "6:5"},
		{"folded", "rules:\n- name: a\n  when: >-\n    order.amount > 1\n    && x\n  reject: bad\n", "5:8"},
		{"Windows", "\ufeffrules:\r\n- name: a\r\n  when: |\r\n    order.amount > 1 &&\r\n    x\r\n  reject: bad\r\n", "5:5"},
		{"JSON", "{\"rules\": [\n\t{\"name\": \"a\",\n\t\"when\":\"order.notes == \\\"\\/\\\" || x\", \"reject\": \"bad\"}]}", "3:35"},
		{"JSON in a line", `{"rules":[{"name":"a","when":"x","reject":"bad"}]}`, "1:31"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			compareProblems(t, row.source, []string{row.want + ` rules\[0\]\.when invalid must use what exists, not x`})
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	got := problemsOf(t, "rules:\n"+strings.Repeat("- {}\n", rules.MaxRules))
	if len(got) != 100 || !strings.HasPrefix(got[0], "2:3 ") || !strings.HasPrefix(got[99], "35:3 ") {
		t.Errorf("%d problems, from %q to %q", len(got), got[0], got[len(got)-1])
	}
}

func TestProblemsAsFieldErrors(t *testing.T) {
	t.Parallel()
	_, err := rules.Parse([]byte("rules: 5"))
	var invalid *rules.Invalid
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	want := []order.FieldError{{Field: "rules", Code: order.CodeWrongType, Message: "line 1, column 8: must be a list of rules"}}
	if diff := cmp.Diff(want, invalid.FieldErrors()); diff != "" {
		t.Error(diff)
	}
	if got := err.Error(); got != "invalid rules: rules line 1, column 8: must be a list of rules" {
		t.Error(got)
	}
}

// TestVersion holds that a version names what the rules say, not how it is written.
func TestVersion(t *testing.T) {
	t.Parallel()
	const plain = "rules:\n- name: a\n  when: order.notes == \"😀/\"\n  hold: look\n  expires: 24h\n"
	version := mustParse(t, plain).Version()
	if !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(version) {
		t.Errorf("version %q", version)
	}
	for _, same := range []string{
		"# why\nrules:\n  - expires: \"24h\" # a day\n    hold: 'look'\n    name: a\n    when: |\n      order.notes == \"😀/\"\n",
		`{"rules": [{"when": "order.notes == \"\ud83d\ude00\/\"", "name": "a", "hold": "look", "expires": "24h"}]}`,
	} {
		set := mustParse(t, same)
		if set.Version() != version || string(set.Source()) != same {
			t.Errorf("version %s, want %s, of:\n%s", set.Version(), version, set.Source())
		}
	}
	if other := mustParse(t, strings.Replace(plain, "24h", "25h", 1)).Version(); other == version {
		t.Error("another rule has the same version")
	}
	if empty := mustParse(t, "rules: []"); len(empty.Rules()) != 0 {
		t.Errorf("rules %+v", empty.Rules())
	}
}
