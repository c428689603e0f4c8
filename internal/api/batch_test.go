package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

const ndjson = "application/x-ndjson"

// verdict is what a batch says of one order.
type verdict struct {
	Line, Status int
	ID           string
	Problem      *problem
}

// verdicts reads the answer to a batch in the form in which it was sent.
func (a answer) verdicts(t *testing.T, media string) []verdict {
	t.Helper()
	if got := a.header.Get("Content-Type"); a.code != 200 || got != media {
		t.Fatalf("answer is %d %s %.500s; want 200 %s", a.code, got, a.body, media)
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
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("body %.500s: %v", a.body, err)
	}
	for _, v := range all {
		if v.Problem != nil && (v.Problem.Status != v.Status || v.Problem.RequestID != a.header.Get("X-Request-Id")) {
			t.Errorf("verdict %+v is of problem %+v", v, *v.Problem)
		}
	}
	return all
}

// batch sends lines and returns their verdicts.
func (s *site) batch(t *testing.T, lines string, headers ...string) []verdict {
	t.Helper()
	return s.ask(t, "POST", "/orders/batch", lines, append([]string{"Content-Type", ndjson}, headers...)...).verdicts(t, ndjson)
}

// brief writes verdicts as "line status".
func brief(all []verdict) []string {
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = fmt.Sprint(v.Line, " ", v.Status)
	}
	return texts
}

// lines writes n orders of the ids with the prefix, one on each line.
func lines(prefix string, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintln(&text, body("id", fmt.Sprintf(`"%s%d"`, prefix, i)))
	}
	return text.String()
}

// withID is an order of the id.
func withID(id string, changes ...string) string {
	return body(append([]string{"id", `"` + id + `"`}, changes...)...)
}

// TestBatchForms has a verdict for each order, in the form and the order in
// which they came.
func TestBatchForms(t *testing.T) {
	b := open(t)
	bad := body("id", `"bad"`, "amount", "0")
	rows := []struct {
		name, media, body string
		want              []string
	}{
		{"a line", ndjson, withID("a") + "\n", []string{"1 201"}},
		{"a line that does not end", ndjson, withID("b"), []string{"1 201"}},
		{"lines", ndjson, withID("c") + "\n" + bad + "\n" + withID("d") + "\n", []string{"1 201", "2 400", "3 201"}},
		{"blank lines", ndjson, "\n \t\n" + withID("e") + "\n\n\r\n" + bad + "\n\n" + withID("f") + "\n\n", []string{"3 201", "6 400", "8 201"}},
		{"CRLF", ndjson, withID("g") + "\r\n\r\n" + bad + "\r\n" + withID("h") + "\r\n", []string{"1 201", "3 400", "4 201"}},
		{"all bad", ndjson, "x\n\n{}\n", []string{"1 400", "3 400"}},
		{"known", ndjson, withID("a") + "\n" + withID("a", "amount", "1") + "\n" + withID("i"), []string{"1 200", "2 409", "3 201"}},
		{"a charset", ndjson + "; charset=utf-8", withID("j"), []string{"1 201"}},
		{"array of one", "application/json", "[" + withID("k") + "]", []string{"1 201"}},
		{"array", "application/json", " [\n" + withID("l") + " ,\n\n" + bad + "," + withID("a") + "\r\n]\n", []string{"1 201", "2 400", "3 200"}},
		{"array of all that is no order", "application/json", `[null,1,"x",[],{},true]`, []string{"1 400", "2 400", "3 400", "4 400", "5 400", "6 400"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			media, _, _ := strings.Cut(row.media, ";")
			a := b.ask(t, "POST", "/orders/batch", row.body, "Content-Type", row.media)
			all := a.verdicts(t, media)
			if diff := cmp.Diff(row.want, brief(all)); diff != "" {
				t.Error(diff)
			}
			for _, v := range all {
				if (v.ID != "") != (v.Status < 300) || (v.Problem == nil) != (v.Status < 300) {
					t.Errorf("verdict is %+v", v)
				}
			}
			if a.header.Get("Retry-After") != "" {
				t.Errorf("headers are %v", a.header)
			}
		})
	}
	for id := range strings.SplitSeq("a b c d e f g h i j k l", " ") {
		if got := b.status(t, id); got != order.StatusPending {
			t.Errorf("order %s is %s", id, got)
		}
	}
	b.ask(t, "GET", "/orders/bad", "").problem(t, 404)
	if n := b.tasks(t, "pending"); n != 12 {
		t.Errorf("%d tasks wait; want 12", n)
	}
}

// TestBatchIsAsOneByOne accepts each order as if it had been sent alone.
func TestBatchIsAsOneByOne(t *testing.T) {
	b := open(t)
	rows := []string{
		withID("x"), withID("x", "priority", "1"), withID("x", "priority", "3", "notes", ""), withID("x", "amount", "999999.99"),
		withID("x", "process_at", `"2020-01-01T00:00:00Z"`), withID("x", "customer", `"Zo\u00eb <&>"`),
	}
	var text strings.Builder
	for i, row := range rows {
		fmt.Fprintln(&text, strings.Replace(row, `"x"`, fmt.Sprintf(`"batch%d"`, i), 1))
		b.ask(t, "POST", "/orders", strings.Replace(row, `"x"`, fmt.Sprintf(`"alone%d"`, i), 1)).object(t, 201)
	}
	b.batch(t, text.String())
	for i := range rows {
		var shown [2]map[string]any
		for n, kind := range []string{"alone", "batch"} {
			shown[n] = b.ask(t, "GET", fmt.Sprintf("/orders/%s%d", kind, i), "").object(t, 200)
			delete(shown[n], "id")
			takeTime(t, shown[n], "created_at")
		}
		if diff := cmp.Diff(shown[0], shown[1]); diff != "" {
			t.Error(diff)
		}
	}
}

// TestBatchKeepsOrder takes orders of one id in the order of their lines.
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

// TestBatchByKey accepts orders without an id once, however often the batch is
// sent with the key.
func TestBatchByKey(t *testing.T) {
	b := open(t)
	none := body("id", "")
	text := none + "\n\n" + none + "\n" + withID("own") + "\n" + body("id", "", "amount", "0") + "\n" + none
	first := b.batch(t, text, "Idempotency-Key", "k")
	if diff := cmp.Diff([]string{"1 201", "3 201", "4 201", "5 400", "6 201"}, brief(first)); diff != "" {
		t.Fatal(diff)
	}
	if err := b.move(t, first[0].ID, order.StatusCompleted); err != nil {
		t.Fatal(err)
	}
	again := b.batch(t, text, "Idempotency-Key", "k")
	if diff := cmp.Diff([]string{"1 200", "3 200", "4 200", "5 400", "6 200"}, brief(again)); diff != "" {
		t.Error(diff)
	}
	for i := range first {
		if first[i].ID != again[i].ID {
			t.Errorf("line %d is order %s, it was %s", first[i].Line, again[i].ID, first[i].ID)
		}
	}
	changed := b.batch(t, strings.Replace(text, "12.50", "12.51", 1), "Idempotency-Key", "k")
	if diff := cmp.Diff([]string{"1 422", "3 200", "4 200", "5 400", "6 200"}, brief(changed)); diff != "" {
		t.Error(diff)
	}
	if changed[0].Problem.Type != typeReused {
		t.Errorf("type is %q", changed[0].Problem.Type)
	}
	own := b.batch(t, withID("own", "amount", "1"), "Idempotency-Key", "k")
	if own[0].Status != 409 || own[0].Problem.Type != typeConflict {
		t.Errorf("verdict is %+v", own[0])
	}
	asArray := b.ask(t, "POST", "/orders/batch", "["+none+"]", "Idempotency-Key", "k").verdicts(t, "application/json")
	if asArray[0].Status != 200 || asArray[0].ID != first[0].ID {
		t.Errorf("the first of an array is %+v; want order %s", asArray[0], first[0].ID)
	}
	moved := b.batch(t, "\n"+none+"\n"+none, "Idempotency-Key", "k")
	if moved[0].Status != 201 || moved[1].ID != first[1].ID {
		t.Errorf("on other lines, the verdicts are %+v; want a new order and %s", moved, first[1].ID)
	}
	if v := b.batch(t, none, "Idempotency-Key", "k2"); v[0].Status != 201 {
		t.Errorf("with another key, the verdict is %+v", v[0])
	}
	b.keyed(t, "k", none).object(t, 201)
	if n := b.tasks(t, "pending"); n != 7 {
		t.Errorf("%d tasks wait; want 7", n)
	}
}
