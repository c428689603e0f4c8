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

// preparations make a server ready for the examples of the specification, by
// operation and name.
func preparations() map[string]func(t *testing.T, b *bundle) {
	nothing := func(*testing.T, *bundle) {}
	submitted := func(t *testing.T, b *bundle) {
		t.Helper()
		least := `{"id":"order-1","amount":12.5,"items":["tea"],"customer":"ada@example.com","address":"1 Example Road"}`
		b.ask(t, "POST", "/orders", least).object(t, 201)
	}
	failed := func(t *testing.T, b *bundle) {
		t.Helper()
		b.reach(t, "order-1", order.StatusFailed)
	}
	return map[string]func(t *testing.T, b *bundle){
		"POST /orders least":              nothing,
		"POST /orders all":                nothing,
		"POST /orders invalid":            nothing,
		"POST /orders/batch lines":        nothing,
		"POST /orders/batch array":        nothing,
		"POST /orders/retry dry":          failed,
		"POST /orders/retry done":         failed,
		"POST /orders/{id}/cancel reason": submitted,
	}
}

// TestExamples sends every example of the specification and wants the answer
// that it shows.
func TestExamples(t *testing.T) {
	t.Parallel()
	known := preparations()
	for _, e := range spectest.Load(t).Examples() {
		name := e.Operation + " " + e.Name
		prepare := known[name]
		delete(known, name)
		t.Run(name, func(t *testing.T) {
			if prepare == nil {
				t.Fatal("nothing is known that prepares a server for this example")
			}
			b := open(t)
			prepare(t, b)
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
	for name := range known {
		t.Errorf("the specification has no example %s", name)
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
