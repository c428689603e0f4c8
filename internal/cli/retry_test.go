package cli_test

import (
	"testing"
)

const notFailed = `{"type":"tag:orderprocessor,2026:order-status-conflict","title":"Not failed","status":409,` +
	`"detail":"The order is completed.","instance":"/x","request_id":"r","order_status":"completed"}`

func TestRetryNamedOrders(t *testing.T) {
	t.Parallel()
	pending := record("order-3", "pending", "")
	for _, tt := range []struct{ output, stdout, stderr string }{
		{"table", "a         not retried: it is completed\norder-3   pending\n", ""},
		{"json", pending + "\n", "a: not retried: it is completed\n"},
	} {
		t.Run(tt.output, func(t *testing.T) {
			t.Parallel()
			api := newScript(t, exchange{"POST /orders/a/retry", 409, notFailed}, exchange{"POST /orders/order-3/retry", 202, pending})
			orderctl(t, "retry", "a", "order-3", "-o", tt.output, "--api", api.URL).
				mustPrint(t, 1, tt.stdout, tt.stderr+"orderctl: 1 of 2 orders were not retried\n")
		})
	}
}

func TestRetryOfANamedOrderIsSentOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		says   string
	}{
		"answer is lost": {answerLost, `^orderctl: a may or may not be retried: no answer from the API at `},
		"Redis is away":  {503, `^orderctl: a may or may not be retried: 503: Redis is unavailable; run orderctl doctor for details\n$`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newScript(t, exchange{"POST /orders/a/retry", tt.status, away})
			orderctl(t, "retry", "a", "--api", api.URL).mustEnd(t, 1, tt.says)
		})
	}
}

func TestRetryMany(t *testing.T) {
	t.Parallel()
	const (
		failed   = `POST /orders/retry {"status":"failed","limit":1000,"dry_run":false`
		dry      = `POST /orders/retry {"status":"failed","limit":1000,"dry_run":true}`
		rejected = `POST /orders/retry {"status":"rejected","limit":1000,"dry_run":false}`
	)
	walk := []exchange{
		{failed + `}`, 200, `{"count":8,"retried":8,"dry_run":false,"next_cursor":"c1"}`},
		{failed + `,"cursor":"c1"}`, 200, `{"count":0,"retried":0,"dry_run":false,"next_cursor":"c2"}`},
		{failed + `,"cursor":"c2"}`, 503, away},
		{failed + `,"cursor":"c2"}`, 200, `{"count":7,"retried":4,"dry_run":false}`},
	}
	one := func(request, answer string) []exchange { return []exchange{{request, 200, answer}} }
	for _, tt := range []struct {
		name   string
		args   []string
		script []exchange
		stdout string
	}{
		{"pages", []string{"--status", "failed"}, walk, "12 orders failed and are pending again, 3 more had moved on before they could be retried\n"},
		{"pages as JSON", []string{"--status", "failed", "-o", "json"}, walk, "{\n  \"count\": 15,\n  \"retried\": 12,\n  \"dry_run\": false\n}\n"},
		{"one", []string{"--status", "failed"}, one(failed+`}`, `{"count":1,"retried":1,"dry_run":false}`), "1 order failed and is pending again\n"},
		{"rejected", []string{"--status", "rejected"}, one(rejected, `{"count":2,"retried":2,"dry_run":false}`), "2 orders were rejected and are pending again\n"},
		{"one rejected", []string{"--status", "rejected"}, one(rejected, `{"count":1,"retried":1,"dry_run":false}`), "1 order was rejected and is pending again\n"},
		{"none", []string{"--status", "rejected"}, one(rejected, `{"count":0,"retried":0,"dry_run":false}`), "No order matches.\n"},
		{"dry run", []string{"--status", "failed", "--dry-run"}, one(dry, `{"count":12,"retried":0,"dry_run":true}`), "12 orders would be retried\n"},
		{"dry run of one", []string{"--status", "failed", "--dry-run"}, one(dry, `{"count":1,"retried":0,"dry_run":true}`), "1 order would be retried\n"},
		{"dry run as JSON", []string{"--status", "failed", "--dry-run", "-o", "json"}, one(dry, `{"count":12,"retried":0,"dry_run":true}`), "{\n  \"count\": 12,\n  \"retried\": 0,\n  \"dry_run\": true\n}\n"},
		{
			"limit",
			[]string{"--status", "failed", "--limit", "1500"},
			[]exchange{
				{failed + `}`, 200, `{"count":1000,"retried":999,"dry_run":false,"next_cursor":"c1"}`},
				{`POST /orders/retry {"status":"failed","limit":500,"dry_run":false,"cursor":"c1"}`, 200, `{"count":500,"retried":500,"dry_run":false,"next_cursor":"c2"}`},
			},
			"1499 orders failed and are pending again, 1 more had moved on before they could be retried\n",
		},
		{
			"filter",
			[]string{"--status", "failed", "--error-contains", `shop "x"`, "--older-than", "2h30m", "--limit", "3"},
			one(`POST /orders/retry {"status":"failed","error_contains":"shop \"x\"","older_than":"2h30m","limit":3,"dry_run":false}`, `{"count":2,"retried":2,"dry_run":false}`),
			"2 orders failed and are pending again\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newScript(t, tt.script...)
			orderctl(t, append([]string{"retry", "--api", api.URL}, tt.args...)...).mustPrint(t, 0, tt.stdout, "")
		})
	}
}

func TestRetryManyIsInterrupted(t *testing.T) {
	t.Parallel()
	const (
		wet = `{"status":"failed","limit":1000,"dry_run":false`
		dry = `{"status":"failed","limit":1000,"dry_run":true`
	)
	for _, tt := range []struct {
		name, request, answer, stdout, stderr string
		args                                  []string
	}{
		{
			"table", wet, `{"count":9,"retried":9,"dry_run":false,"next_cursor":"c"}`,
			"9 orders failed and are pending again\n",
			"orderctl: retry orders: stopped, there may be more, and more may be pending again than were counted: interrupted\n", nil,
		},
		{
			"JSON", wet, `{"count":9,"retried":9,"dry_run":false,"next_cursor":"c"}`,
			"{\n  \"count\": 9,\n  \"retried\": 9,\n  \"dry_run\": false\n}\n",
			"orderctl: retry orders: stopped, there may be more, and more may be pending again than were counted: interrupted\n",
			[]string{"-o", "json"},
		},
		{
			"dry run", dry, `{"count":9,"retried":0,"dry_run":true,"next_cursor":"c"}`,
			"9 orders would be retried\n", "orderctl: retry orders: stopped, there may be more: interrupted\n",
			[]string{"--dry-run"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newScript(t, exchange{"POST /orders/retry " + tt.request + "}", 200, tt.answer},
				exchange{"POST /orders/retry " + tt.request + `,"cursor":"c"}`, neverAnswer, ""})
			c := &command{}
			c.start(t, append([]string{"retry", "--status", "failed", "--api", api.URL}, tt.args...)...)
			eventually(t, "the second request", func() bool { return api.requests() == 2 })
			c.interrupt(t)
			c.mustPrint(t, 1, tt.stdout, tt.stderr)
		})
	}
}

func TestRetryManyFails(t *testing.T) {
	t.Parallel()
	const first, second = `POST /orders/retry {"status":"failed","limit":1000,"dry_run":false}`, `POST /orders/retry {"status":"failed","limit":1000,"dry_run":false,"cursor":"c"}`
	for _, tt := range []struct {
		name, says string
		script     []exchange
	}{
		{"refused", `^orderctl: retry orders: 400: older_than must be an age\n$`, []exchange{
			{first, 400, problem(400, "x", `,"errors":[{"field":"older_than","code":"invalid","message":"must be an age"}]`)},
		}},
		{"no API", `^orderctl: retry orders: the answer is not that of an order API; is the address right\?\n$`, []exchange{{first, 200, `{}`}}},
		{"goes in circles", `the API gave the same cursor twice in a row\n$`, []exchange{
			{first, 200, `{"count":0,"retried":0,"dry_run":false,"next_cursor":"c"}`}, {second, 200, `{"count":0,"retried":0,"dry_run":false,"next_cursor":"c"}`},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newScript(t, tt.script...)
			orderctl(t, "retry", "--status", "failed", "--api", api.URL).mustEnd(t, 1, tt.says)
		})
	}
}
