package cli_test

import "testing"

func TestCancel(t *testing.T) {
	t.Parallel()
	const body = ` {"reason":"twice\u0026again"}`
	tooLate := problemOf("order-status-conflict", 409, "An attempt runs.", `,"order_status":"processing"`)
	cancelled := record("order-3", "cancelled", `,"cancel_reason":"twice&again"`)
	three := []exchange{
		{"POST /orders/a/cancel" + body, 409, tooLate},
		{"POST /orders/b/cancel" + body, 404, noSuchOrder},
		{"POST /orders/order-3/cancel" + body, 200, cancelled},
	}
	a := exchange{"POST /orders/a/cancel", 200, record("a", "cancelled", "")}
	b := exchange{"POST /orders/b/cancel", 503, away}
	runScripted(
		t,
		scripted{
			"some are refused", "cancel a b order-3 --reason twice&again", three, 1,
			"a         not cancelled: it is processing\nb         not cancelled: 404: There is no order with this id.\norder-3   cancelled\n",
			"orderctl: 2 of 3 orders were not cancelled\n",
		},
		scripted{
			"some are refused, as JSON", "cancel a b order-3 --reason twice&again -o json", three, 1, cancelled + "\n",
			"a: not cancelled: it is processing\nb: not cancelled: 404: There is no order with this id.\norderctl: 2 of 3 orders were not cancelled\n",
		},
		scripted{
			"again without an answer", "cancel a",
			[]exchange{{"POST /orders/a/cancel", 503, away}, {"POST /orders/a/cancel", answerLost, ""}, a},
			0, "a   cancelled\n", "",
		},
		scripted{
			"stops when the API is away", "cancel a b c d",
			[]exchange{a, b, b, b, b},
			1, "a   cancelled\n",
			"orderctl: stopped: b may or may not be cancelled, and the 2 after it were not tried: 503: Redis is unavailable; run orderctl doctor for details\n",
		},
		scripted{
			"interrupted", "cancel a b",
			[]exchange{a, {"POST /orders/b/cancel", neverAnswer, ""}},
			1, "a   cancelled\n",
			"orderctl: b may or may not be cancelled: interrupted\n",
		},
		scripted{"no API", "cancel a b", []exchange{{"POST /orders/a/cancel", 200, `{"hello":"world"}`}}, 1, "", "orderctl: a: " + notAPI},
		scripted{ // no id leads to another path of the API
			"an id of dots", "cancel ...",
			[]exchange{{"POST /orders/.../cancel", 404, noSuchOrder}},
			1,
			"...   not cancelled: 404: There is no order with this id.\n", "orderctl: 1 of 1 orders were not cancelled\n",
		},
	)
}
