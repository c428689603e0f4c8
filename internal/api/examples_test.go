package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"orderprocessor/internal/order"
	"orderprocessor/internal/spectest"
)

// TestExamples sends every example of the specification and wants the answer
// that it shows.
func TestExamples(t *testing.T) {
	t.Parallel()
	examples := spectest.Load(t).Examples()
	if len(examples) < 8 {
		t.Errorf("the specification has %d examples", len(examples))
	}
	for _, e := range examples {
		name := e.Operation + " " + e.Name
		t.Run(name, func(t *testing.T) {
			b := open(t)
			switch {
			case e.Operation == "POST /orders/retry":
				b.reach(t, "order-1", order.StatusFailed)
			case strings.Contains(e.Path, "{id}"):
				b.ask(t, "POST", "/orders", `{"id":"order-1","amount":12.5,"items":["tea"],"customer":"ada@example.com","address":"1 Example Road"}`).object(t, 201)
			}
			path := strings.ReplaceAll(e.Path, "{id}", "order-1")
			a := b.ask(t, e.Method, path, string(e.Body), "Content-Type", e.MediaType)
			if got := a.header.Get("Content-Type"); a.code != e.Status || got != e.ResponseMediaType {
				t.Fatalf("answer is %d %s %s; want %d %s", a.code, got, a.body, e.Status, e.ResponseMediaType)
			}
			want, got := steady(t, e.ResponseMediaType, e.Response), steady(t, e.ResponseMediaType, a.body)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// steady decodes a body, with fixed values for what differs from run to run.
func steady(t *testing.T, media string, body []byte) []any {
	t.Helper()
	texts := []string{string(body)}
	if media == "application/x-ndjson" {
		texts = strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	}
	var values []any
	for _, text := range texts {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
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
