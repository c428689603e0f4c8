package cli_test

import (
	"testing"
)

const (
	noSuchOrder = `{"type":"about:blank","title":"Not Found","status":404,"detail":"There is no order with this id.","instance":"/x","request_id":"r"}`
	tooLate     = `{"type":"tag:orderprocessor,2026:order-status-conflict","title":"Too late","status":409,` +
		`"detail":"An attempt runs.","instance":"/x","request_id":"r","order_status":"processing"}`
)

func TestCancel(t *testing.T) {
	t.Parallel()
	const body = ` {"reason":"ordered \u0026 regretted"}`
	cancelled := record("order-3", "cancelled", `,"cancel_reason":"ordered & regretted"`)
	for _, tt := range []struct{ output, stdout, stderr string }{
		{
			"table",
			"a         not cancelled: it is processing\nb         not cancelled: 404: There is no order with this id.\norder-3   cancelled\n",
			"",
		},
		{
			"json", cancelled + "\n",
			"a: not cancelled: it is processing\nb: not cancelled: 404: There is no order with this id.\n",
		},
	} {
		t.Run(tt.output, func(t *testing.T) {
			t.Parallel()
			api := newScript(t,
				exchange{"POST /orders/a/cancel" + body, 409, tooLate},
				exchange{"POST /orders/b/cancel" + body, 404, noSuchOrder},
				exchange{"POST /orders/order-3/cancel" + body, 200, cancelled})
			orderctl(t, "cancel", "a", "b", "order-3", "--reason", "ordered & regretted", "-o", tt.output, "--api", api.URL).
				mustPrint(t, 1, tt.stdout, tt.stderr+"orderctl: 2 of 3 orders were not cancelled\n")
		})
	}
}

func TestCancelWithoutReasonIsTriedAgain(t *testing.T) {
	t.Parallel()
	api := newScript(t,
		exchange{"POST /orders/a/cancel", 503, away},
		exchange{"POST /orders/a/cancel", answerLost, ""},
		exchange{"POST /orders/a/cancel", 200, record("a", "cancelled", "")})
	orderctl(t, "cancel", "a", "--api", api.URL).mustPrint(t, 0, "a   cancelled\n", "")
}

func TestCancelStopsWhenTheAPIIsAway(t *testing.T) {
	t.Parallel()
	again := exchange{"POST /orders/b/cancel", 503, away}
	api := newScript(t, exchange{"POST /orders/a/cancel", 200, record("a", "cancelled", "")}, again, again, again, again)
	orderctl(t, "cancel", "a", "b", "c", "d", "--api", api.URL).mustPrint(t, 1, "a   cancelled\n",
		"orderctl: stopped: b may or may not be cancelled, and the 2 after it were not tried: 503: Redis is unavailable; run orderctl doctor for details\n")
}

func TestCancelIsInterrupted(t *testing.T) {
	t.Parallel()
	api := newScript(t, exchange{"POST /orders/a/cancel", 200, record("a", "cancelled", "")}, exchange{"POST /orders/b/cancel", neverAnswer, ""})
	c := &command{}
	c.start(t, "cancel", "a", "b", "--api", api.URL)
	eventually(t, "the second request", func() bool { return api.requests() == 2 })
	c.interrupt(t)
	c.mustPrint(t, 1, "a   cancelled\n", "orderctl: b may or may not be cancelled: interrupted\n")
}

func TestCancelFindsNoAPI(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"table", "json"} {
		api := newScript(t, exchange{"POST /orders/a/cancel", 200, `{"hello":"world"}`})
		orderctl(t, "cancel", "a", "b", "-o", output, "--api", api.URL).mustPrint(t, 1, "",
			"orderctl: a: the answer is not that of an order API; is the address right?\n")
	}
}

// TestIDsOfDots checks that no id leads to another path of the API.
func TestIDsOfDots(t *testing.T) {
	t.Parallel()
	api := newScript(t, exchange{"POST /orders/.../cancel", 404, noSuchOrder})
	orderctl(t, "cancel", "...", "--api", api.URL).mustEnd(t, 1, `There is no order with this id`)
	for _, id := range []string{".", ".."} {
		orderctl(t, "cancel", id, "--api", api.URL).mustEnd(t, 2, `cannot be an order's id`)
	}
}
