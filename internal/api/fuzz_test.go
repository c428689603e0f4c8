package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

const submission = `{"id":"ord_1","amount":1.5e1,"items":["tea","\u0063up"],"customer":"Zoë \ud83d\ude00","address":"1 Road","priority":1}`

// FuzzDecodeOrder checks that every body is either an order or an error of one of two kinds,
// and that an order can be written and read again.
func FuzzDecodeOrder(f *testing.F) {
	for _, seed := range []string{
		submission, submission[:40], `{"amount":1,"items":["a"],"customer":"Ada","address":"x"}`, "", "null", "{}", "[]", `{"id":1,"items":[1]}`,
		`{"id":"","amount":1e999999999999}`, `{"a":1,"a":2}`, "{\"\xff\":1}", `{"notes":"\ud800"}`, `{"process_at":"2026-11-23T12:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := decodeOrder(text, order.DefaultTerms(), time.Now())
		if err != nil {
			var malformed *malformedError
			var invalid *order.InvalidError
			if known := errors.As(err, &malformed) || errors.As(err, &invalid) && len(invalid.Problems) > 0; !known || !utf8.ValidString(err.Error()) {
				t.Errorf("error %q is of neither kind, or not UTF-8", err)
			}
			return
		}
		if !utf8.Valid(text) || !json.Valid(text) {
			t.Fatalf("%q is not JSON and became an order", text)
		}
		if o.ID == "" {
			o.ID = "made" // as intake gives it one
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		o2, err := decodeOrder(again, order.DefaultTerms(), time.Now())
		if err != nil {
			t.Fatalf("order %s is refused: %v", again, err)
		}
		if o.Fingerprint() != o2.Fingerprint() || o.ID != o2.ID {
			t.Errorf("%+v became %+v", o, o2)
		}
	})
}

// FuzzCursor checks that a cursor is read as it was written, by its own list only, and that
// no other text is read.
func FuzzCursor(f *testing.F) {
	at := order.Position{CreatedAt: time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC), ID: "order-1"}
	f.Add(cursorOf(at, "list", "pending"), at.CreatedAt.UnixMicro(), at.ID, "pending")
	f.Add("", int64(0), "", "")
	f.Add("AAAA", int64(-1), "a\x00b", "a\x00")
	f.Add(strings.Repeat("_", 256), int64(1)<<62, strings.Repeat("x", 64), "\xff")
	f.Add(cursorOf(at, "list", "pending")+"=", int64(-1)<<63, "é", "list")
	f.Fuzz(func(t *testing.T, text string, micros int64, id, list string) {
		if got, ok := parseCursor(text, "list", list); ok && cursorOf(got, "list", list) != text {
			t.Errorf("%q is read as %+v, which is written %q", text, got, cursorOf(got, "list", list))
		}
		if id == "" {
			return
		}
		want := order.Position{CreatedAt: time.UnixMicro(micros).UTC(), ID: id}
		written := cursorOf(want, "list", list)
		got, ok := parseCursor(written, "list", list)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%q: %v %s", written, ok, diff)
		}
		if _, ok := parseCursor(written, "list", list, "x"); ok {
			t.Errorf("%q is a cursor of another list", written)
		}
	})
}

// FuzzBatch checks that every body is refused or split into its orders in their sequence.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		"", "\n", submission, submission + "\n" + submission, "\r\n " + submission + " \r\n\n\t" + submission[:20], "[" + submission + "]", "[]",
		"[" + submission + "," + submission + "] x", "[" + submission, "[1,null,\"\\ud800\",{\"a\":1,\"a\":2}]", "{}", "[\xff]", "\xff\n\x00",
		strings.Repeat("[", 200), "[,]", "\xef\xbb\xbf[]",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, cutOff bool) {
		checkLines(t, text, cutOff)
		elements, err := splitArray(text)
		if err != nil {
			var malformed *malformedError
			if !errors.As(err, &malformed) && bytes.Count(text, []byte(",")) < maxBatchOrders {
				t.Errorf("%q is refused with %v", text, err)
			}
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil && utf8.Valid(text) {
			t.Errorf("%q is not an array and became %d orders: %v", text, len(elements), err)
		} else if err == nil && len(want) != len(elements) {
			t.Errorf("%q became %d orders; want %d", text, len(elements), len(want))
		}
	})
}

func checkLines(t *testing.T, text []byte, cutOff bool) {
	t.Helper()
	got, err := splitLines(text, cutOff)
	if err != nil {
		if bytes.Count(text, []byte("\n")) < maxBatchOrders {
			t.Errorf("%q is refused with %v", text, err)
		}
		return
	}
	all := bytes.Split(text, []byte("\n"))
	for i, one := range all {
		whole := !cutOff || i < len(all)-1
		if one = bytes.TrimSpace(one); len(one) == 0 || !whole {
			continue
		}
		if len(got) == 0 || got[0].number != i+1 || !bytes.Equal(got[0].text, one) {
			t.Fatalf("line %d of %q is missing", i+1, text)
		}
		got = got[1:]
	}
	if len(got) > 0 {
		t.Errorf("%q has the additional lines %v", text, got)
	}
}
