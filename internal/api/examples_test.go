package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/spectest"
)

// TestExamples sends every example of the specification and compares the answer with the
// one that it shows.
func TestExamples(t *testing.T) {
	t.Parallel()
	examples := spectest.Load(t).Examples()
	if len(examples) < 8 {
		t.Errorf("the specification has %d examples", len(examples))
	}
	for _, e := range examples {
		t.Run(e.Operation+" "+e.Name, func(t *testing.T) {
			b := open(t)
			switch {
			case e.Operation == "POST /orders/retry":
				b.reach(t, "order-1", order.StatusFailed)
			case strings.Contains(e.Path, "{id}"):
				b.ask(t, "POST", "/orders", `{"id":"order-1","amount":12.5,"items":["tea"],"customer":"ada@example.com","address":"1 Example Road"}`).object(t, 201)
			}
			a := b.ask(t, e.Method, strings.ReplaceAll(e.Path, "{id}", "order-1"), string(e.Body), "Content-Type", e.MediaType)
			if got := a.header.Get("Content-Type"); a.code != e.Status || got != e.ResponseMediaType {
				t.Fatalf("answered %d %s %s; want %d %s", a.code, got, a.body, e.Status, e.ResponseMediaType)
			}
			if diff := cmp.Diff(steady(t, e.Response), steady(t, a.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// steady decodes the values of a body, with fixed values for what differs from run to run.
func steady(t *testing.T, body []byte) (values []any) {
	t.Helper()
	for d := json.NewDecoder(bytes.NewReader(body)); d.More(); {
		var v any
		must(t, d.Decode(&v))
		fix(v)
		values = append(values, v)
	}
	return values
}

func fix(value any) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			fix(element)
		}
	case map[string]any:
		for name, member := range v {
			switch name {
			case "created_at", "processed_at", "request_id", "next_cursor":
				v[name] = "differs"
			case "id":
				if text, _ := member.(string); uuid.Validate(text) == nil {
					v[name] = "made by the server"
				}
			}
			fix(member)
		}
	}
}
