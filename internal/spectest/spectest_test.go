package spectest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"orderprocessor/internal/spectest"
)

const (
	submission = `{"id":"a","amount":12.5,"items":["tea"],"customer":"ada","address":"1 Example Road"}`
	order      = `{"id":"a","amount":12.5,"items":["tea"],"customer":"ada","address":"1 Example Road","priority":2,"status":"pending",` +
		`"queue":"default","created_at":"2026-11-23T12:00:00Z","attempts":[]}`
	problem = `{"type":"about:blank","title":"Not Found","status":404,"detail":"No.","instance":"/x","request_id":"r"}`
)

// recorder is a test that records its failures.
type recorder struct {
	testing.TB

	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// answer is a transport that gives one answer to everything.
type answer struct {
	status       int
	header, body string // the header as lines
}

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	header := http.Header{}
	for line := range strings.SplitSeq(a.header, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body))}, nil
}

// TestTransport changes one thing in a correct exchange, and wants a failure that names it.
func TestTransport(t *testing.T) {
	t.Parallel()
	const (
		post, get = "POST /orders", "GET /orders/a"
		asJSON    = "X-Request-Id: r\nContent-Type: application/json"
		asProblem = "X-Request-Id: r\nContent-Type: application/problem+json"
		location  = "\nLocation: /orders/a"
	)
	without := func(text, part string) string { return strings.Replace(text, part, "", 1) }
	instead := func(text, old, other string) string { return strings.Replace(text, old, other, 1) }
	for _, row := range []struct {
		name, request, body string
		answer              answer
		want                string // nothing if the exchange is correct
	}{
		{"accepted", post, submission, answer{201, asJSON + location, order}, ""},
		{"read", get, "", answer{200, asJSON, order}, ""},
		{"id like a path", "GET /orders/batch", "", answer{200, asJSON, order}, ""},
		{"lines", "POST /orders/batch", "[]", answer{200, instead(asJSON, "json", "x-ndjson"), `{"line":1,"status":201,"id":"a"}` + "\n"}, ""},
		{"invalid and refused", post, "{}", answer{400, asProblem, instead(problem, "404", "400")}, ""},
		{"unknown path", "GET /nothing", "", answer{404, asProblem, problem}, ""},
		{"monitoring", "GET /monitoring/x", "", answer{500, "A: b", "anything"}, ""},
		{"byte order mark", post, "\ufeff" + submission, answer{201, asJSON + location, order}, ""},
		{"optional body left out", "POST /orders/a/cancel", "", answer{200, asJSON, order}, ""},
		{"HEAD", "HEAD /orders/a", "", answer{500, "A: b", ""}, ""},
		{"compressed", get, "", answer{200, asJSON + "\nContent-Encoding: gzip", "\x1f"}, ""},

		{"undocumented field", get, "", answer{200, asJSON, instead(order, `"id"`, `"colour":"red","id"`)}, "colour"},
		{"undocumented status", post, submission, answer{202, asJSON, order}, "202"},
		{"undocumented header", get, "", answer{200, asJSON + "\nX-Debug: 1", order}, "X-Debug is not specified"},
		{"undocumented header of a problem", "GET /nothing", "", answer{404, asProblem + "\nX-Debug: 1", problem}, "X-Debug is not specified"},
		{"undocumented operation", "DELETE /orders/a", "", answer{200, asJSON, order}, "not in the specification"},
		{"wrong type", get, "", answer{200, asJSON, instead(order, "12.5", `"12.5"`)}, "got string"},
		{"wrong time", get, "", answer{200, asJSON, instead(order, "2026-11-23T12:00:00Z", "today")}, "date-time"},
		{"too many decimals", get, "", answer{200, asJSON, instead(order, "12.5", "12.5055")}, "multiple"},
		{"missing field", get, "", answer{200, asJSON, without(order, `"queue":"default",`)}, "queue"},
		{"missing header", post, submission, answer{201, asJSON, order}, "Location"},
		{"wrong header", post, submission, answer{201, asJSON + "\nLocation: /queues", order}, "location"},
		{"wrong media type", get, "", answer{200, instead(asJSON, "json", "xml"), order}, "xml"},
		{"repeated field", get, "", answer{200, asJSON, instead(order, `"id"`, `"id":"b","id"`)}, "duplicate"},
		{"not JSON", get, "", answer{200, asJSON, "a"}, "invalid character"},
		{"empty", get, "", answer{200, asJSON, ""}, "body"},
		{"second line", "POST /orders/batch", "[]", answer{200, instead(asJSON, "json", "x-ndjson"), `{"line":1,"status":201,"id":"a"}` + "\n{}"}, "line"},
		{"unknown path without a problem", "GET /nothing", "", answer{404, asJSON, "{}"}, "application/json"},
		{"invalid and accepted", post, instead(submission, "12.5", "-1"), answer{201, asJSON + location, order}, "the request is not valid"},
		{"unknown query", get + "?x=1", "", answer{200, asJSON, order}, "unknown or repeated"},
		{"repeated query", "GET /orders?limit=1&limit=2", "", answer{200, asJSON, `{"orders":[]}`}, "unknown or repeated"},
		{"customer of white space", post, instead(submission, "ada", "\u3000"), answer{201, asJSON + location, order}, "the request is not valid"},
		{"bad query", "GET /orders?limit=0", "", answer{200, asJSON, `{"orders":[]}`}, "limit"},
		{"bad id", "GET /orders/" + strings.Repeat("x", 200), "", answer{200, asJSON, order}, "maxLength"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			method, path, _ := strings.Cut(row.request, " ")
			req, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(row.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := spectest.Transport(r, row.answer).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil { // checks what is not read
				t.Error(err)
			}
			switch {
			case row.want == "" && len(r.failures) > 0:
				t.Errorf("reported: %s", r.failures)
			case row.want != "" && (len(r.failures) != 1 || !strings.Contains(r.failures[0], row.want)):
				t.Errorf("reported: %q, want %q", r.failures, row.want)
			}
		})
	}
}

// TestExamplesAreAnswered wants an answer for every example of a request.
func TestExamplesAreAnswered(t *testing.T) {
	t.Parallel()
	all := spectest.Load(t).Examples()
	for _, e := range all {
		if e.Status == 0 || len(e.Body) == 0 || len(e.Response) == 0 {
			t.Errorf("example %q of %s is not complete", e.Name, e.Operation)
		}
	}
	if len(all) == 0 {
		t.Error("there are no examples")
	}
}
