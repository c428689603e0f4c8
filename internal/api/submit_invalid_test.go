package api_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSubmitRefusesBadBodies sends the corpus: every body is answered 400 with
// a full problem that names what is wrong, and nothing is stored.
func TestSubmitRefusesBadBodies(t *testing.T) {
	b := open(t)
	rows := badBodies()
	if len(rows) < 100 {
		t.Fatalf("the corpus has %d bodies", len(rows))
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := b.ask(t, "POST", "/orders", row.body).problem(t, 400)
			got, want := slices.Sorted(slices.Values(p.fields())), slices.Sorted(slices.Values(row.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems: %s", diff)
			}
			typ := "tag:orderprocessor,2026:invalid-order"
			if row.want == nil {
				typ = typeMalformed
			}
			if p.Type != typ || p.Instance != "/orders" {
				t.Errorf("type %q, instance %q; want %q, /orders", p.Type, p.Instance, typ)
			}
		})
	}
	b.empty(t)
	if strings.Contains(b.log.String(), `"status":5`) {
		t.Error("a bad body was logged as a fault of the server")
	}
}

// TestSubmitListsAllProblems wants every problem of one body at once, those of
// types and those of values, and each field once for each thing wrong with it.
func TestSubmitListsAllProblems(t *testing.T) {
	b := open(t)
	rows := []struct {
		name, body string
		want       []string
	}{
		{
			"every field has a wrong value",
			body("id", `"a/b"`, "amount", `0.001`, "items", `["",1,"a\u0000"]`, "customer", `" "`, "address", quoted(1001, "a"),
				"priority", `9`, "status", `"completed"`, "notes", `"\u0007"`, "extra", `1`),
			[]string{
				"items[1] wrong_type", "extra unknown_field", "id invalid", "amount too_precise", "items[0] required",
				"items[2] invalid", "customer required", "address too_long", "priority out_of_range", "notes invalid",
				"status invalid",
			},
		},
		{
			"every field has a wrong type",
			`{"id":1,"amount":"1","items":{},"customer":1,"address":[],"priority":"1","status":2,"notes":null}`,
			[]string{
				"id wrong_type", "amount wrong_type", "items wrong_type", "customer wrong_type", "address wrong_type",
				"priority wrong_type", "status wrong_type", "notes wrong_type",
			},
		},
		{
			"too long and with control characters",
			body("customer", quoted(254, "a"), "address", `"`+strings.Repeat("a", 1000)+`\u0000"`),
			[]string{"address too_long", "address invalid"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := b.ask(t, "POST", "/orders", row.body).problem(t, 400)
			if diff := cmp.Diff(row.want, p.fields()); diff != "" {
				t.Error(diff)
			}
			if n := strconv.Itoa(len(row.want)); !strings.HasPrefix(p.Detail, n+" problems") {
				t.Errorf("detail is %q", p.Detail)
			}
		})
	}
	b.empty(t)
}

// TestSubmitDetails makes the detail enough for a person, and keeps the answer short however
// much is wrong.
func TestSubmitDetails(t *testing.T) {
	b := open(t)
	var unknown strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&unknown, `"field%d":1,`, i)
	}
	for _, row := range []struct {
		body   string
		listed int
		detail string
	}{
		{body("amount", `0.001`), 1, "amount must have at most two decimals."},
		{body("items", `["tea",7]`), 1, "items[1] must be a string, not a number."},
		{body("notes", `null`), 1, "notes must be a string, not null."},
		{body("colour", `1`), 1, "colour is not a field of an order."},
		{`{"id":"a","id":"b"}`, 0, "The name at /id occurs twice."},
		{``, 0, "The body is empty; it must be a JSON object."},
		{"{\"\xff\":1}", 0, "The body is not valid UTF-8."},
		{`[]`, 0, "The body must be a JSON object."},
		{body("items", list(50, `""`)), 50, "50 problems were found; errors lists them."},
		{body("items", list(51, `""`)), 50, "51 problems were found; errors lists the first 50."},
		{body("items", list(100_000, `1`)), 50, "100001 problems were found; errors lists the first 50."},
		{"{" + unknown.String() + body()[1:], 50, "10000 problems were found; errors lists the first 50."},
	} {
		a := b.ask(t, "POST", "/orders", row.body)
		p := a.problem(t, 400)
		if len(p.Errors) != row.listed || p.Detail != row.detail {
			t.Errorf("%d problems are listed, %q; want %d, %q", len(p.Errors), p.Detail, row.listed, row.detail)
		}
		if len(a.body) > 16<<10 {
			t.Errorf("the answer has %d bytes", len(a.body))
		}
	}
	b.empty(t)
}
