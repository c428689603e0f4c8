package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/api"
	"orderprocessor/internal/httpserver"
)

// TestBatchOfTenThousand accepts as many orders as a batch may have, and nothing
// of one that has more.
func TestBatchOfTenThousand(t *testing.T) {
	b := open(t, maxQueueLength(api.MaxBatchOrders))
	rows := []struct{ name, media, body string }{
		{"lines", ndjson, lines("o", api.MaxBatchOrders+1)},
		{"with blank ones", ndjson, strings.ReplaceAll(lines("o", api.MaxBatchOrders+1), "\n", "\n\n")},
		{"that are bad", ndjson, strings.Repeat("x\n", api.MaxBatchOrders+1)},
		{"elements", "application/json", list(api.MaxBatchOrders+1, "1")},
	}
	for _, row := range rows {
		t.Run("more "+row.name, func(t *testing.T) {
			p := b.ask(t, "POST", "/orders/batch", row.body, "Content-Type", row.media).problem(t, 413)
			if p.Detail != "The batch must have at most 10000 orders." {
				t.Errorf("detail is %q", p.Detail)
			}
		})
	}
	b.empty(t)
	all := b.batch(t, "\n"+strings.ReplaceAll(lines("o", api.MaxBatchOrders), "\n", "\r\n")+"\n\n")
	for i, v := range all {
		if v.Status != 201 || v.Line != i+2 || v.ID != fmt.Sprint("o", i) {
			t.Fatalf("verdict %d is %+v", i, v)
		}
	}
	if n := b.tasks(t, "pending"); len(all) != api.MaxBatchOrders || n != api.MaxBatchOrders {
		t.Errorf("%d verdicts, %d tasks", len(all), n)
	}
}

// hidden is a body whose length the client does not know.
func hidden(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }

// TestBatchOfSixteenMebibytes takes as many bytes as a batch may have, and
// nothing of one that has more.
func TestBatchOfSixteenMebibytes(t *testing.T) {
	b := open(t)
	order := withID("big")
	full := order + "\n" + strings.Repeat(strings.Repeat(" ", 1023)+"\n", 16<<10)[:api.MaxBatchBytes-len(order)-1]
	for _, row := range []struct {
		name, text string
		code       int
	}{{"a byte more", full + " ", 413}, {"all", full, 200}} {
		for kind, body := range map[string]io.Reader{"with a length": strings.NewReader(row.text), "in chunks": hidden(row.text)} {
			req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+b.addr+"/orders/batch", body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", ndjson)
			a := send(t, b.client, req)
			if row.code == 200 {
				if all := a.verdicts(t, ndjson); len(all) != 1 || all[0].ID != "big" {
					t.Errorf("%s %s: verdicts are %v", row.name, kind, all)
				}
				continue
			}
			if p := a.problem(t, 413); p.Detail != "The body must have at most 16777216 bytes." {
				t.Errorf("%s %s: detail is %q", row.name, kind, p.Detail)
			}
			b.empty(t)
		}
	}
}

// TestBatchOfLongLines refuses an order that is too large, and it alone.
func TestBatchOfLongLines(t *testing.T) {
	b := open(t)
	padded := func(id string, n int) string {
		text := withID(id)
		return strings.Replace(text, ",", ","+strings.Repeat(" ", n-len(text)), 1)
	}
	text := []string{
		withID("first"), padded("most", httpserver.MaxBodyBytes), padded("more", httpserver.MaxBodyBytes+1), withID("between"),
		padded("much", 3*httpserver.MaxBodyBytes), withID("last"),
	}
	want := []string{"1 201", "2 201", "3 413", "4 201", "5 413", "6 201"}
	all := b.batch(t, strings.Join(text, "\n"))
	if diff := cmp.Diff(want, brief(all)); diff != "" {
		t.Error(diff)
	}
	if p := all[2].Problem; p.Type != "about:blank" || p.Detail != "The body must have at most 262144 bytes." {
		t.Errorf("problem is %+v", p)
	}
	for i := range want {
		want[i] = strings.Replace(want[i], "201", "200", 1)
	}
	array := b.ask(t, "POST", "/orders/batch", "["+strings.Join(text, ",")+"]").verdicts(t, "application/json")
	if diff := cmp.Diff(want, brief(array)); diff != "" {
		t.Errorf("as an array: %s", diff)
	}
}
