package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/access"
	"orderprocessor/internal/api"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/programtest"
)

// TestExport has every order of both places once, as GET /orders/{id} shows it.
func TestExport(t *testing.T) {
	b := openArchived(t)
	var want []string
	for i := range 450 {
		id := fmt.Sprintf("o%03d", i)
		b.reach(t, id, order.StatusCancelled)
		if i < 250 {
			b.keep(t, id)
		}
		if i == 249 {
			b.forget(t)
		}
		if i%50 == 0 || i == 449 {
			want = append(want, string(b.ask(t, "GET", "/orders/"+id, "").body)+"\n")
		}
	}
	a := b.ask(t, "GET", "/orders/export", "")
	if a.header.Get("Content-Type") != ndjson || a.header.Get("Content-Disposition") != `attachment; filename="orders.ndjson"` {
		t.Errorf("headers are %v", a.header)
	}
	if n := bytes.Count(a.body, []byte("\n")); n != 450 || bytes.Count(a.body, []byte("archived")) != 250 {
		t.Errorf("it has %d orders", n)
	}
	at := len(a.body)
	for i, line := range want {
		before := strings.Index(string(a.body), idOf(line))
		if before < 0 || before > at {
			t.Errorf("order %d is not at its place", i)
		}
		at = before
	}
	if last := want[len(want)-1]; !strings.HasPrefix(string(a.body), last) {
		t.Errorf("it does not begin with %s", last)
	}
	if a := b.ask(t, "HEAD", "/orders/export?status=failed", ""); a.code != 200 || len(a.body) != 0 {
		t.Errorf("HEAD is answered %d %s", a.code, a.body)
	}
	if a := b.ask(t, "GET", "/orders/export?status=failed", ""); a.code != 200 || len(a.body) != 0 {
		t.Errorf("without orders it is answered %d %s", a.code, a.body)
	}
}

// idOf is the beginning of an order in JSON.
func idOf(line string) string {
	id, _, _ := strings.Cut(line, ",")
	return id
}

// TestExportCSV writes what a spreadsheet reads as texts and numbers, and executes nothing.
func TestExportCSV(t *testing.T) {
	b := open(t)
	evil := func(s *order.Submission) {
		s.Items = order.SubmittedNames(`=HYPERLINK("http://evil")`)
		s.Address, s.Notes = "12, Main \"Street\"\n=1+1", "a;=cmd()\n\t@x\n  -3; ok"
		s.Metadata, s.Country = map[string]string{"cell": "=1"}, "DE"
	}
	b.reach(t, "=1+1", order.StatusPending, evil, ordertest.WithCustomer("@SUM(A1)"), ordertest.WithAmount("0.10"))
	b.reach(t, "+1", order.StatusFailed, ordertest.WithCustomer("-2+3"), ordertest.WithAmount("1234567.89"))
	a := b.ask(t, "GET", "/orders/export?format=csv", "")
	if got := a.header.Get("Content-Type"); got != "text/csv; charset=utf-8; header=present" || !strings.Contains(a.header.Get("Content-Disposition"), `"orders.csv"`) {
		t.Errorf("headers are %v", a.header)
	}
	rows, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll()
	must(t, err)
	if len(rows) != 3 || !strings.HasSuffix(string(a.body), ",false\r\n") {
		t.Fatalf("rows are %q", rows)
	}
	for i, name := range rows[0] {
		if name == "created_at" || name == "settled_at" {
			rows[1][i], rows[2][i] = "", ""
		}
	}
	want := [][]string{
		{
			"id", "status", "created_at", "settled_at", "customer", "amount", "currency", "country", "priority", "queue", "handling", "tags",
			"attempts", "error", "note", "cancel_reason", "items", "address", "notes", "metadata", "archived",
		},
		{
			"'+1", "failed", "", "", "'-2+3", "1234567.89", "USD", "", "2", "default", "standard", "",
			"1", shopDown, "", "", `["item 0"]`, "12 St James's Square\nLondon", "", "", "false",
		},
		{
			"'=1+1", "pending", "", "", "'@SUM(A1)", "0.10", "USD", "DE", "2", "default", "", "",
			"0", "", "", "", `["=HYPERLINK(\"http://evil\")"]`, "12, Main \"Street\"\n'=1+1", "a;'=cmd()\n'\t'@x\n  '-3; ok", `{"cell":"=1"}`, "false",
		},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

// endlessRecords list the same order for ever, after which comes an error once fails is set.
type endlessRecords struct {
	api.Records
	fails atomic.Bool
	pages atomic.Int64
}

func (e *endlessRecords) List(context.Context, order.Filter, order.Position, int) ([]order.Record, order.Position, error) {
	if e.fails.Load() {
		return nil, order.Position{}, errors.New("broken")
	}
	at := time.UnixMicro(1e15 - e.pages.Add(1)).UTC()
	rec := order.Record{Order: order.Order{ID: strings.Repeat("x", 100)}, Status: order.StatusPending, Queue: order.QueueLow, CreatedAt: at}
	return []order.Record{rec}, order.Position{CreatedAt: at, ID: rec.ID}, nil
}

// startExport begins an export that does not end, and returns its reader.
func (s *site) startExport(t *testing.T, key string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/orders/export?format=csv", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := s.client.Do(req)
	must(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// TestExportIsCut breaks the connection when an export cannot be ended, whatever the
// version of HTTP.
func TestExportIsCut(t *testing.T) {
	t.Parallel()
	records := &endlessRecords{}
	s := serve(t, parts{Parts: api.Parts{Records: records}})
	resp := s.startExport(t, "") //nolint:bodyclose // startExport does
	c := s.dial(t)
	_, err := io.WriteString(c, "GET /orders/export HTTP/1.0\r\nHost: a\r\n\r\n")
	must(t, err)
	old := bufio.NewReader(c)
	if line, err := old.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("HTTP/1.0 is answered %q, %v", line, err)
	}
	_, err = bufio.NewReader(resp.Body).ReadString('\n')
	must(t, err)
	records.fails.Store(true)
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("a cut export looks whole")
	}
	if _, err := io.Copy(io.Discard, old); err == nil {
		t.Error("a cut export of HTTP/1.0 looks whole")
	}
	programtest.Until(t, "it is logged", func() bool { return strings.Count(s.log.String(), "an export was cut") == 2 })
	s.ask(t, "GET", "/orders/export", "").problem(t, 500)
}

// TestExportsAreFew refuses more exports than may run, of one key and of all, until clients
// have gone.
func TestExportsAreFew(t *testing.T) {
	t.Parallel()
	p := parts{Parts: api.Parts{Records: &endlessRecords{}}}
	for _, key := range []string{"a", "b", "c"} {
		p.cfg.Keys = append(p.cfg.Keys, api.Scoped(key, key, access.Read))
	}
	s := serve(t, p)
	refused := func(key string) bool {
		resp := s.startExport(t, key)
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode == 503 && resp.Header.Get("Retry-After") != "5" {
			t.Errorf("headers are %v", resp.Header)
		}
		return resp.StatusCode == 503
	}
	first, second := s.startExport(t, "a"), s.startExport(t, "b") //nolint:bodyclose // startExport does
	if first.StatusCode != 200 || second.StatusCode != 200 || !refused("a") || !refused("c") {
		t.Error("more exports run than may")
	}
	_ = first.Body.Close()
	programtest.Until(t, "the export of a client that has gone has ended", func() bool { return !refused("c") })
	if !refused("b") {
		t.Error("a key has two exports")
	}
}
