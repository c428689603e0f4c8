package cli_test

import (
	"strings"
	"testing"
)

// TestForeignTextOnTerminals shows by its number what would mislead, whatever the API
// answers.
func TestForeignTextOnTerminals(t *testing.T) {
	t.Parallel()
	const misleading = "x\u202ey\u2066z\u2028\u009b"
	const text = `{"id":"a","amount":1,"items":["` + misleading + `"],"customer":"` + misleading + `","address":"` + misleading + `",
		"notes":"` + misleading + `","priority":1,"status":"failed","queue":"critical","error":"` + misleading + `",
		"created_at":"2026-01-02T03:04:05.000000Z","attempts":[{"number":1,"worker_id":"w",
		"started_at":"2026-01-02T03:04:05.000000Z","error":"` + misleading + `","note":"` + misleading + `"}]}`
	refusal := `{"title":"` + misleading + `","detail":"` + misleading + `","status":409}`
	stream := newEventsAPI(t, openStream("event: order\ndata: {\"order_id\":\""+misleading+"\"}\n\n"))
	events := []string{"events", "--count", "1", "--api", stream.URL, "-o"}
	for name, c := range map[string]*command{
		"get":           orderctl(t, "get", "a", "--api", answering(t, 200, text)),
		"get as JSON":   orderctl(t, "get", "a", "-o", "json", "--api", answering(t, 200, text)),
		"list":          orderctl(t, "list", "--api", answering(t, 200, `{"orders":[`+text+`]}`)),
		"failures":      orderctl(t, "failures", "--api", answering(t, 200, `{"groups":[{"error":"`+misleading+`","queue":"`+misleading+`","note":"`+misleading+`","example_ids":["`+misleading+`"]}]}`)),
		"export":        orderctl(t, "export", "--api", newFakeAPI(t, routes{"GET /orders/export": {ndjson(strings.ReplaceAll(text, "\n", ""), text)}}).URL),
		"list as JSON":  orderctl(t, "list", "-o", "json", "--api", answering(t, 200, `{"orders":[`+text+`]}`)),
		"refused":       orderctl(t, "get", "a", "--api", answering(t, 409, refusal)),
		"not cancelled": orderctl(t, "cancel", "a", "--api", answering(t, 409, refusal)),
		"usage":         orderctl(t, "get", misleading),
		"cancelled":     orderctl(t, "cancel", "a", "--api", answering(t, 200, `{"id":"a","status":"`+misleading+`"}`)),
		"not retried":   orderctl(t, "retry", "a", "-o", "json", "--api", answering(t, 409, refusal)),
		"queues":        orderctl(t, "queues", "--api", answering(t, 200, `{"queues":[{"name":"`+misleading+`"}]}`)),
		"workers":       orderctl(t, "workers", "--api", answering(t, 200, `{"workers":[{"id":"`+misleading+`","version":"`+misleading+`","orders":[{"id":"`+misleading+`"}]}]}`)),
		"corrupt":       orderctl(t, "queues", "corrupt", "--api", answering(t, 200, `{"queue":"low","tasks":[{"order_id":"`+misleading+`"}]}`)),
		"events":        orderctl(t, append(events, "table")...),
		"events, JSON":  orderctl(t, append(events, "json")...),
	} {
		shown := c.stdout.String() + c.stderr.String()
		if strings.ContainsAny(shown, "\u202e\u2066\u2028\u009b") {
			t.Errorf("%s shows it as it is: %+q", name, shown)
		}
		if !strings.Contains(shown, `\u202e`) {
			t.Errorf("%s does not show it: %s", name, shown)
		}
	}
}
