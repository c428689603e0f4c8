package cli_test

import (
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

func TestRetryNamedOrders(t *testing.T) {
	t.Parallel()
	notFailed := problemOf("order-status-conflict", 409, "The order is completed.", `,"order_status":"completed"`)
	pending := record("order-3", "pending", "")
	two := []exchange{{"POST /orders/a/retry", 409, notFailed}, {"POST /orders/order-3/retry", 202, pending}}
	runScripted(
		t,
		scripted{
			"table", "retry a order-3", two, 1, "a         not retried: it is completed\norder-3   pending\n",
			"orderctl: 1 of 2 orders were not retried\n",
		},
		scripted{ // sent once, as the API would refuse a repeat
			"Redis is away", "retry a",
			[]exchange{{"POST /orders/a/retry", 503, away}},
			1, "",
			"orderctl: a may or may not be retried: 503: Redis is unavailable; run orderctl doctor for details\n",
		},
	)
	api := newScript(t, exchange{"POST /orders/a/retry", answerLost, ""})
	orderctl(t, "retry", "a", "--api", api.URL).mustExit(t, 1, `^orderctl: a may or may not be retried: no answer from the API at `)
}

func TestRetryMany(t *testing.T) {
	t.Parallel()
	const (
		failed   = `POST /orders/retry {"status":"failed","limit":1000,"dry_run":false`
		dry      = `POST /orders/retry {"status":"failed","limit":1000,"dry_run":true`
		rejected = `POST /orders/retry {"status":"rejected","limit":1000,"dry_run":false}`
		circle   = `{"count":0,"retried":0,"dry_run":false,"next_cursor":"c"}`
		nine     = `{"count":9,"retried":9,"dry_run":false,"next_cursor":"c"}`
		stopped  = "orderctl: retry orders: stopped, there may be more, and more may be pending again than were counted: interrupted\n"
	)
	pages := []exchange{
		{failed + `}`, 200, `{"count":8,"retried":8,"dry_run":false,"next_cursor":"c1"}`},
		{failed + `,"cursor":"c1"}`, 200, `{"count":0,"retried":0,"dry_run":false,"next_cursor":"c2"}`},
		{failed + `,"cursor":"c2"}`, 503, away},
		{failed + `,"cursor":"c2"}`, 200, `{"count":7,"retried":4,"dry_run":false}`},
	}
	interrupted := []exchange{{failed + `}`, 200, nine}, {failed + `,"cursor":"c"}`, neverAnswer, ""}}
	one := func(request, answer string) []exchange { return []exchange{{request, 200, answer}} }
	runScripted(
		t,
		scripted{"pages", "retry --status failed", pages, 0, "12 orders failed and are pending again, 3 more had moved on before they could be retried\n", ""},
		scripted{"pages as JSON", "retry --status failed -o json", pages, 0, "{\n  \"count\": 15,\n  \"retried\": 12,\n  \"dry_run\": false\n}\n", ""},
		scripted{"one", "retry --status failed", one(failed+`}`, `{"count":1,"retried":1}`), 0, "1 order failed and is pending again\n", ""},
		scripted{"rejected", "retry --status rejected", one(rejected, `{"count":2,"retried":2}`), 0, "2 orders were rejected and are pending again\n", ""},
		scripted{"one rejected", "retry --status rejected", one(rejected, `{"count":1,"retried":1}`), 0, "1 order was rejected and is pending again\n", ""},
		scripted{"none", "retry --status rejected", one(rejected, `{"count":0,"retried":0}`), 0, "No order matches.\n", ""},
		scripted{"dry run", "retry --status failed --dry-run", one(dry+`}`, `{"count":12,"retried":0}`), 0, "12 orders would be retried\n", ""},
		scripted{"dry run of one", "retry --status failed --dry-run", one(dry+`}`, `{"count":1,"retried":0}`), 0, "1 order would be retried\n", ""},
		scripted{
			"dry run as JSON", "retry --status failed --dry-run -o json", one(dry+`}`, `{"count":12,"retried":0}`), 0,
			"{\n  \"count\": 12,\n  \"retried\": 0,\n  \"dry_run\": true\n}\n", "",
		},
		scripted{
			"limit", "retry --status failed --limit 1500",
			[]exchange{
				{failed + `}`, 200, `{"count":1000,"retried":999,"dry_run":false,"next_cursor":"c1"}`},
				{`POST /orders/retry {"status":"failed","limit":500,"dry_run":false,"cursor":"c1"}`, 200, `{"count":500,"retried":500,"dry_run":false,"next_cursor":"c2"}`},
			},
			0,
			"1499 orders failed and are pending again, 1 more had moved on before they could be retried\n", "",
		},
		scripted{
			"filter", `retry --status failed --error-contains shop"x" --older-than 2h30m --limit 3`,
			one(`POST /orders/retry {"status":"failed","error_contains":"shop\"x\"","older_than":"2h30m","limit":3,"dry_run":false}`, `{"count":2,"retried":2}`), 0,
			"2 orders failed and are pending again\n", "",
		},
		scripted{"interrupted", "retry --status failed", interrupted, 1, "9 orders failed and are pending again\n", stopped},
		scripted{
			"interrupted dry run", "retry --status failed --dry-run",
			[]exchange{{dry + `}`, 200, nine}, {dry + `,"cursor":"c"}`, neverAnswer, ""}},
			1,
			"9 orders would be retried\n", "orderctl: retry orders: stopped, there may be more: interrupted\n",
		},
		scripted{
			"refused", "retry --status failed",
			[]exchange{{failed + `}`, 400, problem(400, "x", `,"errors":[{"field":"older_than","message":"must be an age"}]`)}},
			1, "",
			"orderctl: retry orders: 400: older_than must be an age\n",
		},
		scripted{"no API", "retry --status failed", one(failed+`}`, `{}`), 1, "", "orderctl: retry orders: " + notAPI},
		scripted{
			"goes in circles", "retry --status failed",
			[]exchange{{failed + `}`, 200, circle}, {failed + `,"cursor":"c"}`, 200, circle}},
			1,
			"No order matches.\n",
			"orderctl: retry orders: stopped, there may be more, and more may be pending again than were counted: the API gave the same cursor twice in a row\n",
		},
	)
}

// TestRetryInTerminal shows how many orders are done, and leaves only the result.
func TestRetryInTerminal(t *testing.T) {
	t.Parallel()
	api := newScript(t,
		exchange{"GET /stats", 200, `{"by_status":{"failed":1500}}`},
		exchange{`POST /orders/retry {"status":"failed","limit":1000,"dry_run":false}`, 200, `{"count":1000,"retried":1000,"next_cursor":"c"}`},
		exchange{`POST /orders/retry {"status":"failed","limit":1000,"dry_run":false,"cursor":"c"}`, 200, `{"count":500,"retried":500}`})
	shown, _ := inTerminal(t, "retry --status failed --api "+api.URL)
	programtest.Until(t, "it has ended", func() bool { return strings.Contains(shown.String(), "\nended ") })
	if text := shown.String(); !regexp.MustCompile(`retrying +66% .*\(1000/1500\)[\s\S]*\r1500 orders failed and are pending again\r\nended 0`).MatchString(text) {
		t.Errorf("it shows %q", text)
	}
}
