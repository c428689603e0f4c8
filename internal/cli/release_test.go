package cli_test

import "testing"

func TestReleaseAndReject(t *testing.T) {
	t.Parallel()
	notHeld := problemOf("order-status-conflict", 409, "The order is not held.", `,"order_status":"completed"`)
	released, rejected := record("b", "pending", ""), record("b", "rejected", `,"error":"stolen"`)
	runScripted(
		t,
		scripted{
			"release", "release a b --reason fine",
			[]exchange{{`POST /orders/a/release {"reason":"fine"}`, 409, notHeld}, {`POST /orders/b/release {"reason":"fine"}`, 202, released}},
			1, "a   not released: it is completed\nb   pending\n", "orderctl: 1 of 2 orders were not released\n",
		},
		scripted{
			"again without an answer", "release b -o json",
			[]exchange{{"POST /orders/b/release", answerLost, ""}, {"POST /orders/b/release", 202, released}},
			0, released + "\n", "",
		},
		scripted{
			"reject", "reject a b --reason stolen",
			[]exchange{{`POST /orders/a/reject {"reason":"stolen"}`, 409, notHeld}, {`POST /orders/b/reject {"reason":"stolen"}`, 200, rejected}},
			1, "a   not rejected: it is completed\nb   rejected\n", "orderctl: 1 of 2 orders were not rejected\n",
		},
		scripted{
			"a key without the scope", "reject a b --reason stolen",
			[]exchange{{`POST /orders/a/reject {"reason":"stolen"}`, 403, problem(403, "The key lacks the scope admin.", "")}},
			1, "", "orderctl: a was not rejected, nor were the 1 after it: 403: The key lacks the scope admin.\n",
		},
	)
}
