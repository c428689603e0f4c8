package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		code              int
	}{
		{"no lines", ndjson, "", 400},
		{"blank lines", ndjson, "\n \n\r\n\t\n", 400},
		{"no array", array, "", 400},
		{"white space", array, " \n", 400},
		{"empty array", array, "[]", 400},
		{"empty array with space", array, " [ \n ] ", 400},
		{"lines as an array", array, good + "\n" + good + "\n", 400},
		{"an order alone", array, good, 400},
		{"null", array, "null", 400},
		{"cut off", array, "[" + good, 400},
		{"cut off behind a comma", array, "[" + good + ",", 400},
		{"cut off in an order", array, "[" + good + "," + good[:20], 400},
		{"comma behind", array, "[" + good + ",]", 400},
		{"comma in front", array, "[," + good + "]", 400},
		{"no comma", array, "[" + good + good + "]", 400},
		{"syntax in the middle", array, "[" + good + `,{"id":x},` + good + "]", 400},
		{"comment", array, "[" + good + "/* x */]", 400},
		{"more behind", array, "[" + good + "]x", 400},
		{"two arrays", array, "[" + good + "][" + good + "]", 400},
		{"two byte order marks", array, "\ufeff\ufeff[" + good + "]", 400},
		{"no type", "", good, 415},
		{"text", "text/plain", good, 415},
		{"form", "application/x-www-form-urlencoded", good, 415},
		{"multipart", "multipart/form-data; boundary=x", good, 415},
		{"other names of lines", "application/jsonl", good, 415},
		{"lines without the x", "application/ndjson", good, 415},
		{"sequence", "application/json-seq", good, 415},
		{"Latin 1", ndjson + "; charset=iso-8859-1", good, 415},
		{"UTF-16", array + "; charset=utf-16", "[" + good + "]", 415},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := b.ask(t, "POST", "/orders/batch", row.body, "Content-Type", row.media).problem(t, row.code)
			want := map[int]string{400: typeMalformed, 415: "about:blank"}[row.code]
			if p.Type != want || !strings.HasSuffix(p.Detail, ".") {
				t.Errorf("type is %q, detail %q", p.Type, p.Detail)
			}
		})
	}
	for _, text := range []string{good, "null", "1", `"[]"`} {
		if p := b.ask(t, "POST", "/orders/batch", text).problem(t, 400); p.Detail != "The body must be a JSON array of orders." {
			t.Errorf("%.20s: detail is %q", text, p.Detail)
		}
	}
	for _, encoding := range []string{"gzip", "br", "zstd", "identity, gzip"} {
		b.ask(t, "POST", "/orders/batch", good, "Content-Type", ndjson, "Content-Encoding", encoding).problem(t, 415)
	}
	b.empty(t)
	if diff := cmp.Diff([]string{"1 201"}, brief(b.batch(t, good, "Content-Encoding", "identity"))); diff != "" {
		t.Error(diff)
	}
}
