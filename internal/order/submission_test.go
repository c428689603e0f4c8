package order_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

func TestNewAccepts(t *testing.T) {
	t.Parallel()
	got, err := order.New(order.Submission{
		ID: "ord_1", Amount: "125e-1", Items: order.SubmittedNames("a", "b"), Customer: " Ada ", Address: "1 Road\nTown",
		Priority: "3", Status: "pending", Notes: "ring\ttwice", ProcessAt: "2001-09-09T01:46:40Z",
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := order.Order{
		ID: "ord_1", Content: order.Content{
			Amount: order.Cents(1250), Items: order.Names("a", "b"), Customer: " Ada ", Address: "1 Road\nTown",
			Priority: order.PriorityLow, Notes: "ring\ttwice", ProcessAt: time.Unix(1_000_000_000, 0).UTC(),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestNewFillsIn(t *testing.T) {
	t.Parallel()
	got, err := order.New(ordertest.Submission(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != "" || got.Priority != order.PriorityMedium || got.Notes != "" || !got.ProcessAt.IsZero() {
		t.Errorf("id %q, priority %d, notes %q, at %v, want an empty id, medium priority, no notes and no time",
			got.ID, got.Priority, got.Notes, got.ProcessAt)
	}
}

// Options that set a field to any text, valid or not.

func id(text string) ordertest.Option { return func(s *order.Submission) { s.ID = text } }

func amount(text string) ordertest.Option { return func(s *order.Submission) { s.Amount = text } }

func items(list ...string) ordertest.Option {
	return func(s *order.Submission) { s.Items = order.SubmittedNames(list...) }
}

func customer(text string) ordertest.Option { return func(s *order.Submission) { s.Customer = text } }

func address(text string) ordertest.Option { return func(s *order.Submission) { s.Address = text } }

func priority(text string) ordertest.Option { return func(s *order.Submission) { s.Priority = text } }

func notes(text string) ordertest.Option { return func(s *order.Submission) { s.Notes = text } }

func status(text string) ordertest.Option { return func(s *order.Submission) { s.Status = text } }

func processAt(text string) ordertest.Option {
	return func(s *order.Submission) { s.ProcessAt = text }
}

// newRow is one submission and its problems, written as "field code". Without
// any it is accepted.
type newRow struct {
	name   string
	change ordertest.Option
	want   []string
}

func checkNew(t *testing.T, rows []newRow) {
	t.Helper()
	t.Parallel()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := order.New(ordertest.Submission(row.change), time.Now())
			if diff := cmp.Diff(row.want, fieldCodes(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func fieldCodes(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid *order.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
		t.Fatalf("error %v (%T), want an *InvalidError with problems", err, err)
	}
	var got []string
	for _, p := range invalid.Problems {
		if p.Message == "" {
			t.Errorf("no message for %s", p.Field)
		}
		got = append(got, p.Field+" "+string(p.Code))
	}
	return got
}

func TestNewID(t *testing.T) {
	invalid := []string{"id invalid"}
	rows := []newRow{
		{"absent", id(""), nil},
		{"one character", id("a"), nil},
		{"every kind of character", id("AZaz09._~:/#=@+-"), nil},
		{"128 characters", id(strings.Repeat("x", 128)), nil},
		{"129 characters", id(strings.Repeat("x", 129)), invalid},
	}
	for _, text := range []string{
		"{a}", "{", "}", "a\\b", "a b", " ", "a;b", "a*", "a?", "a%20", "a&b", "a[b", "a`b", "a!b", "a,b",
		"é", "ｘ", "a\n", "a\x00", "a\x7f", "a\xff",
	} {
		rows = append(rows, newRow{"text " + text, id(text), invalid})
	}
	checkNew(t, rows)
}

func TestNewAmount(t *testing.T) {
	checkNew(t, []newRow{
		{"absent", amount(""), []string{"amount required"}},
		{"not a number", amount("ten"), []string{"amount invalid"}},
		{"zero", amount("0"), []string{"amount out_of_range"}},
		{"minus zero", amount("-0.00"), []string{"amount out_of_range"}},
		{"smallest", amount("0.01"), nil},
		{"below zero", amount("-0.01"), []string{"amount out_of_range"}},
		{"three decimals", amount("0.001"), []string{"amount too_precise"}},
		{"third decimal zero", amount("0.010"), nil},
		{"largest", amount("999999999999.99"), nil},
		{"above largest", amount("1000000000000.00"), []string{"amount out_of_range"}},
		{"far above largest", amount("1e400"), []string{"amount out_of_range"}},
		{"far below least", amount("-1e400"), []string{"amount out_of_range"}},
		{"above the business limit", amount("10000.01"), nil},
	})
}

func TestNewItems(t *testing.T) {
	checkNew(t, []newRow{
		{"absent", items(), []string{"items required"}},
		{"empty list", items([]string{}...), []string{"items required"}},
		{"one", items("a"), nil},
		{"twice the same", items("a", "a"), nil},
		{"1000", ordertest.WithItems(1000), nil},
		{"1001", ordertest.WithItems(1001), []string{"items too_many"}},
		{"above the business limit", ordertest.WithItems(51), nil},
		{"first empty", items("", "a"), []string{"items[0] required"}},
		{"two of three wrong", items("a", " ", "b\n"), []string{"items[1] required", "items[2] invalid"}},
		{"1001 empty ones are one problem", items(make([]string, 1001)...), []string{"items too_many"}},
	})
}

func TestNewPriority(t *testing.T) {
	checkNew(t, []newRow{
		{"absent", priority(""), nil},
		{"1", priority("1"), nil},
		{"2", priority("2"), nil},
		{"3", priority("3"), nil},
		{"0", priority("0"), []string{"priority out_of_range"}},
		{"9", priority("9"), []string{"priority out_of_range"}},
		{"-1", priority("-1"), []string{"priority out_of_range"}},
		{"1.0", priority("1.0"), []string{"priority out_of_range"}},
		{"1e0", priority("1e0"), []string{"priority out_of_range"}},
		{"12", priority("12"), []string{"priority out_of_range"}},
	})
	for p := order.PriorityHigh; p <= order.PriorityLow; p++ {
		if got := ordertest.Order(t, ordertest.WithPriority(p)).Priority; got != p {
			t.Errorf("priority %d became %d", p, got)
		}
	}
}

func TestNewStatus(t *testing.T) {
	rows := []newRow{
		{"absent", status(""), nil},
		{"other case", status("Pending"), []string{"status invalid"}},
		{"white space", status(" "), []string{"status invalid"}},
	}
	for _, s := range order.Statuses() {
		row := newRow{string(s), status(string(s)), []string{"status invalid"}}
		if s == order.StatusPending {
			row.want = nil
		}
		rows = append(rows, row)
	}
	checkNew(t, rows)
}

// textField is a field that holds free text.
type textField struct {
	name     string
	set      func(string) ordertest.Option
	maxChars int
	optional bool
	lines    bool
}

func textFields() []textField {
	return []textField{
		{name: "items[0]", set: func(s string) ordertest.Option { return items(s) }, maxChars: 500},
		{name: "customer", set: customer, maxChars: 254},
		{name: "address", set: address, maxChars: 1000, lines: true},
		{name: "notes", set: notes, maxChars: 2000, lines: true, optional: true},
	}
}

func TestNewText(t *testing.T) {
	var rows []newRow
	for _, f := range textFields() {
		row := func(name, text string, codes ...string) {
			r := newRow{name: f.name + " " + name, change: f.set(text)}
			for _, code := range codes {
				r.want = append(r.want, f.name+" "+code)
			}
			rows = append(rows, r)
		}
		whenEmpty, whenLines := []string{"required"}, []string{"invalid"}
		if f.optional {
			whenEmpty = nil
		}
		if f.lines {
			whenLines = nil
		}
		row("empty", "", whenEmpty...)
		row("spaces", "   ", whenEmpty...)
		row("wide white space", "\u00a0\u2003\u3000", whenEmpty...)
		row("longest", strings.Repeat("x", f.maxChars))
		row("too long", strings.Repeat("x", f.maxChars+1), "too_long")
		row("longest in two-byte characters", strings.Repeat("é", f.maxChars))
		row("too long in two-byte characters", strings.Repeat("é", f.maxChars+1), "too_long")
		row("longest in four-byte characters", strings.Repeat("🧺", f.maxChars))
		row("too long in four-byte characters", strings.Repeat("🧺", f.maxChars+1), "too_long")
		row("invalid UTF-8", "a\xffb", "invalid")
		row("replacement character", "a\uFFFDb")
		row("too long and with a control character", strings.Repeat("\x01", f.maxChars+1), "too_long", "invalid")
		for _, lineBreak := range []string{"\n", "\r\n", "\r", "\t"} {
			row("a"+lineBreak+"b", "a"+lineBreak+"b", whenLines...)
		}
		for _, control := range []string{"\x00", "\x01", "\b", "\v", "\f", "\x1b", "\x1f", "\x7f", "\u0080", "\u0085", "\u009f"} {
			row("a"+control+"b", "a"+control+"b", "invalid")
		}
		row("next to the control characters", " ~\u00a0!")
	}
	rows = append(
		rows,
		newRow{"customer line breaks only", customer("\n\t"), []string{"customer required"}},
		newRow{"address line breaks only", address("\r\n"), []string{"address required"}},
		newRow{"notes too long and white space only", notes(strings.Repeat(" ", 2001)), []string{"notes too_long"}},
		newRow{"notes a control character that is white space", notes("\u0085"), []string{"notes invalid"}},
	)
	checkNew(t, rows)
}

func TestNewListsEveryProblemInFieldOrder(t *testing.T) {
	t.Parallel()
	got, err := order.New(order.Submission{
		ID: "a,b", Amount: "0.001", Items: order.SubmittedNames("ok", ""), Customer: "a\x7f", Address: strings.Repeat("x", 1001),
		Priority: "9", Status: "completed", Notes: "\x00", ProcessAt: "soon",
	}, time.Now())
	if diff := cmp.Diff(order.Order{}, got); diff != "" {
		t.Errorf("an order came beside the error (-want +got):\n%s", diff)
	}
	want := &order.InvalidError{Problems: []order.FieldError{
		{Field: "id", Code: order.CodeInvalid, Message: "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ : / # = @ + -, and not . or .."},
		{Field: "amount", Code: order.CodeTooPrecise, Message: "must have at most two decimals"},
		{Field: "items[1]", Code: order.CodeRequired, Message: "must not be empty"},
		{Field: "customer", Code: order.CodeInvalid, Message: "must not contain the control character U+007F"},
		{Field: "address", Code: order.CodeTooLong, Message: "must have at most 1000 characters, has 1001"},
		{Field: "priority", Code: order.CodeOutOfRange, Message: "must be 1 (high), 2 (medium) or 3 (low)"},
		{Field: "notes", Code: order.CodeInvalid, Message: "must not contain the control character U+0000"},
		{Field: "status", Code: order.CodeInvalid, Message: `may only be "pending"`},
		{
			Field: "process_at", Code: order.CodeInvalid,
			Message: "must be a time with its zone, as in 2026-11-23T12:00:00Z (RFC 3339)",
		},
	}}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// TestCheckLine holds other texts to what a customer's name is held to, and wants
// one problem, the first, under the name that was asked for.
func TestCheckLine(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, text string
		want       order.FieldError
	}{
		{"one character", "x", order.FieldError{}},
		{"longest", "12345", order.FieldError{}},
		{"longest in characters, not bytes", "🧺🧺🧺🧺🧺", order.FieldError{}},
		{"white space around", " x ", order.FieldError{}},
		{"empty", "", order.FieldError{Field: "reason", Code: order.CodeRequired, Message: "must not be empty"}},
		{"white space", " \n\u3000 ", order.FieldError{
			Field: "reason", Code: order.CodeRequired, Message: "must not be empty",
		}},
		{"too long", "123456", order.FieldError{
			Field: "reason", Code: order.CodeTooLong, Message: "must have at most 5 characters, has 6",
		}},
		{"too long and of two lines", "1234\n6", order.FieldError{
			Field: "reason", Code: order.CodeTooLong, Message: "must have at most 5 characters, has 6",
		}},
		{"two lines", "a\nb", order.FieldError{
			Field: "reason", Code: order.CodeInvalid, Message: "must not contain the control character U+000A",
		}},
		{"tab", "a\tb", order.FieldError{
			Field: "reason", Code: order.CodeInvalid, Message: "must not contain the control character U+0009",
		}},
		{"invalid UTF-8", "a\xffb", order.FieldError{
			Field: "reason", Code: order.CodeInvalid, Message: "must be valid UTF-8",
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, ok := order.CheckLine("reason", row.text, 5)
			if diff := cmp.Diff(row.want, got); diff != "" || ok != (row.want == order.FieldError{}) {
				t.Errorf("ok %t, problem (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestNewOfNothing(t *testing.T) {
	t.Parallel()
	_, err := order.New(order.Submission{}, time.Now())
	want := []string{"amount required", "items required", "customer required", "address required"}
	if diff := cmp.Diff(want, fieldCodes(t, err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestValidIDRefusesEmpty(t *testing.T) {
	t.Parallel()
	if order.ValidID("") {
		t.Error("the empty text passes for an id")
	}
}

func TestOrderJSON(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ at, shown string }{
		{"", ""},
		{"2001-09-09T02:46:40+01:00", `,"process_at":"2001-09-09T01:46:40.000000Z"`},
		{"2001-09-09T01:46:40.12345678Z", `,"process_at":"2001-09-09T01:46:40.123456Z"`},
	} {
		o := ordertest.Order(t, id("ord_1"), amount("1000"), items("a", "b"), customer("Ada"), address("Road"), notes("hi"),
			processAt(row.at))
		text, err := json.Marshal(o.View())
		want := `{"id":"ord_1","amount":1000.00,"items":["a","b"],"customer":"Ada","address":"Road","priority":2,"notes":"hi"` +
			row.shown + `}`
		if err != nil || string(text) != want {
			t.Fatalf("JSON is %s, %v, want %s", text, err, want)
		}
		var back order.Order
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, back); diff != "" {
			t.Errorf("order read back (-want +got):\n%s", diff)
		}
	}
}
