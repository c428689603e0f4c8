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

// keyed sends an order with an idempotency key.
func (s *site) keyed(t *testing.T, key, body string) answer {
	t.Helper()
	return s.ask(t, "POST", "/orders", body, "Idempotency-Key", key)
}

// TestKeyReplays repeats the first answer for the same key and content, whatever has become
// of the order.
func TestKeyReplays(t *testing.T) {
	b := open(t)
	rows := []struct{ key, body, status string }{
		{"k", body("id", ""), "pending"},
		{strings.Repeat("~", 255), body("id", ""), "pending"},
		{"!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~", body("id", ""), "pending"},
		{"p", body("id", "", "priority", "1", "notes", ""), "pending"},
		{"s", body("id", "", "process_at", jsonTime(time.Hour)), "scheduled"},
		{"past", body("id", "", "process_at", jsonTime(-time.Hour)), "pending"},
	}
	for _, row := range rows {
		first := b.keyed(t, row.key, row.body)
		v := first.object(t, 201)
		if v["status"] != row.status || first.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("key %s: the order is %v, headers %v; want %s", row.key, v["status"], first.header, row.status)
		}
		id := fmt.Sprint(v["id"])
		checkReplay(t, first, b.keyed(t, row.key, row.body))
		for _, status := range []order.Status{order.StatusRetrying, order.StatusCancelled} {
			b.move(t, id, status)
			checkReplay(t, first, b.keyed(t, row.key, row.body))
			if got := b.status(t, id); got != status {
				t.Errorf("the order is %s; want %s", got, status)
			}
		}
	}
	if n := b.accepted(t); n != strconv.Itoa(len(rows)) {
		t.Errorf("%s orders were accepted; want %d", n, len(rows))
	}
}

// TestKeyConflicts refuses a key for other content, and accepts the same content under
// other keys.
func TestKeyConflicts(t *testing.T) {
	b := open(t)
	first := b.keyed(t, "k", body("id", ""))
	first.object(t, 201)
	for _, change := range [][]string{{"amount", "12.51"}, {"notes", ""}, {"process_at", jsonTime(time.Hour)}} {
		p := b.keyed(t, "k", body(append(change, "id", "")...)).problem(t, 422)
		if p.Type != typeReused || p.OrderID != "" {
			t.Errorf("%s: type is %q, order_id %q", change, p.Type, p.OrderID)
		}
	}
	checkReplay(t, first, b.keyed(t, "k", body("id", "", "amount", "1.250e1", "status", "")))
	checkReplay(t, first, b.keyed(t, " k\t", body("id", "")))
	for _, key := range []string{"K", "k2", "kk", `k\n1`, `'k'`} {
		b.keyed(t, key, body("id", "")).object(t, 201)
	}
	b.checkTasks(t, "pending", 6)
}

// TestQuotedKey treats the quoted form of a key as the key itself.
func TestQuotedKey(t *testing.T) {
	b := open(t)
	for plain, quoted := range map[string]string{
		"basket-1": `"basket-1"`, `a"b\c`: `"a\"b\\c"`, `\`: `"\\"`, strings.Repeat("x", 255): `"` + strings.Repeat("x", 255) + `"`,
		"k;a=1": `"k;a=1"`,
	} {
		first := b.keyed(t, plain, body("id", ""))
		first.object(t, 201)
		checkReplay(t, first, b.keyed(t, quoted, body("id", "")))
		if p := b.keyed(t, quoted, body("id", "", "amount", "1")).problem(t, 422); p.Type != typeReused {
			t.Errorf("%s with other content: %s", quoted, p.Type)
		}
		one, again := b.batch(t, body("id", ""), "Idempotency-Key", quoted)[0], b.batch(t, body("id", ""), "Idempotency-Key", plain)[0]
		if one.Status != 201 || again.Status != 200 || one.ID != again.ID {
			t.Errorf("batches with %s have the verdicts %+v and %+v", quoted, one, again)
		}
	}
}

// TestKeyWithID ignores the key of an order that has an id.
func TestKeyWithID(t *testing.T) {
	b := open(t)
	b.keyed(t, "k", body()).object(t, 201)
	b.move(t, orderID, order.StatusCompleted)
	for _, key := range []string{"k", "other"} {
		a := b.keyed(t, key, body())
		if got := a.object(t, 200)["status"]; got != "completed" || a.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("key %s: the order is shown %v, headers %v", key, got, a.header)
		}
		if p := b.keyed(t, key, body("amount", "1")).problem(t, 409); p.Type != typeConflict {
			t.Errorf("key %s: type is %q", key, p.Type)
		}
	}
	b.keyed(t, "k", withID("ord_2", "amount", "1")).object(t, 201)
	b.keyed(t, "k", body("id", "")).object(t, 201)
	b.checkTasks(t, "pending", 3)
}

// TestInvalidKeys refuses empty keys, several values, and malformed strings.
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
			p := b.askRaw(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"+
				"%s\r\nContent-Length: %d\r\n\r\n%s", path, header, len(text), text)).problem(t, 400)
			if diff := cmp.Diff([]string{"Idempotency-Key invalid"}, p.fields()); diff != "" || p.Type != typeRequest {
				t.Errorf("%s with %q: type is %q, %s", path, header, p.Type, diff)
			}
		}
	}
	b.checkEmpty(t)
}
