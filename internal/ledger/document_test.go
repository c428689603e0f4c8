package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// TestDocumentKeepsEveryField checks that a record returns the order as it was accepted,
// also one that an earlier version wrote: then the document was the order's JSON.
func TestDocumentKeepsEveryField(t *testing.T) {
	books := open(t)
	full := ordertest.Order(t, ordertest.Full)
	books.do(t, accept(full))
	read := func(name string, want order.Order) {
		t.Helper()
		if diff := cmp.Diff(want, books.get(t, "full").Order); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	read("the record", full)
	write := func(document string) {
		t.Helper()
		if err := books.rdb.HSet(t.Context(), ledgertest.RecordKey("full"), "d", document).Err(); err != nil {
			t.Fatal(err)
		}
	}
	earlier := order.Order{ID: "full", Content: order.Content{
		Amount: order.Cents(1250), Items: order.Names("tea", "cups"), Customer: "ada", Address: "1 Main Street\nLondon",
		Priority: order.PriorityLow, Notes: "earlier", ProcessAt: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC),
	}}
	write(`{"a":12.50,"i":["tea","cups"],"c":"ada","d":"1 Main Street\nLondon","p":3,"n":"earlier","t":"2026-01-02T03:04:05.678901Z"}`)
	read("a document as it is stored", earlier)
	write(`{"id":"full","amount":12.50,"items":["tea","cups"],"customer":"ada","address":"1 Main Street\nLondon",` +
		`"priority":3,"notes":"earlier","process_at":"2026-01-02T03:04:05.678901Z"}`)
	read("a document of the first version", earlier)
}

// TestDocumentKeepsText checks that names of items with all that JSON escapes come back.
func TestDocumentKeepsText(t *testing.T) {
	books := open(t)
	o := sample("o1")
	o.Items = order.Names(`say "hi"`, `back\slash`, "tab\there", "<b>&</b>", "é\u2028😀", `\u0041`)
	books.do(t, accept(o))
	if diff := cmp.Diff(o, books.get(t, "o1").Order); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}
}

// TestDocumentIsStable holds what an order of the first fields alone is stored as: earlier
// versions read it, and compare its fingerprint with that of a repeated order.
func TestDocumentIsStable(t *testing.T) {
	books := open(t)
	books.do(t, accept(sample("o1")))
	want := map[string]string{
		"d": `{"a":12.50,"i":["tea","cups"],"c":"ada@example.com","d":"12 Main Street\nLondon","p":2,"n":"ring twice"}`,
		"f": "66CVsOQD1GFdBD7ALgLanQ",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = books.rdb.HGet(t.Context(), ledgertest.RecordKey("o1"), name).Val()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}
