package order_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// markless are texts that show nothing.
func markless() []string {
	all := []string{
		" \u200b ", "\ufeff\ufeff", "\u2063", "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\ufe0f", "\U000e0100", "\u034f",
		"\u180b\u180e", "\u17b4", "\u2065", "\U0001d159", "\u2028\u2029", "\u3000\u00a0\u2060",
	}
	for _, ranges := range unicode.Cf.R16 {
		all = append(all, string(rune(ranges.Lo)), string(rune(ranges.Hi)))
	}
	for _, ranges := range unicode.Cf.R32 {
		all = append(all, string(rune(ranges.Lo)), string(rune(ranges.Hi)))
	}
	return all
}

// misleading are the characters that change how the text around them is shown.
const misleading = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"

// TestVisiblyEmptyText takes a text that shows nothing for an empty one.
func TestVisiblyEmptyText(t *testing.T) {
	t.Parallel()
	for _, text := range markless() {
		for _, f := range textFields() {
			s := ordertest.Submission(f.set(text))
			o, err := order.New(s, time.Now())
			if f.optional {
				if err != nil || o.Notes != "" {
					t.Errorf("%s %+q became %+q, %v", f.name, text, o.Notes, err)
				}
				continue
			}
			if diff := cmp.Diff([]string{f.name + " required"}, fieldCodes(t, err)); diff != "" {
				t.Errorf("%s %+q (-want +got):\n%s", f.name, text, diff)
			}
			if _, err := order.New(ordertest.Submission(f.set(text+"a"+text)), time.Now()); err != nil && !strings.ContainsAny(text, misleading) {
				t.Errorf("%s %+q beside a letter: %v", f.name, text, err)
			}
		}
		if problem, ok := order.CheckLine("reason", text, 100); ok || problem.Code != order.CodeRequired {
			t.Errorf("a line of %+q: %+v", text, problem)
		}
	}
	for _, text := range []string{".", "-", "é", "注", "🧺", "\u0301", "a\u200b", "👩\u200d🌾", "می\u200cخواهم", "\ufffd"} {
		for _, f := range textFields() {
			if _, err := order.New(ordertest.Submission(f.set(text)), time.Now()); err != nil {
				t.Errorf("%s %+q: %v", f.name, text, err)
			}
		}
	}
}

// TestMisleadingText refuses in a text of one line what would change how the text
// around it is shown, and keeps it in one of several.
func TestMisleadingText(t *testing.T) {
	t.Parallel()
	for _, r := range misleading {
		text := "a" + string(r) + "b"
		for _, f := range textFields() {
			_, err := order.New(ordertest.Submission(f.set(text)), time.Now())
			if f.lines {
				if err != nil {
					t.Errorf("%s with %U: %v", f.name, r, err)
				}
				continue
			}
			if diff := cmp.Diff([]string{f.name + " invalid"}, fieldCodes(t, err)); diff != "" {
				t.Errorf("%s with %U (-want +got):\n%s", f.name, r, diff)
			}
		}
		if problem, ok := order.CheckLine("reason", text, 100); ok || problem.Code != order.CodeInvalid {
			t.Errorf("a line with %U: %+v", r, problem)
		}
		if order.ValidID(text) {
			t.Errorf("an id with %U is valid", r)
		}
	}
}

// TestEscape writes what would mislead by its number, and changes nothing else.
func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain, größe 注文 🧺\n\ttwo":   "plain, größe 注文 🧺\n\ttwo",
		"a\u202eb":                   `a\u202eb`,
		"\u2066a\u2069 \u200f\u061c": `\u2066a\u2069 \u200f\u061c`,
		"a\u2028b\u2029":             `a\u2028b\u2029`,
		"a\x1b[2J\u009b":             `a\u001b[2J\u009b`,
		"می\u200cخواهم":              "می\u200cخواهم",
	} {
		if got := order.Escape(text); got != want {
			t.Errorf("Escape(%+q) = %+q, want %+q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"shop said \u202eoh":                         `shop said \u202eoh`,
		"a\u2028b\x1b[1m":                            `a\u2028b [1m`,
		strings.Repeat("\u202e", order.MaxNoteBytes): strings.Repeat(`\u202e`, order.MaxNoteBytes)[:order.MaxNoteBytes],
	} {
		if got := order.Printable(text); got != want {
			t.Errorf("Printable(%+q) = %+q, want %+q", text, got, want)
		}
		if got := order.Printable(want); got != want {
			t.Errorf("Printable(%+q) changes again: %+q", want, got)
		}
	}
	raw := `{"note":"` + misleading + "\u007f" + `"}`
	var before, after any
	if err := json.Unmarshal([]byte(raw), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(order.Escape(raw)), &after); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("JSON says something else (-want +got):\n%s", diff)
	}
}
