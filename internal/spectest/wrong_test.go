package spectest_test

import (
	"strings"
	"testing"
)

// mistake is an answer that is correct but for one thing.
type mistake struct {
	name, op, status string
	change           func(*answer)
	want             string
}

// edit replaces a text that must occur in the body.
func edit(from, to string) func(*answer) {
	return func(a *answer) {
		if !strings.Contains(a.body, from) {
			panic("the body does not contain " + from)
		}
		a.body = strings.Replace(a.body, from, to, 1)
	}
}

func say(body string) func(*answer) { return func(a *answer) { a.body = body } }

func drop(header string) func(*answer) { return func(a *answer) { delete(a.header, header) } }

func set(header, value string) func(*answer) { return func(a *answer) { a.header[header] = value } }

func mistakes() []mistake {
	const submit, get, batch = "POST /orders", "GET /orders/{id}", "POST /orders/batch"
	return []mistake{
		{"no challenge", get, "401", drop("Www-Authenticate"), "header Www-Authenticate is missing"},
		{"unknown challenge", get, "401", set("Www-Authenticate", "Digest"), "header Www-Authenticate"},
		{"limit without a reset", get, "429", set("RateLimit", `"default";r=1`), "header Ratelimit"},
		{"limit without a policy's window", "GET /stats", "200", set("RateLimit-Policy", `"default";q=1`), "header Ratelimit-Policy"},
		{"unknown member", submit, "201", edit(`"queue"`, `"colour":"red","queue"`), "'colour' not allowed"},
		{"missing member", submit, "201", edit(`"queue":"default",`, ``), "missing property 'queue'"},
		{"unknown word", get, "200", edit(`"completed"`, `"done"`), "at '/status'"},
		{"unknown queue", get, "200", edit(`"default"`, `"fast"`), "at '/queue'"},
		{"wrong type", get, "200", edit(`12.5`, `"12.5"`), "at '/amount'"},
		{"too precise", get, "200", edit(`12.5`, `12.505`), "multipleOf"},
		{"zero", get, "200", edit(`12.5`, `0`), "minimum"},
		{"above the maximum", get, "200", edit(`12.5`, `1000000000000`), "maximum"},
		{"huge number", get, "200", edit(`12.5`, `1e9999`), "too long"},
		{"huge number in a list", "GET /orders", "200", edit(`12.5`, `1e9999`), "too long"},
		{"null", get, "200", edit(`"ring twice"`, `null`), "at '/notes'"},
		{"empty list", get, "200", edit(`["tea"]`, `[]`), "minItems"},
		{"word longer than beside its $ref", get, "200", edit(`"tea"`, `"`+strings.Repeat("x", 201)+`"`), "maxLength"},
		{"control character", get, "200", edit(`"tea"`, `"a\nb"`), "does not match pattern"},
		{"id with a space", get, "200", edit(`order-1`, `order 1`), "does not match pattern"},
		{"no time", get, "200", edit(`2026-11-23T12:00:00.123456Z`, `yesterday`), "date-time"},
		{"no such day", get, "200", edit(`2026-11-23T12:00:00.123456Z`, `2026-02-30T12:00:00Z`), "date-time"},
		{"time without a zone", get, "200", edit(`00.123456Z`, `00`), "date-time"},
		{"wrong member of an attempt", get, "200", edit(`"number":1`, `"number":0`), "at '/attempts/0/number'"},
		{"wrong order in a list", "GET /orders", "200", edit(`"tea"`, `""`), "at '/orders/0/items/0'"},
		{"not JSON", get, "200", say(`order-1`), "not application/json"},
		{"repeated member", get, "200", edit(`"queue"`, `"id":"order-1","queue"`), "duplicate"},
		{"more than one value", get, "200", say(order + order), "not application/json"},
		{"not UTF-8", get, "200", edit(`ring twice`, "\xff"), "UTF-8"},
		{"empty", get, "200", say(""), "not application/json"},
		{"unknown member of a queue", "GET /queues", "200", edit(`"pending"`, `"colour":1,"pending"`), "at '/queues/0/colour'"},
		{"unknown member of a paused queue", "POST /queues/{name}/pause", "200", edit(`"name"`, `"colour":1,"name"`), "colour"},
		{"queue without a count", "GET /queues", "200", edit(`"active":0,`, ``), "missing property 'active'"},
		{"queue without a name", "GET /queues", "200", edit(`"name":"default",`, ``), "missing property 'name'"},
		{"unknown member of a queue's counts", "GET /stats", "200", edit(`"pending":1,"active"`, `"colour":1,"pending":1,"active"`), "colour"},
		{"counts of no queue", "GET /stats", "200", edit(`"low"`, `"fast"`), "propertyName 'fast'"},
		{"counts of no status", "GET /stats", "200", edit(`{"pending":1}`, `{"done":1}`), "propertyName 'done'"},
		{"unknown member deep inside", "GET /stats", "200", edit(`"p50":1`, `"p49":1,"p50":1`), "p49"},
		{"not whole", "GET /stats", "200", edit(`"uptime_seconds":9`, `"uptime_seconds":9.5`), "at '/uptime_seconds'"},
		{"line that is wrong", batch, "200", edit(`"line":3`, `"line":0`), "at '/1/line'"},
		{"line that is no JSON", batch, "200", edit(`{"line":3`, `"line":3`), "line 2"},
		{"line that is blank", batch, "200", edit("\n", "\n\n"), "line 2"},
		{"verdict with both", batch, "200", edit(`"line":3`, `"id":"a","line":3`), "oneOf"},
		{"verdict with neither", batch, "200", edit(`,"id":"order-3"`, ``), "oneOf"},
		{"lines as an array", batch, "200", say(`[{"line":1,"status":200,"id":"a"}]`), "at '/0'"},
		{"lines under another name", batch, "200", set("Content-Type", "text/plain"), "Content-Type"},
		{"an array of configuration", "GET /openapi.json", "200", say(`[]`), "got array, want object"},
		{"other media type", submit, "201", set("Content-Type", "text/plain"), "Content-Type is"},
		{"no media type", submit, "201", drop("Content-Type"), "Content-Type is"},
		{"no Location", submit, "201", drop("Location"), "Location is missing"},
		{"wrong Location", submit, "201", set("Location", "/queues/1"), "Location is \"/queues/1\""},
		{"no X-Request-Id", submit, "201", drop("X-Request-Id"), "X-Request-Id is missing"},
		{"no Idempotency-Replayed", submit, "200", drop("Idempotency-Replayed"), "Idempotency-Replayed is missing"},
		{"wrong Idempotency-Replayed", submit, "200", set("Idempotency-Replayed", "yes"), "Idempotency-Replayed is \"yes\""},
		{"no Retry-After", submit, "503", drop("Retry-After"), "Retry-After is missing"},
		{"no Retry-After for a reader", get, "503", drop("Retry-After"), "Retry-After is missing"},
		{"Retry-After at once", submit, "503", set("Retry-After", "0"), "Retry-After is \"0\""},
		{"Retry-After in words", submit, "503", set("Retry-After", "soon"), "Retry-After is \"soon\""},
		{"problem as JSON", submit, "400", set("Content-Type", "application/json"), "Content-Type is"},
		{"problem as text", submit, "default", set("Content-Type", "text/plain"), "Content-Type is"},
		{"problem without an id", submit, "400", edit(`,"request_id":"r1"`, ``), "missing property 'request_id'"},
		{"problem of no type", submit, "409", edit(`about:blank`, `tag:a`), "at '/type'"},
		{"problem with a good status", submit, "409", edit(`"status":409`, `"status":200`), "minimum"},
		{"problem of an unknown field code", submit, "400", edit(`"type"`, `"errors":[{"field":"a","code":"b","message":"c"}],"type"`), "code"},
		{"health as a problem", "GET /health", "503", set("Content-Type", "application/problem+json"), "Content-Type is"},
		{"another success", submit, "201", func(a *answer) { a.status = 202 }, "Content-Type is"},
		{"no content", submit, "201", func(a *answer) { *a = answer{status: 204} }, "Content-Type is"},
		{"redirection", get, "200", func(a *answer) { *a = answer{status: 301, header: map[string]string{"Location": "/"}} }, "Content-Type is"},
	}
}

// TestWrongAnswers reports each mistake once, with the reason.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range mistakes() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := correct(t, row.op, row.status)
			row.change(&a)
			q := questions()[row.op]
			told := exchange(t, q, a)
			wantReport(t, told, q, a.status, row.want)
			if row.name != "not UTF-8" { // a rune for each byte that is none
				wantShown(t, told, a.body)
			}
		})
	}
}

// TestUnknownOperations reports what the specification does not have.
func TestUnknownOperations(t *testing.T) {
	t.Parallel()
	ok := correct(t, "GET /orders/{id}", "200")
	plain := answer{status: 404, header: map[string]string{"Content-Type": "text/plain"}, body: "no"}
	rows := []struct {
		name, method, path string
		answer
		want string
	}{
		{"path", "GET", "/nothing", ok, "not in the specification"},
		{"path with a slash too many", "GET", "/orders/order-1/", ok, "not in the specification"},
		{"no id", "GET", "/orders//events", ok, "not in the specification"},
		{"other case", "GET", "/Orders/order-1", ok, "not in the specification"},
		{"almost monitoring", "GET", "/monitoringx", ok, "not in the specification"},
		{"method", "DELETE", "/orders/order-1", ok, "not in the specification"},
		{"unavailable", "GET", "/nothing", correct(t, "GET /stats", "503"), "not in the specification"},
		{"refused without a problem", "GET", "/nothing", plain, "Content-Type is"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			q := question{method: row.method, path: row.path}
			told := exchange(t, q, row.answer)
			wantReport(t, told, q, row.status, row.want)
			wantShown(t, told, row.body)
		})
	}
}
