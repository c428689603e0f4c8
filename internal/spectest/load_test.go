package spectest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/spectest"
)

// TestOperations lists every operation once, sorted.
func TestOperations(t *testing.T) {
	t.Parallel()
	got := spectest.Load(t).Operations()
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("operations are %q", got)
	}
	want := []string{"GET /openapi.yaml", "GET /orders/{id}", "POST /orders", "POST /queues/{name}/pause"}
	for _, op := range want {
		if !slices.Contains(got, op) {
			t.Errorf("%s is not among %q", op, got)
		}
	}
}

// TestExamples lists examples in each of their forms.
func TestExamples(t *testing.T) {
	t.Parallel()
	all := spectest.Load(t).Examples()
	byName := map[string]spectest.Example{}
	for _, e := range all {
		byName[e.Operation+" "+e.Name] = e
		if e.Operation != e.Method+" "+e.Path || e.Status == 0 || len(e.Body) == 0 || len(e.Response) == 0 {
			t.Errorf("example %+v is not complete", e)
		}
	}
	if len(byName) != len(all) {
		t.Errorf("of %d examples, %d have a name of their own", len(all), len(byName))
	}
	bad := byName["POST /orders invalid"]
	if bad.Status != 400 || bad.ResponseMediaType != "application/problem+json" || !json.Valid(bad.Body) || !json.Valid(bad.Response) {
		t.Errorf("the example of a bad order is %+v", bad)
	}
	batch := byName["POST /orders/batch lines"]
	if batch.MediaType != "application/x-ndjson" || batch.ResponseMediaType != batch.MediaType ||
		strings.Count(string(batch.Body), "\n") != 2 || !strings.HasPrefix(string(batch.Body), `{"id": "order-3"`) {
		t.Errorf("the example of lines is %+v", batch)
	}
	var array []any
	if err := json.Unmarshal(byName["POST /orders/batch array"].Body, &array); err != nil || len(array) != 1 {
		t.Errorf("the example of an array is %v, %v", array, err)
	}
	all[0] = spectest.Example{}
	if diff := cmp.Diff(spectest.Example{}, spectest.Load(t).Examples()[0]); diff == "" {
		t.Error("the list of examples is shared")
	}
}

// parse reads the specification after some edits, each a text and what takes its
// place.
func parse(t *testing.T, edits ...string) (*spectest.Spec, error) {
	t.Helper()
	original, err := spectest.Document()
	if err != nil {
		t.Fatal(err)
	}
	text := string(original)
	for i := 0; i+1 < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("the specification does not contain %q", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	return spectest.Parse([]byte(text))
}

// TestParseRefuses breaks the specification in one place at a time.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, from, to, want string }{
		{"no YAML", "openapi:", "\t:", "yaml"},
		{"no version", "openapi: 3.1.0", "openapi: true", "openapi"},
		{"unknown keyword", "operationId: getStats", "operation: getStats", "operation"},
		{"repeated operation", "operationId: getStats", "operationId: getHealth", "getHealth"},
		{"broken reference", "#/components/schemas/OrderList", "#/components/schemas/List", "List"},
		{"broken pattern", `"^[A-Za-z0-9_-]+$"`, `"^[A-Za-z0-9_-+$"`, "error parsing regexp"},
		{"request without an answer", "dry:\n                summary", "wet:\n                summary", `example "wet"`},
		{"example that should be valid", "id: order-1, amount: 12.5", "id: order-1, amount: 0", `example "least"`},
		{"example that should not", `{ id: "order 1", amount: 0, items: [], customer: ada@example.com, address: 1 Example Road, colour: red }`, `{ amount: 1, items: [a], customer: ada, address: b }`, `example "invalid" is valid`},
		{"answer of an example", `{ count: 1, retried: 1, dry_run: false }`, `{ count: 1 }`, `example "done"`},
		{"verdict of an example", `{"line":2,"status":400,`, `{"line":2,"status":999,`, `example "lines"`},
		{"two answers to one request", "                invalid:\n                  value:", "                least:\n                  value:", "2 answers"},
		{"schema of an example", "examples: [order-1]", "examples: [order 1]", "schema OrderId"},
		{"cookie", "name: status\n          in: query", "name: status\n          in: cookie", "cookies are not understood"},
		{"parameter of another type", "type: integer, minimum: 1, maximum: 200", "type: number", "only strings and integers"},
		{"range of statuses", `"409":`, `"4XX":`, "not one status"},
		{"no common problem", "  responses:\n    Problem:", "  responses:\n    Trouble:", "Problem"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, row.from, row.to)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("the error is %v, want %q in it", err, row.want)
			}
		})
	}
}

// TestParseRefusesAnswersWithoutStatus wants to know the status of an example.
func TestParseRefusesAnswersWithoutStatus(t *testing.T) {
	t.Parallel()
	_, err := parse(t, `        "400":`, `        default:`, `        default: { $ref: "#/components/responses/Problem" }`+"\n", "")
	if err == nil || !strings.Contains(err.Error(), "have its name") {
		t.Errorf("the error is %v", err)
	}
}
