package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestSubmit holds the answer to a new order to the contract, member by
// member.
func TestSubmit(t *testing.T) {
	b := open(t)
	rows := []struct {
		name, body string
		want       map[string]any
	}{
		{
			"every field",
			body("priority", `1`),
			map[string]any{
				"id": "ord_1", "amount": "12.50", "items": []any{"tea", "cups"}, "customer": "ada@example.com",
				"address": "12 Main Street\nLondon", "priority": "1", "notes": "ring twice", "queue": "critical",
			},
		},
		{
			"what must be there, and defaults",
			`{"amount":1,"items":["a"],"customer":"Ada","address":"x"}`,
			map[string]any{
				"amount": "1.00", "items": []any{"a"}, "customer": "Ada", "address": "x", "priority": "2", "queue": "default",
			},
		},
		{
			"low priority, exponent, empty notes",
			`{"id":"a.B-9_","amount":125e-1,"items":["a"],"customer":"<b>&","address":"a\r\n\tb","priority":3,"notes":" "}`,
			map[string]any{
				"id": "a.B-9_", "amount": "12.50", "items": []any{"a"}, "customer": "<b>&", "address": "a\r\n\tb",
				"priority": "3", "queue": "low",
			},
		},
		{
			"high value",
			`{"id":"high","amount":1000.01,"items":["a"],"customer":"Ada","address":"x","priority":3}`,
			map[string]any{
				"id": "high", "amount": "1000.01", "items": []any{"a"}, "customer": "Ada", "address": "x", "priority": "3",
				"queue": "critical",
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			before := time.Now()
			a := b.ask(t, "POST", "/orders", row.body)
			got := exact(t, a, 201)
			if row.want["id"] == nil {
				row.want["id"] = got["id"]
				wantUUIDv7(t, got["id"])
			}
			created, err := time.Parse(time.RFC3339Nano, fmt.Sprint(got["created_at"]))
			if err != nil || created.Location() != time.UTC || created.Before(before.Add(-time.Minute)) {
				t.Errorf("created_at is %v, %v", got["created_at"], err)
			}
			delete(got, "created_at")
			row.want["status"], row.want["attempts"] = "pending", []any{}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("body: %s", diff)
			}
			want := map[string]string{
				"Location": fmt.Sprint("/orders/", got["id"]), "Content-Type": "application/json", "Idempotency-Replayed": "",
				"X-Content-Type-Options": "nosniff",
			}
			for name, value := range want {
				if a.header.Get(name) != value {
					t.Errorf("%s is %q; want %q", name, a.header.Get(name), value)
				}
			}
			exact(t, b.ask(t, "GET", a.header.Get("Location"), ""), 200)
		})
	}
}

// TestSubmitKeepsEveryField submits an order with every field and reads the same fields.
func TestSubmitKeepsEveryField(t *testing.T) {
	b := open(t)
	full := ordertest.Order(t, ordertest.Full)
	text, err := json.Marshal(full.View())
	if err != nil {
		t.Fatal(err)
	}
	b.ask(t, "POST", "/orders", string(text)).object(t, 201)
	var got order.Order
	if err := json.Unmarshal(b.ask(t, "GET", "/orders/full", "").body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full, got); diff != "" {
		t.Error(diff)
	}
}

// exact decodes a body with its numbers as they are written.
func exact(t *testing.T, a answer, code int) map[string]any {
	t.Helper()
	a.object(t, code)
	d := json.NewDecoder(strings.NewReader(string(a.body)))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	for name, value := range m {
		if n, ok := value.(json.Number); ok {
			m[name] = n.String()
		}
	}
	return m
}

func wantUUIDv7(t *testing.T, id any) {
	t.Helper()
	if u, err := uuid.Parse(fmt.Sprint(id)); err != nil || u.Version() != 7 || u.String() != id {
		t.Errorf("id %v is no UUIDv7: %v", id, err)
	}
}

// TestSubmitAgain gives a repeated order the record it has, and refuses its id
// for another order.
func TestSubmitAgain(t *testing.T) {
	b := open(t)
	first := b.ask(t, "POST", "/orders", body())
	first.object(t, 201)
	rows := []struct {
		name, body string
		code       int
	}{
		{"the same", body(), 200},
		{"written in another way", body("amount", `1.25e1`, "priority", "", "status", "", "items", ` [ "\u0074ea" , "cups" ] `), 200},
		{"another amount", body("amount", `12.51`), 409},
		{"another item", body("items", `["tea","cup"]`), 409},
		{"items in another order", body("items", `["cups","tea"]`), 409},
		{"another customer", body("customer", `"bob"`), 409},
		{"another address", body("address", `"x"`), 409},
		{"another priority", body("priority", `3`), 409},
		{"no notes", body("notes", ""), 409},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := b.ask(t, "POST", "/orders", row.body)
			if row.code == 409 {
				if p := a.problem(t, 409); p.Type != "tag:orderprocessor,2026:order-id-conflict" {
					t.Errorf("type is %q", p.Type)
				}
				return
			}
			a.object(t, 200)
			if diff := cmp.Diff(string(first.body), string(a.body)); diff != "" {
				t.Errorf("body: %s", diff)
			}
			if a.header.Get("Idempotency-Replayed") != "true" || a.header.Get("Location") != "/orders/ord_1" {
				t.Errorf("headers are %v", a.header)
			}
		})
	}
	if n := b.rdb.LLen(t.Context(), "asynq:{default}:pending").Val(); n != 1 {
		t.Errorf("%d tasks wait; want 1", n)
	}
}

// TestSubmitBoundaries accepts what only a business rule refuses, and the longest texts.
func TestSubmitBoundaries(t *testing.T) {
	b := open(t)
	for i, change := range [][]string{
		{"amount", "10000.01"},
		{"amount", "999999999999.99"},
		{"amount", "12.500000000"},
		{"items", list(51, `"a"`)},
		{"items", list(1000, `"a"`)},
		{"customer", quoted(254, "😀")},
		{"address", quoted(1000, `\ud83d\ude00`)},
		{"notes", quoted(2000, "é")},
		{"customer", `" Ada "`},
	} {
		b.ask(t, "POST", "/orders", " \r\n\t"+withID(fmt.Sprint("o", i), change...)+" \n").object(t, 201)
	}
}

// TestSubmitToFullQueues refuses an order while too many wait, and stores
// nothing of it.
func TestSubmitToFullQueues(t *testing.T) {
	b := open(t, maxQueueLength(2))
	for i := range 2 {
		b.ask(t, "POST", "/orders", body("id", fmt.Sprintf(`"o%d"`, i))).object(t, 201)
	}
	stored := b.rdb.DBSize(t.Context()).Val()
	a := b.ask(t, "POST", "/orders", body("id", `"one-too-many"`))
	if p := a.problem(t, 503); p.Type != "tag:orderprocessor,2026:no-room" {
		t.Errorf("type is %q", p.Type)
	}
	if got := a.header.Get("Retry-After"); got != "10" {
		t.Errorf("Retry-After is %q; want 10", got)
	}
	if now := b.rdb.DBSize(t.Context()).Val(); now != stored {
		t.Errorf("Redis holds %d keys, it held %d", now, stored)
	}
	b.ask(t, "GET", "/orders/one-too-many", "").problem(t, 404)
}

// takes is an intake for states that are hard to reach.
type takes func(ctx context.Context, o order.Order) (order.Record, bool, error)

func (f takes) Submit(ctx context.Context, o order.Order) (order.Record, bool, error) {
	return f(ctx, o)
}

func (f takes) SubmitAll(ctx context.Context, orders []order.Order) []order.Acceptance {
	all := make([]order.Acceptance, len(orders))
	for i, o := range orders {
		all[i].Record, all[i].IsNew, all[i].Err = f(ctx, o)
	}
	return all
}

func (f takes) Cancel(ctx context.Context, id, _ string) (order.Record, error) {
	rec, _, err := f(ctx, order.Order{ID: id})
	return rec, err
}
