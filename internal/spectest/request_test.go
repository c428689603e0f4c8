package spectest_test

import (
	"maps"
	"strings"
	"testing"
)

// misuse is a request that is valid but for one thing.
type misuse struct {
	name, op string
	change   func(*question)
	want     string
}

func body(from, to string) func(*question) {
	return func(q *question) {
		if !strings.Contains(q.body, from) {
			panic("the body does not contain " + from)
		}
		q.body = strings.Replace(q.body, from, to, 1)
	}
}

func at(path string) func(*question) { return func(q *question) { q.path = path } }

func with(name, value string) func(*question) { return func(q *question) { q.header[name] = value } }

func without(name string) func(*question) { return func(q *question) { delete(q.header, name) } }

func misuses() []misuse {
	const submit, list, batch, cancel = "POST /orders", "GET /orders", "POST /orders/batch", "POST /orders/{id}/cancel"
	long := strings.Repeat("x", 501)
	return []misuse{
		{"missing field", submit, body(`"amount":12.5,`, ``), "missing property 'amount'"},
		{"unknown field", submit, body(`"amount"`, `"colour":"red","amount"`), "colour"},
		{"repeated field", submit, body(`"amount"`, `"id":"a","amount"`), "duplicate"},
		{"null", submit, body(`"tea"`, `null`), "got null"},
		{"bad amount", submit, body(`12.5`, `12.505`), "multipleOf"},
		{"empty address", submit, body(`1 Example Road`, ``), "minLength"},
		{"status other than pending", submit, body(`"amount"`, `"status":"failed","amount"`), "at '/status'"},
		{"bad time", submit, body(`"amount"`, `"process_at":"tomorrow","amount"`), "date-time"},
		{"customer too long", submit, body(`ada@example.com`, long), "maxLength"},
		{"no JSON", submit, body(`{`, ``), "not application/json"},
		{"no body", submit, func(q *question) { q.body = "" }, "body is missing"},
		{"no media type", submit, without("Content-Type"), "Content-Type is"},
		{"other media type", submit, with("Content-Type", "text/json"), "Content-Type is"},
		{"compressed", submit, with("Content-Encoding", "gzip"), "compressed"},
		{"empty key", submit, with("Idempotency-Key", ""), "Idempotency-Key"},
		{"long key", submit, with("Idempotency-Key", strings.Repeat("k", 513)), "maxLength"},
		{"key with a space", submit, with("Idempotency-Key", "a b"), "pattern"},
		{"query where there is none", submit, at("/orders?dry_run=true"), "unknown"},
		{"query of a queue", "POST /queues/{name}/pause", at("/queues/low/pause?now=1"), "unknown"},
		{"unknown status", list, at("/orders?status=done"), "query parameter status"},
		{"limit of 0", list, at("/orders?limit=0"), "minimum"},
		{"limit too high", list, at("/orders?limit=201"), "maximum"},
		{"limit in words", list, at("/orders?limit=ten"), "want integer"},
		{"no limit", list, at("/orders?limit="), "want integer"},
		{"empty customer", list, at("/orders?customer="), "minLength"},
		{"time without a zone", list, at("/orders?created_from=2026-11-23T12:00:00"), "date-time"},
		{"cursor of other letters", list, at("/orders?cursor=a%2Bb"), "pattern"},
		{"unknown query", list, at("/orders?page=2"), "unknown"},
		{"repeated query", list, at("/orders?limit=1&limit=2"), "repeated"},
		{"long id", "GET /orders/{id}", at("/orders/" + strings.Repeat("x", 65)), "path parameter id"},
		{"id with a slash", "GET /orders/{id}", at("/orders/a%2Fb"), "path parameter id"},
		{"unknown queue", "POST /queues/{name}/pause", at("/queues/fast/pause"), "path parameter name"},
		{"reason too long", cancel, body(`ordered twice`, long), "maxLength"},
		{"optional body without a media type", cancel, without("Content-Type"), "Content-Type is"},
		{"retry of too many", "POST /orders/retry", body(`"failed"`, `"failed","limit":1001`), "maximum"},
		{"retry of no status", "POST /orders/retry", body(`"failed"`, `"pending"`), "at '/status'"},
		{"batch of another media type", batch, with("Content-Type", "text/plain"), "Content-Type is"},
		{"empty batch", batch, func(q *question) { q.body = "" }, "body is missing"},
		{"bad key of a batch", batch, with("Idempotency-Key", "a b"), "pattern"},
	}
}

func (m misuse) question() question {
	q := questions()[m.op]
	q.header = maps.Clone(q.header)
	m.change(&q)
	return q
}

// TestInvalidRequests reports each that is taken all the same, and those that
// are answered as if the server had failed.
func TestInvalidRequests(t *testing.T) {
	t.Parallel()
	for _, row := range misuses() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			q := row.question()
			for _, code := range statuses(t)[row.op] {
				a := correct(t, row.op, code)
				if a.status < 300 {
					wantReport(t, exchange(t, q, a), q, a.status, row.want)
				} else {
					wantNone(t, exchange(t, q, a))
				}
			}
			a := correct(t, row.op, "500")
			told := exchange(t, q, a)
			wantReport(t, told, q, 500, "the request is not valid")
			wantShown(t, told, q.body)
		})
	}
}

// TestRequestsThatAreTaken are valid in ways of their own, or not judged.
func TestRequestsThatAreTaken(t *testing.T) {
	t.Parallel()
	rows := []misuse{
		{name: "key with spaces around it", op: "POST /orders", change: with("Idempotency-Key", " k ")},
		{name: "media type in capitals", op: "POST /orders", change: with("Content-Type", "Application/JSON")},
		{name: "named plain", op: "POST /orders", change: with("Content-Encoding", "identity")},
		{name: "amount that is not worked out", op: "POST /orders", change: body(`12.5`, `1e-99999`)},
		{name: "no reason", op: "POST /orders/{id}/cancel", change: func(q *question) { q.body, q.header = "", nil }},
		{name: "bad line", op: "POST /orders/batch", change: body(`{`, `[`)},
		{name: "body of which nothing is said", op: "POST /orders/{id}/retry", change: func(q *question) { q.body = "x" }},
		{name: "query of which nothing is said", op: "GET /stats", change: at("/stats?x=1&x=2")},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, code := range []string{"200", "201", "202"} {
				if a, ok := successes()[row.op+" "+code]; ok {
					wantNone(t, exchange(t, row.question(), a))
				}
			}
		})
	}
}
