package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestHostileTraces sends what is no trace, or too much of one, with traces on and
// off: the order is taken all the same, and the shop hears of nothing that was
// not checked.
func TestHostileTraces(t *testing.T) {
	t.Parallel()
	good := traceparent(parent(7)).Get("Traceparent")
	unsampled := good[:len(good)-1] + "0"
	rows := []struct {
		name   string
		header http.Header
		ours   bool // whether the trace is taken up
		state  string
	}{
		{"good", http.Header{"Traceparent": {good}, "Tracestate": {"a=1"}}, true, "a=1"},
		{"not sampled", http.Header{"Traceparent": {unsampled}}, true, ""},
		{"nothing", http.Header{}, false, ""},
		{"state alone", http.Header{"Tracestate": {"a=1"}}, false, ""},
		{"baggage", http.Header{"Baggage": {"user=jane"}}, false, ""},
		{"words", http.Header{"Traceparent": {"hello"}}, false, ""},
		{"zero trace", http.Header{"Traceparent": {"00-" + strings.Repeat("0", 32) + "-0200070000000000-01"}}, false, ""},
		{"zero span", http.Header{"Traceparent": {good[:36] + strings.Repeat("0", 16) + "-01"}}, false, ""},
		{"upper case", http.Header{"Traceparent": {strings.ToUpper("00-abcdef" + good[9:])}}, false, ""},
		{"version ff", http.Header{"Traceparent": {"ff" + good[2:]}}, false, ""},
		{"long", http.Header{"Traceparent": {good + strings.Repeat("0", 4000)}}, false, ""},
		{"control characters", http.Header{"Traceparent": {good + "\t\t-"}}, false, ""},
		{"two", http.Header{"Traceparent": {good, good}}, false, ""},
		{"malformed state", http.Header{"Traceparent": {good}, "Tracestate": {"=,=;"}}, true, ""},
		{"long state", http.Header{"Traceparent": {good}, "Tracestate": {"a=" + strings.Repeat("x", 250) + ",b=" + strings.Repeat("x", 250) + ",c=1234567"}}, true, ""},
	}
	for _, on := range []bool{true, false} {
		tr := startTraced(t, on)
		for i, row := range rows {
			t.Run(fmt.Sprintf("%s, traces %v", row.name, on), func(t *testing.T) {
				t.Parallel()
				id := fmt.Sprint("h-", i)
				body := strings.Replace(strings.Replace(order, "ord_1", id, 1), "tea", "204", 1)
				if code := send(t, http.MethodPost, tr.url+"/orders", body, row.header); code != 201 {
					t.Fatalf("answered %d", code)
				}
				tr.settled(t, id)
				h := tr.shop.headers(id)[0]
				told := h.Get("Traceparent")
				if strings.Contains(told, parent(7).TraceID().String()) != row.ours || !on && !row.ours && told != "" {
					t.Errorf("the shop is told of %q", told)
				}
				if !on && row.ours && told != row.header.Get("Traceparent") {
					t.Errorf("the client's %q has become %q", row.header.Get("Traceparent"), told)
				}
				if h.Get("Tracestate") != row.state || h.Get("Baggage") != "" {
					t.Errorf("state is %q, baggage %q", h.Get("Tracestate"), h.Get("Baggage"))
				}
				if row.name == "not sampled" && !strings.HasSuffix(told, "-00") {
					t.Errorf("what the client did not sample is sampled: %q", told)
				}
			})
		}
		if !on && len(tr.spans.GetSpans()) > 0 {
			t.Error("there are spans although traces are off")
		}
	}
}
