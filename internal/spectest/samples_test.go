package spectest_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"orderprocessor/internal/spectest"
)

const (
	submission = `{"id":"order-1","amount":12.5,"items":["tea"],"customer":"ada@example.com","address":"1 Example Road"}`
	order      = `{"id":"order-1","amount":12.5,"items":["tea"],"customer":"ada@example.com","address":"1 Example Road",` +
		`"priority":2,"status":"completed","queue":"default","handling":"standard","notes":"ring twice",` +
		`"created_at":"2026-11-23T12:00:00.123456Z","processed_at":"2026-11-23T13:00:01+01:00","processing_time_ms":7,` +
		`"worker_id":"w1","success":true,"result":"Order processing completed",` +
		`"attempts":[{"number":1,"worker_id":"w1","started_at":"2026-11-23T12:00:00Z","ended_at":"2026-11-23T12:00:01Z"}]}`
	event  = `{"id":"e1","sequence":1,"status":"pending","time":"2026-11-23T12:00:00Z"}`
	counts = `"pending":1,"active":0,"scheduled":0,"retry":0,"archived":0,"paused":false,"oldest_pending_seconds":0.5`
	queue  = `{"name":"default",` + counts + `}`
	stats  = `{"total_processed":3,"success_count":1,"error_count":2,"average_process_time_ms":1.5,"active_workers":4,"workers":1,` +
		`"queue_length":0,"uptime_seconds":9,"throughput_per_second":0.1,"by_status":{"pending":1},` +
		`"queues":{"low":{` + counts + `}},"latency_ms":{"queue_wait":{"p50":1,"p95":2,"p99":3},` +
		`"processing":{"p50":1,"p95":2,"p99":3},"end_to_end":{"p50":1,"p95":2,"p99":3}},` +
		`"ledger":{"accepted":1,"attempts":1,"requeued":0,"retried":0,"repairs":{"missing_task":0,"orphan":1,"poison_order":0,"corrupt_task":0,"stale_task":0,"reindexed":0},"drift":-1},` +
		`"redis":{"memory_used_bytes":1000000,"memory_limit_bytes":0}}`
	health = `{"status":"healthy","timestamp":1795435200,"pool":{"healthy":true,"queue_length":0,"workers":4}}`
	report = `{"count":1,"retried":0,"dry_run":true,"next_cursor":"b2s"}`
	lines  = `{"line":1,"status":201,"id":"order-3"}` + "\n" + `{"line":3,"status":503,"problem":` + problemText + "}\n"

	problemText = `{"type":"about:blank","title":"Not right","status":400,"detail":"It is wrong.","instance":"/","request_id":"r1"}`
)

// questions are valid requests, by operation.
func questions() map[string]question {
	asJSON := map[string]string{"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": "k-1"}
	asLines := map[string]string{"Content-Type": "application/x-ndjson"}
	all := map[string]question{
		"POST /orders":             {body: submission, header: asJSON},
		"POST /orders/batch":       {body: submission + "\n", header: asLines},
		"POST /orders/retry":       {body: `{"status":"failed"}`, header: asJSON},
		"POST /orders/{id}/cancel": {body: `{"reason":"ordered twice"}`, header: asJSON},
		"GET /orders": {path: "/orders?status=failed&customer=ada&created_from=2026-11-23T12:00:00Z" +
			"&created_to=2026-11-23T13:00:00%2B01:00&limit=200&cursor=b2s"},
	}
	for _, op := range []string{
		"GET /orders/{id}", "GET /orders/{id}/events", "POST /orders/{id}/retry", "GET /queues",
		"GET /queues/{name}/damaged", "POST /queues/{name}/pause", "POST /queues/{name}/resume", "GET /stats", "GET /health", "GET /openapi.yaml",
		"GET /openapi.json", "GET /docs", "GET /events", "GET /",
	} {
		all[op] = question{}
	}
	for op, q := range all {
		method, path, _ := strings.Cut(op, " ")
		q.method = method
		if q.path == "" {
			q.path = strings.NewReplacer("{id}", "order-1", "{name}", "default").Replace(path)
		}
		all[op] = q
	}
	return all
}

// successes are correct answers, by operation and status, with the media type
// where there are several.
func successes() map[string]answer {
	text := func(media, body string) answer {
		return answer{header: map[string]string{"Content-Type": media, "X-Request-Id": "r1"}, body: body}
	}
	all := map[string]answer{
		"POST /orders 201":              text("application/json", order),
		"POST /orders 200":              text("application/json; charset=utf-8", order),
		"GET /orders 200":               text("application/json", `{"orders":[`+order+`],"next_cursor":"b2s"}`),
		"POST /orders/batch 200":        text("application/x-ndjson", lines),
		"POST /orders/retry 200":        text("application/json", report),
		"GET /orders/{id} 200":          text("application/json", order),
		"GET /orders/{id}/events 200":   text("application/json", `{"events":[`+event+`]}`),
		"POST /orders/{id}/cancel 200":  text("application/json", order),
		"POST /orders/{id}/retry 202":   text("application/json", order),
		"GET /queues 200":               text("application/json", `{"queues":[`+queue+`]}`),
		"POST /queues/{name}/pause 200": text("application/json", queue),
		"GET /queues/{name}/damaged 200": text("application/json",
			`{"queue":"default","damaged":[{"order_id":"order-1","set_aside_at":"2026-11-23T12:00:00Z","message":"/wA="}]}`),
		"POST /queues/{name}/resume 200": text("application/json", queue),
		"GET /stats 200":                 text("application/json", stats),
		"GET /health 200":                text("application/json", health),
		"GET /health 503":                text("application/json", health[:len(health)-1]+`,"reason":"no worker"}`),
		"GET /openapi.yaml 200":          text("application/yaml", "openapi: 3.1.0\n"),
		"GET /openapi.json 200":          text("application/json", `{"openapi":"3.1.0"}`),
		"GET /docs 200":                  text("text/html; charset=utf-8", "<!doctype html>"),
		"GET /events 200":                text("text/event-stream", "id: 1-0\n\n"),
		"GET / 200":                      text("text/html; charset=utf-8", "<!doctype html>"),
	}
	for _, key := range []string{"POST /orders 201", "POST /orders 200", "POST /orders/{id}/retry 202"} {
		all[key].header["Location"] = "/orders/order-1"
	}
	all["POST /orders 200"].header["Idempotency-Replayed"] = "true"
	all["GET /stats 200"].header["RateLimit"] = `"default";r=9;t=1`
	all["GET /stats 200"].header["RateLimit-Policy"] = `"default";q=10;w=1`
	all["GET /orders 200"].header["Link"] = `</orders?cursor=b2s>; rel="next"`
	for key, a := range all {
		a.status = http.StatusOK
		if _, err := fmt.Sscanf(key[strings.LastIndex(key, " "):], "%d", &a.status); err != nil {
			panic(err)
		}
		all[key] = a
	}
	return all
}

// correct is a correct answer of the status to an operation.
func correct(t *testing.T, op, status string) answer {
	t.Helper()
	if a, ok := successes()[op+" "+status]; ok {
		a.header = maps.Clone(a.header)
		return a
	}
	a := answer{status: http.StatusTeapot, header: map[string]string{
		"Content-Type": "application/problem+json", "X-Request-Id": "r1", "Retry-After": "1",
	}}
	if status == "401" {
		a.header["Www-Authenticate"] = `Bearer realm="orders"`
	}
	if status != "default" {
		code, err := strconv.Atoi(status)
		if err != nil || code < 400 {
			t.Fatalf("no correct answer of %s to %s is known", status, op)
		}
		a.status = code
	}
	a.body = strings.Replace(problemText, "400", strconv.Itoa(a.status), 1)
	return a
}

// statuses lists what the specification says of each operation's statuses.
func statuses(t *testing.T) map[string][]string {
	t.Helper()
	return spectest.Statuses(spectest.Load(t))
}
