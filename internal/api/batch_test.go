package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
)

// verdict is the answer to one order of a batch.
type verdict struct {
	Line, Status int
	ID           string
	Problem      *problem
}

// verdicts decodes the answer to a batch, which must have the format of the request.
func (a answer) verdicts(t *testing.T, media string) []verdict {
	t.Helper()
	if got := a.header.Get("Content-Type"); a.code != 200 || got != media {
		t.Fatalf("answered %d %s %.500s; want 200 %s", a.code, got, a.body, media)
	}
	text := string(a.body)
	if media == ndjson {
		lines, ended := strings.CutSuffix(text, "\n")
		if !ended {
			t.Errorf("the last line does not end: %q", text)
		}
		text = "[" + strings.ReplaceAll(lines, "\n", ",") + "]"
	}
	var all []verdict
	must(t, json.Unmarshal([]byte(text), &all))
	for _, v := range all {
		if v.Problem != nil && (v.Problem.Status != v.Status || v.Problem.RequestID != a.header.Get("X-Request-Id")) {
			t.Errorf("verdict %+v has problem %+v", v, *v.Problem)
		}
		if (v.ID != "") != (v.Status < 300) || (v.Problem == nil) != (v.Status < 300) {
			t.Errorf("verdict is %+v", v)
		}
	}
	return all
}

// batch sends lines and returns their verdicts.
func (s *site) batch(t *testing.T, lines string, headers ...string) []verdict {
	t.Helper()
	return s.ask(t, "POST", "/orders/batch", lines, append([]string{"Content-Type", ndjson}, headers...)...).verdicts(t, ndjson)
}

// brief shows verdicts as "line status".
func brief(all []verdict) []string {
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = fmt.Sprint(v.Line, " ", v.Status)
	}
	return texts
}

// count counts the verdicts by status.
func count(all []verdict) map[int]int {
	n := map[int]int{}
	for _, v := range all {
		n[v.Status]++
	}
	return n
}

// TestBatchForms answers each order with a verdict, in the format and the sequence of the
// request. A mistake in one element of an array does not affect the others.
func TestBatchForms(t *testing.T) {
	b := open(t)
	bad := withID("bad", "amount", "0")
	element := func(text string) string { return "[" + withID("x") + "," + text + "," + withID("a") + "]" }
	b.batch(t, withID("x"))
	for _, row := range []struct {
		media, body string
		want        []string
	}{
		{ndjson, withID("a") + "\n", []string{"1 201"}},
		{ndjson, withID("b"), []string{"1 201"}},
		{ndjson, "\n \t\n" + withID("e") + "\n\n\r\n" + bad + "\n\n" + withID("f") + "\n\n", []string{"3 201", "6 400", "8 201"}},
		{ndjson, withID("g") + "\r\n\r\n" + bad + "\r\n" + withID("h") + "\r\n", []string{"1 201", "3 400", "4 201"}},
		{ndjson, "x\n\n{}\n", []string{"1 400", "3 400"}},
		{ndjson, withID("a") + "\n" + withID("a", "amount", "1") + "\n" + withID("i"), []string{"1 200", "2 409", "3 201"}},
		{ndjson + "; charset=utf-8", withID("j"), []string{"1 201"}},
		{jsonMedia, "[" + withID("k") + "]", []string{"1 201"}},
		{jsonMedia, " [\n" + withID("l") + " ,\n\n" + bad + "," + withID("a") + "\r\n]\n", []string{"1 201", "2 400", "3 200"}},
		{jsonMedia, `[null,1,"x",[],{},true]`, []string{"1 400", "2 400", "3 400", "4 400", "5 400", "6 400"}},
		{jsonMedia, element(`{"id":"x","id":"y"}`), []string{"1 200", "2 400", "3 200"}},
		{jsonMedia, element(withID("x", "notes", `{"a":1,"a":2}`)), []string{"1 200", "2 400", "3 200"}},
		{jsonMedia, element("{\"\xff\":1}"), []string{"1 200", "2 400", "3 200"}},
		{jsonMedia, element(`"\ud800"`), []string{"1 200", "2 400", "3 200"}},
		{jsonMedia, element("1e999999"), []string{"1 200", "2 400", "3 200"}},
	} {
		media, _, _ := strings.Cut(row.media, ";")
		a := b.ask(t, "POST", "/orders/batch", row.body, "Content-Type", row.media)
		if diff := cmp.Diff(row.want, brief(a.verdicts(t, media))); diff != "" {
			t.Errorf("%s: %s", row.body, diff)
		}
		if a.header.Get("Retry-After") != "" {
			t.Errorf("headers are %v", a.header)
		}
	}
	for _, id := range strings.Fields("a b e f g h i j k l x") {
		if got := b.status(t, id); got != order.StatusPending {
			t.Errorf("order %s is %s", id, got)
		}
	}
	b.ask(t, "GET", "/orders/bad", "").problem(t, 404)
	b.checkTasks(t, "pending", 11)
}

// TestBatchBadLines checks that a bad line has the problem that it would have alone, and
// does not affect the lines around it.
func TestBatchBadLines(t *testing.T) {
	b := open(t)
	var text strings.Builder
	var rows []badBody
	for _, row := range badBodies() {
		if len(row.body) < 100_000 && strings.TrimSpace(row.body) != "" && !strings.Contains(row.body, "\n") {
			rows = append(rows, row)
			fmt.Fprintf(&text, "%s\n%s\n", row.body, withID(fmt.Sprint("good", len(rows))))
		}
	}
	all := b.batch(t, text.String())
	if len(all) != 2*len(rows) || len(rows) < 40 {
		t.Fatalf("%d verdicts for %d lines", len(all), 2*len(rows))
	}
	for i, row := range rows {
		bad, good := all[2*i], all[2*i+1]
		if good.Status != 201 || good.ID != fmt.Sprint("good", i+1) || bad.Status != 400 {
			t.Fatalf("verdicts are %+v and %+v", bad, good)
		}
		typ := typeInvalid
		if row.fields == nil {
			typ = typeMalformed
		}
		if diff := cmp.Diff(row.fields[:min(len(row.fields), 5)], bad.Problem.fields()); diff != "" ||
			bad.Problem.Type != typ || bad.Problem.Instance != "/orders/batch" || bad.Problem.Title == "" {
			t.Errorf("%.100q: problem is %+v; want %s: %s", row.body, bad.Problem, typ, diff)
		}
	}
	b.checkTasks(t, "pending", len(rows))
}

// TestBatchRefuses refuses what is not a batch, and a batch with too many orders, and
// accepts nothing of it.
func TestBatchRefuses(t *testing.T) {
	b := open(t)
	good := withID("good")
	const more = api.MaxBatchOrders + 1
	const full, none, noArray = "The batch must have at most 10000 orders.", "The batch has no orders.", "The body must be a JSON array of orders."
	for _, row := range []struct {
		media, body, detail string // an empty detail is not checked
	}{
		{ndjson, lines("o", more), full},
		{ndjson, strings.Repeat("x\n\n", more), full},
		{jsonMedia, list(more, "1"), full},
		{ndjson, "", none},
		{ndjson, "\n \n\r\n\t\n", none},
		{jsonMedia, " [ \n ] ", none},
		{jsonMedia, "", noArray},
		{jsonMedia, " \n", noArray},
		{jsonMedia, good, noArray},
		{jsonMedia, "null", noArray},
		{jsonMedia, "1", noArray},
		{jsonMedia, `"[]"`, noArray},
		{jsonMedia, "[" + good, ""},
		{jsonMedia, "[" + good + ",", ""},
		{jsonMedia, "[" + good + "," + good[:20], ""},
		{jsonMedia, "[" + good + ",]", ""},
		{jsonMedia, "[," + good + "]", ""},
		{jsonMedia, "[" + good + good + "]", ""},
		{jsonMedia, "[" + good + `,{"id":x},` + good + "]", ""},
		{jsonMedia, "[" + good + "/* x */]", ""},
		{jsonMedia, "[" + good + "]x", "There is more after the JSON array."},
		{jsonMedia, "[" + good + "][" + good + "]", "There is more after the JSON array."},
		{jsonMedia, "\ufeff\ufeff[" + good + "]", noArray},
	} {
		code, typ := 400, typeMalformed
		if row.detail == full {
			code, typ = 413, typeBlank
		}
		p := b.ask(t, "POST", "/orders/batch", row.body, "Content-Type", row.media).problem(t, code)
		if p.Type != typ || !strings.HasSuffix(p.Detail, ".") || row.detail != "" && p.Detail != row.detail {
			t.Errorf("%.60q: type is %q, detail %q", row.body, p.Type, p.Detail)
		}
	}
	b.checkEmpty(t)
}

// TestBatchKeepsOrder accepts orders with the same id in the sequence of their lines.
func TestBatchKeepsOrder(t *testing.T) {
	b := open(t)
	for i := range 20 {
		id := fmt.Sprint("o", i)
		text := []string{
			withID(id), withID("a" + id), withID(id), withID(id, "amount", "1"), withID("b"+id, "amount", "0"),
			withID("b" + id), withID(id, "amount", "2"), withID(id), withID("a" + id),
		}
		want := []string{"1 201", "2 201", "3 200", "4 409", "5 400", "6 201", "7 409", "8 200", "9 200"}
		if diff := cmp.Diff(want, brief(b.batch(t, strings.Join(text, "\n")))); diff != "" {
			t.Fatal(diff)
		}
		if got := b.ask(t, "GET", "/orders/"+id, "").object(t, 200)["amount"]; got != 12.5 {
			t.Fatalf("the amount of order %s is %v", id, got)
		}
	}
}

// TestBatchByKey accepts orders without an id once, however often the batch is sent with
// the key.
func TestBatchByKey(t *testing.T) {
	b := open(t)
	none := body("id", "")
	text := none + "\n\n" + none + "\n" + withID("own") + "\n" + body("id", "", "amount", "0") + "\n" + none
	first := b.batch(t, text, "Idempotency-Key", "k")
	if diff := cmp.Diff([]string{"1 201", "3 201", "4 201", "5 400", "6 201"}, brief(first)); diff != "" {
		t.Fatal(diff)
	}
	b.move(t, first[0].ID, order.StatusCompleted)
	again := b.batch(t, text, "Idempotency-Key", "k")
	for i := range first {
		want := verdict{Line: first[i].Line, Status: 200, ID: first[i].ID}
		if first[i].Status == 400 {
			want.Status, want.Problem = 400, again[i].Problem
		}
		if diff := cmp.Diff(want, again[i]); diff != "" {
			t.Error(diff)
		}
	}
	changed := b.batch(t, strings.Replace(text, "12.50", "12.51", 1), "Idempotency-Key", "k")
	diff := cmp.Diff([]string{"1 422", "3 200", "4 200", "5 400", "6 200"}, brief(changed))
	if diff != "" || changed[0].Problem.Type != typeReused {
		t.Errorf("the first problem is %+v: %s", changed[0].Problem, diff)
	}
	own := b.batch(t, withID("own", "amount", "1"), "Idempotency-Key", "k")
	if own[0].Status != 409 || own[0].Problem.Type != typeConflict {
		t.Errorf("verdict is %+v", own[0])
	}
	array := b.ask(t, "POST", "/orders/batch", "["+none+"]", "Idempotency-Key", "k").verdicts(t, jsonMedia)
	if array[0].Status != 200 || array[0].ID != first[0].ID {
		t.Errorf("the first of an array is %+v; want order %s", array[0], first[0].ID)
	}
	moved := b.batch(t, "\n"+none+"\n"+none, "Idempotency-Key", "k")
	if moved[0].Status != 201 || moved[1].ID != first[1].ID {
		t.Errorf("on other lines, the verdicts are %+v; want a new order and %s", moved, first[1].ID)
	}
	if v := b.batch(t, none, "Idempotency-Key", "k2"); v[0].Status != 201 {
		t.Errorf("with another key, the verdict is %+v", v[0])
	}
	b.keyed(t, "k", none).object(t, 201)
	b.checkTasks(t, "pending", 7)
}
