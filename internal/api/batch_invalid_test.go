package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestBatchBadLines has each bad order do no harm to those around it.
func TestBatchBadLines(t *testing.T) {
	b := open(t)
	var text strings.Builder
	var rows []badBody
	for _, row := range badBodies() {
		apart := strings.ContainsAny(row.body, "\n") || strings.TrimSpace(row.body) == ""
		if !apart && len(row.body) < 100_000 {
			rows = append(rows, row)
			fmt.Fprintf(&text, "%s\n%s\n", row.body, withID(fmt.Sprint("good", len(rows))))
		}
	}
	if len(rows) < 100 {
		t.Fatalf("there are %d bad lines", len(rows))
	}
	all := b.batch(t, text.String())
	if len(all) != 2*len(rows) {
		t.Fatalf("%d verdicts for %d lines", len(all), 2*len(rows))
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bad, good := all[2*i], all[2*i+1]
			if good.Status != 201 || good.ID != fmt.Sprint("good", i+1) || bad.Status != 400 || bad.Problem == nil {
				t.Fatalf("verdicts are %+v and %+v", bad, good)
			}
			typ := "tag:orderprocessor,2026:invalid-order"
			if row.want == nil {
				typ = typeMalformed
			}
			if bad.Problem.Type != typ || bad.Problem.Instance != "/orders/batch" || bad.Problem.Title == "" {
				t.Errorf("problem is %+v; want %s", bad.Problem, typ)
			}
			if n := len(bad.Problem.Errors); n != min(len(row.want), 5) {
				t.Errorf("%d problems are listed of %d", n, len(row.want))
			}
		})
	}
	if n := b.tasks(t, "pending"); n != int64(len(rows)) {
		t.Errorf("%d tasks wait; want %d", n, len(rows))
	}
}

// TestBatchArrayElements keeps what is wrong with one element to itself.
func TestBatchArrayElements(t *testing.T) {
	b := open(t)
	rows := map[string]string{
		"two members of one name":     `{"id":"x","id":"y"}`,
		"two of one name, deep":       withID("x", "notes", `{"a":1,"a":2}`),
		"not UTF-8":                   withID("x", "customer", "\"\xff\""),
		"a name that is not UTF-8":    "{\"\xff\":1}",
		"a lone surrogate":            withID("x", "customer", `"\ud800"`),
		"an array":                    "[[[]]]",
		"a number too large for any":  "1e999999",
		"an order with a wrong field": withID("x", "colour", "1"),
	}
	for name, element := range rows {
		t.Run(name, func(t *testing.T) {
			text := "[" + withID("before") + "," + element + "," + withID("after") + "]"
			all := b.ask(t, "POST", "/orders/batch", text).verdicts(t, "application/json")
			if len(all) != 3 || all[1].Status != 400 || all[0].ID != "before" || all[2].ID != "after" {
				t.Errorf("verdicts are %v", brief(all))
			}
		})
	}
}

// TestBatchRefuses takes nothing of what is no batch.
func TestBatchRefuses(t *testing.T) {
	b := open(t)
	good := withID("good")
	const array = "application/json"
	rows := []struct {
		name, media, body string
	}{
		{"no lines", ndjson, ""},
		{"blank lines", ndjson, "\n \n\r\n\t\n"},
		{"no array", array, ""},
		{"white space", array, " \n"},
		{"empty array", array, "[]"},
		{"empty array with space", array, " [ \n ] "},
		{"lines as an array", array, good + "\n" + good + "\n"},
		{"an order alone", array, good},
		{"null", array, "null"},
		{"cut off", array, "[" + good},
		{"cut off behind a comma", array, "[" + good + ","},
		{"cut off in an order", array, "[" + good + "," + good[:20]},
		{"comma behind", array, "[" + good + ",]"},
		{"comma in front", array, "[," + good + "]"},
		{"no comma", array, "[" + good + good + "]"},
		{"syntax in the middle", array, "[" + good + `,{"id":x},` + good + "]"},
		{"comment", array, "[" + good + "/* x */]"},
		{"more behind", array, "[" + good + "]x"},
		{"two arrays", array, "[" + good + "][" + good + "]"},
		{"two byte order marks", array, "\ufeff\ufeff[" + good + "]"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := b.ask(t, "POST", "/orders/batch", row.body, "Content-Type", row.media).problem(t, 400)
			if p.Type != typeMalformed || !strings.HasSuffix(p.Detail, ".") {
				t.Errorf("type is %q, detail %q", p.Type, p.Detail)
			}
		})
	}
	for _, text := range []string{good, "null", "1", `"[]"`} {
		if p := b.ask(t, "POST", "/orders/batch", text).problem(t, 400); p.Detail != "The body must be a JSON array of orders." {
			t.Errorf("%.20s: detail is %q", text, p.Detail)
		}
	}
	b.empty(t)
}
