package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

const (
	typeReused   = "tag:orderprocessor,2026:idempotency-key-reused"
	typeConflict = "tag:orderprocessor,2026:order-id-conflict"
	typeRequest  = "tag:orderprocessor,2026:invalid-request"
	typeNoRoom   = "tag:orderprocessor,2026:no-room"
)

// keyed sends an order with a key.
func (s *site) keyed(t *testing.T, key, body string) answer {
	t.Helper()
	return s.ask(t, "POST", "/orders", body, "Idempotency-Key", key)
}

// wantReplay holds an answer to be the first one again.
func wantReplay(t *testing.T, first, again answer) {
	t.Helper()
	again.object(t, 200)
	if diff := cmp.Diff(string(first.body), string(again.body)); diff != "" {
		t.Errorf("body: %s", diff)
	}
	if again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("headers are %v, they were %v", again.header, first.header)
	}
}

// in writes a time from now as JSON.
func in(d time.Duration) string { return `"` + time.Now().Add(d).Format(time.RFC3339Nano) + `"` }

// TestKeyReplays gives the first answer to the same key and content again,
// whatever has become of the order.
func TestKeyReplays(t *testing.T) {
	b := open(t)
	rows := []struct{ name, key, body string }{
		{"one character", "k", body("id", "")},
		{"255 characters", strings.Repeat("~", 255), body("id", "")},
		{"all signs", "!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~", body("id", "")},
		{"every priority", "p", body("id", "", "priority", "1", "notes", "")},
		{"scheduled", "s", body("id", "", "process_at", in(time.Hour))},
		{"scheduled in the past", "past", body("id", "", "process_at", in(-time.Hour))},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			first := b.keyed(t, row.key, row.body)
			v := first.object(t, 201)
			if first.header.Get("Idempotency-Replayed") != "" {
				t.Error("the first answer says that it is a repeat")
			}
			want := "pending"
			if row.name == "scheduled" {
				want = "scheduled"
			}
			if v["status"] != want {
				t.Errorf("the order is %v; want %s", v["status"], want)
			}
			id := fmt.Sprint(v["id"])
			wantReplay(t, first, b.keyed(t, row.key, row.body))
			for _, status := range []order.Status{order.StatusRetrying, order.StatusCancelled} {
				if err := b.move(t, id, status); err != nil {
					t.Fatal(err)
				}
				wantReplay(t, first, b.keyed(t, row.key, row.body))
				if got := b.status(t, id); got != status {
					t.Errorf("the order is %s; want %s", got, status)
				}
			}
		})
	}
	if n := b.rdb.HGet(t.Context(), "orders:{b0}:c", "accepted").Val(); n != strconv.Itoa(len(rows)) {
		t.Errorf("%s orders were accepted; want %d", n, len(rows))
	}
}

// TestKeyConflicts refuses a key for other content, and keeps orders apart whose
// keys differ.
func TestKeyConflicts(t *testing.T) {
	b := open(t)
	first := b.keyed(t, "k", body("id", ""))
	first.object(t, 201)
	for _, change := range [][]string{
		{"amount", "12.51"},
		{"items", `["cups","tea"]`},
		{"notes", ""},
		{"priority", "1"},
		{"process_at", in(time.Hour)},
	} {
		t.Run(change[0], func(t *testing.T) {
			p := b.keyed(t, "k", body(append(change, "id", "")...)).problem(t, 422)
			if p.Type != typeReused || p.OrderID != "" {
				t.Errorf("type is %q, order_id %q", p.Type, p.OrderID)
			}
		})
	}
	wantReplay(t, first, b.keyed(t, "k", body("id", "", "amount", "1.250e1", "status", "")))
	wantReplay(t, first, b.keyed(t, " k\t", body("id", "")))
	for _, key := range []string{"K", "k2", "kk", `k\n1`, `'k'`} {
		b.keyed(t, key, body("id", "")).object(t, 201)
	}
	if n := b.tasks(t, "pending"); n != 6 {
		t.Errorf("%d tasks wait; want 6", n)
	}
}

// TestQuotedKey takes the quoted form of a key for the key itself, and refuses what
// only looks like one.
func TestQuotedKey(t *testing.T) {
	b := open(t)
	for plain, quoted := range map[string]string{
		"basket-1": `"basket-1"`, `a"b\c`: `"a\"b\\c"`, `\`: `"\\"`, strings.Repeat("x", 255): `"` + strings.Repeat("x", 255) + `"`,
		"k;a=1": `"k;a=1"`,
	} {
		first := b.keyed(t, plain, body("id", ""))
		first.object(t, 201)
		wantReplay(t, first, b.keyed(t, quoted, body("id", "")))
		if p := b.keyed(t, quoted, body("id", "", "amount", "1")).problem(t, 422); p.Type != typeReused {
			t.Errorf("%s with other content: %s", quoted, p.Type)
		}
		batch := func(key string) string {
			return string(b.ask(t, "POST", "/orders/batch", "["+body("id", "")+"]", "Idempotency-Key", key).body)
		}
		if first, again := batch(quoted), batch(plain); strings.Replace(first, "201", "200", 1) != again {
			t.Errorf("a batch with %s is answered %s, then %s", quoted, first, again)
		}
	}
}

// TestKeyWithID lets the id decide.
func TestKeyWithID(t *testing.T) {
	b := open(t)
	b.keyed(t, "k", body()).object(t, 201)
	if err := b.move(t, "ord_1", order.StatusCompleted); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k", "other"} {
		a := b.keyed(t, key, body())
		if got := a.object(t, 200)["status"]; got != "completed" || a.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("key %s: the order is shown %v, headers %v", key, got, a.header)
		}
		if p := b.keyed(t, key, body("amount", "1")).problem(t, 409); p.Type != typeConflict {
			t.Errorf("key %s: type is %q", key, p.Type)
		}
	}
	b.keyed(t, "k", body("id", `"ord_2"`, "amount", "1")).object(t, 201)
	b.keyed(t, "k", body("id", "")).object(t, 201)
	if n := b.tasks(t, "pending"); n != 3 {
		t.Errorf("%d tasks wait; want 3", n)
	}
}

// TestInvalidKeys refuses keys that are none, several values, and malformed strings.
func TestInvalidKeys(t *testing.T) {
	b := open(t)
	const name = "Idempotency-Key: "
	rows := []string{
		name + "a\r\n" + name + "b", name + "a\r\n" + name + "a", name + "a\r\nidempotency-key: a", name + "\r\n" + name + "a",
	}
	for _, key := range []string{
		"", " \t ", strings.Repeat("x", 256), "a b", "a\tb", "caf\u00e9", "a\xff",
		`"`, `""`, `"open`, `"a"b`, `"a" "b"`, `"a"; p=1`, `"a\b"`, `"a\`, `"a\"`, `"a b"`, `"` + strings.Repeat("x", 256) + `"`, `"é"`,
	} {
		rows = append(rows, name+key)
	}
	for _, header := range rows {
		for path, text := range map[string]string{"/orders": body("id", ""), "/orders/batch": "[" + body("id", "") + "]"} {
			p := b.sayOne(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"+
				"%s\r\nContent-Length: %d\r\n\r\n%s", path, header, len(text), text)).problem(t, 400)
			if diff := cmp.Diff([]string{"Idempotency-Key invalid"}, p.fields()); diff != "" || p.Type != typeRequest {
				t.Errorf("%s with %q: type is %q, %s", path, header, p.Type, diff)
			}
		}
	}
	b.empty(t)
}
