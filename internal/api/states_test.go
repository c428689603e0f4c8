package api_test

import (
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

const (
	orderID = "ord_1"
	// shopDown is why orders fail here.
	shopDown = "shop answered 500"
	tooMany  = "too many items in order"
)

// reach brings a new order to a status, through the ledger and without a task.
func (b *bundle) reach(t *testing.T, id string, status order.Status, opts ...ordertest.Option) order.Record {
	t.Helper()
	opts = append(opts, ordertest.WithID(id))
	if status == order.StatusScheduled {
		opts = append(opts, ordertest.WithProcessAt(time.Now().Add(time.Hour)))
	}
	rec, _, err := ledgertest.Accept(t.Context(), b.ledger, ordertest.Order(t, opts...), order.QueueDefault)
	must(t, err)
	b.move(t, id, status)
	return rec
}

// move brings an order that waits to a status.
func (b *bundle) move(t *testing.T, id string, status order.Status) {
	t.Helper()
	handling := order.HandlingStandard
	switch status {
	case order.StatusScheduled, order.StatusPending:
		return
	case order.StatusCancelled:
		_, err := b.ledger.Cancel(t.Context(), id, order.Intervention{Actor: "ops", Reason: ""})
		must(t, err)
		return
	case order.StatusHeld:
		must(t, b.ledger.Hold(t.Context(), id, order.Decision{Version: order.VersionBuiltin, Action: order.ActionHold, Rule: "fraud", Reason: "looks odd"}))
		return
	case order.StatusPriorityProcessing:
		handling = order.HandlingPriority
	case order.StatusExpedited:
		handling = order.HandlingExpedited
	default:
	}
	b.begin(t, id, "a", handling)
	switch status {
	case order.StatusRetrying:
		b.fail(t, id, "a")
	case order.StatusCompleted:
		b.settle(t, id, "a", order.Outcome{Status: status})
	case order.StatusRejected:
		b.settle(t, id, "a", order.Outcome{Status: status, Error: tooMany})
	case order.StatusFailed:
		b.settle(t, id, "a", order.Outcome{Status: status, Error: shopDown})
	default: // it is being processed
	}
}

// claim is the claim of an attempt, whose worker is named after its token.
func claim(id, token string, h order.Handling) order.Claim {
	return order.Claim{ID: id, Token: token, Worker: "worker-" + token, Handling: h, MaxAttempts: 100}
}

func (b *bundle) begin(t *testing.T, id, token string, h order.Handling) {
	t.Helper()
	_, err := b.ledger.Begin(t.Context(), claim(id, token, h))
	must(t, err)
}

func (b *bundle) fail(t *testing.T, id, token string) {
	t.Helper()
	failure := order.Failure{Error: shopDown, Note: "busy", RetryIn: time.Minute}
	must(t, b.ledger.Fail(t.Context(), claim(id, token, order.HandlingStandard), failure))
}

func (b *bundle) settle(t *testing.T, id, token string, out order.Outcome) {
	t.Helper()
	must(t, b.ledger.Settle(t.Context(), claim(id, token, order.HandlingStandard), out))
}

// reset checks the books and begins new ones.
func (b *bundle) reset(t *testing.T) {
	t.Helper()
	ledgertest.CheckBooks(t, b.rdb)
	must(t, b.rdb.FlushDB(t.Context()).Err())
}

// status asks the server for the status of an order.
func (b *bundle) status(t *testing.T, id string) order.Status {
	t.Helper()
	status, _ := b.ask(t, "GET", "/orders/"+id, "").object(t, 200)["status"].(string)
	return order.Status(status)
}

// checkTasks counts the tasks of all queues in one state.
func (b *bundle) checkTasks(t *testing.T, state string, want int) {
	t.Helper()
	var n int64
	for _, q := range order.Queues() {
		key := "asynq:{" + string(q) + "}:" + state
		count := b.rdb.ZCard
		if state == "pending" {
			count = b.rdb.LLen
		}
		n += count(t.Context(), key).Val()
	}
	if n != int64(want) {
		t.Errorf("%d tasks are %s; want %d", n, state, want)
	}
}

// paused reports whether workers see that a queue is paused.
func (b *bundle) paused(t *testing.T, q string) bool {
	t.Helper()
	return b.rdb.Exists(t.Context(), "asynq:{"+q+"}:paused").Val() == 1
}

// accepted returns the number of accepted orders.
func (b *bundle) accepted(t *testing.T) string {
	t.Helper()
	return b.rdb.HGet(t.Context(), ledgertest.CountersKey, "accepted").Val()
}

// checkEmpty checks that nothing at all is stored.
func (b *bundle) checkEmpty(t *testing.T) {
	t.Helper()
	if n, err := b.rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("Redis has %d keys, %v; want none", n, err)
	}
}
