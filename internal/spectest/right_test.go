package spectest_test

import (
	"net/http"
	"testing"
)

// TestCorrectAnswers reports nothing of a correct answer of any status to any
// operation.
func TestCorrectAnswers(t *testing.T) {
	t.Parallel()
	asked := questions()
	for op, codes := range statuses(t) {
		q, ok := asked[op]
		if !ok {
			t.Errorf("no request of %s is known", op)
			continue
		}
		for _, code := range codes {
			t.Run(op+" "+code, func(t *testing.T) {
				t.Parallel()
				wantNone(t, exchange(t, q, correct(t, op, code)))
			})
		}
	}
}

// TestOtherCorrectAnswers are right in ways of their own.
func TestOtherCorrectAnswers(t *testing.T) {
	t.Parallel()
	notFound := correct(t, "GET /orders/{id}", "404")
	anything := answer{status: 500, header: map[string]string{"Content-Type": "text/plain"}, body: "anything"}
	batch := correct(t, "POST /orders/batch", "200")
	array, empty := batch, batch
	array.header = map[string]string{"Content-Type": "application/json", "X-Request-Id": "r1", "Retry-After": "2"}
	array.body = `[{"line":1,"status":200,"id":"a"}]`
	empty.body = ""
	gzipped := correct(t, "GET /stats", "200")
	gzipped.header["Content-Encoding"], gzipped.body = "gzip", "\x1f\x8b"
	rows := []struct {
		name string
		question
		answer
	}{
		{"unknown path", question{method: "GET", path: "/nothing"}, notFound},
		{"unknown path below an order", question{method: "GET", path: "/orders/a/b/c"}, notFound},
		{"unknown method", question{method: "DELETE", path: "/orders"}, correct(t, "GET /stats", "405")},
		{"unknown path, from another site", question{method: "POST", path: "/nothing"}, correct(t, "GET /stats", "403")},
		{"unknown path, header too large", question{method: "GET", path: "/nothing"}, correct(t, "GET /stats", "431")},
		{"order with the name of a path", question{method: "GET", path: "/orders/batch"}, correct(t, "GET /orders/{id}", "200")},
		{"escaped path", question{method: "GET", path: "/%6frders/order%2D1"}, correct(t, "GET /orders/{id}", "200")},
		{"monitoring", question{method: "POST", path: "/monitoring/api/queues"}, anything},
		{"monitoring itself", question{method: "GET", path: "/monitoring"}, anything},
		{"an asset of the pages", question{method: "GET", path: "/docs/swagger-ui.css"}, anything},
		{"HEAD", question{method: "HEAD", path: "/orders/a"}, anything},
		{"OPTIONS", question{method: "OPTIONS", path: "/orders"}, anything},
		{"array of verdicts", questions()["POST /orders/batch"], array},
		{"no verdicts", questions()["POST /orders/batch"], empty},
		{"compressed answer", question{method: "GET", path: "/stats"}, gzipped},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if row.method == http.MethodHead {
				row.answer.body = ""
			}
			wantNone(t, exchange(t, row.question, row.answer))
		})
	}
}
