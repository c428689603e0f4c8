package order_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

func isControl(r rune) bool { return unicode.IsControl(r) }

func TestInvalidErrorJoinsProblems(t *testing.T) {
	t.Parallel()
	err := &order.InvalidError{Problems: []order.FieldError{
		{Field: "id", Code: order.CodeInvalid, Message: "is odd"},
		{Field: "items[3]", Code: order.CodeRequired, Message: "must not be empty"},
	}}
	if got, want := err.Error(), "invalid order: id is odd; items[3] must not be empty"; got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
}

func TestAttemptErrorsKeepTheirReason(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&order.PermanentError{Err: order.ErrConflict},
		&order.RetryError{After: time.Second, Err: order.ErrConflict},
	} {
		wrapped := fmt.Errorf("fulfil order ord_1: %w", err)
		if !errors.Is(wrapped, order.ErrConflict) || err.Error() != order.ErrConflict.Error() {
			t.Errorf("%T lost its reason: %v", err, wrapped)
		}
	}
}

// TestErrorsOfChanges holds that what stands in the way of a change can be told
// through any wrapping, and reads on after it.
func TestErrorsOfChanges(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("cancel order ord_1: %w", &order.StatusError{Status: order.StatusCompleted})
	var late *order.StatusError
	if !errors.As(wrapped, &late) || late.Status != order.StatusCompleted {
		t.Errorf("%v lost its status", wrapped)
	}
	if got, want := wrapped.Error(), "cancel order ord_1: order is completed"; got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	const limit = order.MaxNoteBytes
	long := strings.Repeat("x", limit)
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"plain", "it is away", "it is away"},
		{"other scripts", "größe 注文 🧺", "größe 注文 🧺"},
		{"line breaks and tabs", "a\r\nb\tc", "a  b c"},
		{"NUL, escape and DEL", "a\x00\x1b[31m\x7f", "a  [31m "},
		{"C1", "a\u0085b\u009bc", "a b c"},
		{"invalid UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"half a character at the end", "a\xe6\xb3", "a\uFFFD"},
		{"as long as may be", long, long},
		{"one byte too long", long + "y", long},
		{"character over the end", long[1:] + "é", long[1:]},
		{"character up to the end", long[2:] + "é", long[2:] + "é"},
		{"last byte of four over the end", long[3:] + "🧺", long[3:]},
		{"far too long", strings.Repeat("注", limit), strings.Repeat("注", limit/3)},
		{"controls far too long", strings.Repeat("\u0080", 2*limit), strings.Repeat(" ", limit)},
		{"looks no further than it must", strings.Repeat("\xff", 2*limit) + "x", "\uFFFD"},
		{"invalid far too long", strings.Repeat("\xffa", 2*limit), strings.Repeat("\uFFFDa", limit/4)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := order.Printable(tt.text); got != tt.want {
				t.Errorf("Printable = %q, want %q", got, tt.want)
			}
			if got := order.Reason(errors.New(tt.text)); got != tt.want {
				t.Errorf("Reason = %q, want %q", got, tt.want)
			}
		})
	}
}

// fataler is a test or one try of a property.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func checkPrintable(t fataler, text string) {
	t.Helper()
	got := order.Printable(text)
	switch {
	case len(got) > order.MaxNoteBytes:
		t.Fatalf("%d bytes of %q", len(got), text)
	case !utf8.ValidString(got) || strings.ContainsFunc(got, isControl):
		t.Fatalf("Printable(%q) = %q is not printable", text, got)
	case order.Printable(got) != got:
		t.Fatalf("Printable(%q) = %q changes again", text, got)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, isControl) || order.Escape(text) != text {
		return
	}
	if !strings.HasPrefix(text, got) || len(got) < min(len(text), order.MaxNoteBytes-utf8.UTFMax+1) {
		t.Fatalf("Printable(%q) = %q, want as much of it as fits", text, got)
	}
}

func TestPrintableHolds(t *testing.T) {
	t.Parallel()
	pieces := rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"é", "注", "🧺", "\u0085", "\n", "\xff", "\xf0\x9f"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		piece := pieces.Draw(t, "piece")
		times := rapid.IntRange(0, 2*order.MaxNoteBytes).Draw(t, "times")
		checkPrintable(t, pieces.Draw(t, "before")+strings.Repeat(piece, times)+pieces.Draw(t, "after"))
	})
}

func FuzzPrintable(f *testing.F) {
	for _, text := range []string{
		"", "plain", "a\r\nb\tc", "\x00\x7f\u0085", "a\xffb", "\xe6\xb3", "注文 🧺",
		strings.Repeat("é", order.MaxNoteBytes), strings.Repeat("\xffa", order.MaxNoteBytes),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkPrintable(t, text) })
}
