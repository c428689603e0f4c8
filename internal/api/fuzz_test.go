package api_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/intake"
	"orderprocessor/internal/order"
)

// FuzzCursor wants a cursor to be read as it was written, by its own list only,
// and no text to be read that was not written so.
func FuzzCursor(f *testing.F) {
	at := order.Position{CreatedAt: time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC), ID: "order-1"}
	f.Add(api.CursorOf(at, "list", "pending"), at.CreatedAt.UnixMicro(), at.ID, "pending")
	f.Add("", int64(0), "", "")
	f.Add("AAAA", int64(-1), "a\x00b", "a\x00")
	f.Add(strings.Repeat("_", 256), int64(1)<<62, strings.Repeat("x", 64), "\xff")
	f.Add(api.CursorOf(at, "list", "pending")+"=", int64(-1)<<63, "é", "list")
	f.Fuzz(func(t *testing.T, text string, micros int64, id, list string) {
		if got, ok := api.ParseCursor(text, "list", list); ok && api.CursorOf(got, "list", list) != text {
			t.Errorf("%q is read as %+v, which is written %q", text, got, api.CursorOf(got, "list", list))
		}
		if id == "" {
			return
		}
		want := order.Position{CreatedAt: time.UnixMicro(micros).UTC(), ID: id}
		written := api.CursorOf(want, "list", list)
		got, ok := api.ParseCursor(written, "list", list)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%q: %v %s", written, ok, diff)
		}
		if _, ok := api.ParseCursor(written, "list", list, "x"); ok {
			t.Errorf("%q is a cursor of another list", written)
		}
	})
}

// FuzzBatch wants every body to be cut into orders in their order, of which
// nothing is lost and nothing is made up, or to be refused.
func FuzzBatch(f *testing.F) {
	one := body()
	for _, seed := range []string{
		"", "\n", one, one + "\n" + one, "\r\n " + one + " \r\n\n\t" + one[:20], "[" + one + "]", "[]", "[" + one + "," + one + "] x",
		"[" + one, "[1,null,\"\\ud800\",{\"a\":1,\"a\":2}]", "{}", "[\xff]", "\xff\n\x00", strings.Repeat("[", 200), "[,]", "\xef\xbb\xbf[]",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, cutOff bool) {
		checkLines(t, text, cutOff)
		texts, _, err := api.SplitBatch(text, true, false)
		if err != nil {
			if !api.Malformed(err) && len(texts) == 0 && bytes.Count(text, []byte(",")) < api.MaxBatchOrders {
				t.Errorf("%q is refused with %v", text, err)
			}
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil && utf8.Valid(text) {
			t.Errorf("%q is no array and became %d orders: %v", text, len(texts), err)
		} else if err == nil && len(want) != len(texts) {
			t.Errorf("%q became %d orders; want %d", text, len(texts), len(want))
		}
	})
}

func checkLines(t *testing.T, text []byte, cutOff bool) {
	t.Helper()
	texts, numbers, err := api.SplitBatch(text, false, cutOff)
	if err != nil {
		if bytes.Count(text, []byte("\n")) < api.MaxBatchOrders {
			t.Errorf("%q is refused with %v", text, err)
		}
		return
	}
	all := bytes.Split(text, []byte("\n"))
	for i, line := range all {
		whole := !cutOff || i < len(all)-1
		if line = bytes.TrimSpace(line); len(line) == 0 || !whole {
			continue
		}
		if len(texts) == 0 || numbers[0] != i+1 || !bytes.Equal(texts[0], line) {
			t.Fatalf("line %d of %q is missing", i+1, text)
		}
		texts, numbers = texts[1:], numbers[1:]
	}
	if len(texts) > 0 {
		t.Errorf("%q has lines %v that are not there", text, numbers)
	}
}

// FuzzKeysAndIDs wants a key or an id to be taken exactly if it has the form that
// the specification says, and every key to stand for an id.
func FuzzKeysAndIDs(f *testing.F) {
	for _, seed := range []string{
		"", "k", "order-1", strings.Repeat("x", 64), strings.Repeat("x", 65), strings.Repeat("~", 255), strings.Repeat("~", 256),
		"a b", "a\tb", "a\x00b", "caf\u00e9", "\xff", "..", ".", "a/b", "%2e%2e", "a%00", "a?b", "a#b", "batch", "retry",
	} {
		f.Add(seed)
	}
	keyForm, idForm := regexp.MustCompile(`^[\x21-\x7E]{1,255}$`), regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	isID := func(text string) bool { return idForm.MatchString(text) && text != "." && text != ".." }
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r\n") {
			return // no header holds them
		}
		key, err := api.IdempotencyKey(text)
		plain := !strings.HasPrefix(text, `"`)
		if taken := err == nil; plain && (taken != keyForm.MatchString(text) || taken && key != text) ||
			taken && !keyForm.MatchString(key) {
			t.Errorf("key %q became %q, %v", text, key, err)
		}
		if order.ValidID(text) != isID(text) {
			t.Errorf("id %q is valid: %v", text, order.ValidID(text))
		}
		if id := intake.KeyedID("shop", text); !isID(id) {
			t.Errorf("key %q gives the id %q", text, id)
		}
	})
}
