package api_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"orderprocessor/internal/api"
	"orderprocessor/internal/spectest"
)

// TestRoutes compares the routes with those of the specification.
func TestRoutes(t *testing.T) {
	t.Parallel()
	var got []string
	for _, route := range serve(t, parts{}).server.Routes() {
		method, path, _ := strings.Cut(route, " ")
		unspecified := strings.HasPrefix(path, "/monitoring") || strings.HasPrefix(path, "/docs/") || strings.HasPrefix(path, "/page/")
		if method != "HEAD" && !unspecified {
			got = append(got, route)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(spectest.Load(t).Operations(), got); diff != "" {
		t.Error(diff)
	}
}

// request is an ordinary request to one operation.
type request struct{ operation, path, body, scope string }

func (r request) method() string {
	method, _, _ := strings.Cut(r.operation, " ")
	return method
}

// noRules is the version of a set without rules.
const noRules = "da506c8a9c8a"

// requests has one request for each operation of orders and queues, with the scope that
// the operation needs.
func requests() []request {
	return []request{
		{"POST /orders", "/orders", body(), "submit"},
		{"GET /orders", "/orders", "", "read"},
		{"POST /orders/batch", "/orders/batch", "[" + body() + "]", "submit"},
		{"POST /orders/retry", "/orders/retry", `{"status":"failed"}`, "admin"},
		{"GET /orders/export", "/orders/export", "", "read"},
		{"GET /failures", "/failures", "", "read"},
		{"GET /orders/{id}", "/orders/ord_1", "", "read"},
		{"GET /orders/{id}/events", "/orders/ord_1/events", "", "read"},
		{"POST /orders/{id}/cancel", "/orders/ord_1/cancel", `{"reason":"ordered twice"}`, "submit"},
		{"POST /orders/{id}/retry", "/orders/ord_1/retry", "", "admin"},
		{"POST /orders/{id}/release", "/orders/ord_1/release", `{"reason":"looks good"}`, "admin"},
		{"POST /orders/{id}/reject", "/orders/ord_1/reject", `{"reason":"looks odd"}`, "admin"},
		{"GET /orders/{id}/decision", "/orders/ord_1/decision", "", "read"},
		{"GET /rules", "/rules", "", "read"},
		{"POST /rules", "/rules", `{"rules":[]}`, "admin"},
		{"DELETE /rules/shadow", "/rules/shadow", "", "admin"},
		{"GET /rules/{version}", "/rules/" + noRules, "", "read"},
		{"POST /rules/{version}/simulate", "/rules/" + noRules + "/simulate", "{}", "admin"},
		{"POST /rules/{version}/shadow", "/rules/" + noRules + "/shadow", "", "admin"},
		{"POST /rules/{version}/activate", "/rules/" + noRules + "/activate", "", "admin"},
		{"GET /queues", "/queues", "", "read"},
		{"GET /queues/{name}/corrupt", "/queues/low/corrupt", "", "read"},
		{"POST /queues/{name}/pause", "/queues/low/pause", "", "admin"},
		{"POST /queues/{name}/resume", "/queues/low/resume", "", "admin"},
		{"POST /jobs", "/jobs", `{"action":"retry","filter":{}}`, "admin"},
		{"GET /jobs", "/jobs", "", "read"},
		{"GET /jobs/{id}", "/jobs/job-1", "", "read"},
		{"POST /jobs/{id}/pause", "/jobs/job-1/pause", "", "admin"},
		{"POST /jobs/{id}/resume", "/jobs/job-1/resume", "", "admin"},
		{"POST /jobs/{id}/stop", "/jobs/job-1/stop", "", "admin"},
		{"POST /customers/erase", "/customers/erase", `{"customer":"ada@example.com"}`, "admin"},
		{"GET /audit", "/audit", "", "read"},
		{"GET /stats", "/stats", "", "read"},
		{"GET /stats/history", "/stats/history", "", "read"},
		{"GET /workers", "/workers", "", "read"},
	}
}

// TestRequests checks that the list is complete, for the tests of every operation use it.
func TestRequests(t *testing.T) {
	t.Parallel()
	all := []string{"GET /", "GET /docs", "GET /events", "GET /health", "GET /openapi.json", "GET /openapi.yaml"}
	for _, r := range requests() {
		all = append(all, r.operation)
	}
	slices.Sort(all)
	if diff := cmp.Diff(spectest.Load(t).Operations(), all); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownQuery refuses a query on paths of orders and queues that have no parameters,
// and does nothing. Other paths ignore it, for programs that add one unasked.
func TestUnknownQuery(t *testing.T) {
	b := open(t)
	for _, r := range requests() {
		if slices.Contains([]string{"GET /orders", "GET /orders/export", "GET /failures", "GET /stats"}, r.operation) {
			continue // they have parameters; see TestListRefuses
		}
		b.checkRefused(t, r.method(), r.path+"?force=%31&colour", r.body, "colour unknown_field", "force unknown_field")
		b.checkRefused(t, r.method(), r.path+"?a=%zz", r.body, "query invalid")
	}
	b.checkEmpty(t)
	for path, code := range map[string]int{
		"/stats": 200, "/health": 503, "/openapi.yaml": 200, "/openapi.json": 200, "/docs": 200,
	} {
		if a := b.ask(t, "GET", path+"?colour=red", ""); a.code != code {
			t.Errorf("%s with a query is answered %d %.200s", path, a.code, a.body)
		}
	}
}

// TestSpecification serves the document as it is, and the same as JSON.
func TestSpecification(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	file, err := os.ReadFile("openapi.yaml")
	must(t, err)
	asYAML := s.ask(t, "GET", "/openapi.yaml", "")
	if asYAML.code != 200 || asYAML.header.Get("Content-Type") != "application/yaml" || string(file) != string(asYAML.body) ||
		string(file) != string(api.Specification()) {
		t.Errorf("answered %d, %v, or with another document", asYAML.code, asYAML.header)
	}
	var want any
	must(t, yaml.Unmarshal(file, &want))
	text, err := json.Marshal(want)
	must(t, err)
	asJSON := s.ask(t, "GET", "/openapi.json", "")
	if got := asJSON.header.Get("Content-Type"); got != jsonMedia {
		t.Errorf("Content-Type is %q", got)
	}
	must(t, json.Unmarshal(text, &want)) // with the types that JSON has
	if diff := cmp.Diff(want, decode[any](t, asJSON, 200)); diff != "" {
		t.Error(diff)
	}
}
