package api_test

import (
	"errors"
	"testing"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
)

// shopDown is why orders fail here.
const shopDown = "shop answered 500"

// reach brings a new order to a status, through the ledger and without a task.
func (b *bundle) reach(t *testing.T, id string, status order.Status, opts ...ordertest.Option) order.Record {
	t.Helper()
	o := ordertest.Order(t, append(opts, ordertest.WithID(id))...)
	if status == order.StatusScheduled {
		o.ProcessAt = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	}
	rec, _, err := ledgertest.Accept(t.Context(), b.ledger, o, order.QueueDefault)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.move(t, id, status); err != nil {
		t.Fatal(err)
	}
	return rec
}

// move takes an order that waits to a status.
func (b *bundle) move(t *testing.T, id string, status order.Status) error {
	t.Helper()
	ctx := t.Context()
	c := order.Claim{ID: id, Token: "a", Worker: "worker-a", Handling: order.HandlingStandard, MaxAttempts: 3}
	begin := func() error { _, err := b.ledger.Begin(ctx, c); return err }
	settle := func(reason string) error {
		return errors.Join(begin(), b.ledger.Settle(ctx, c, order.Outcome{Status: status, Error: reason}))
	}
	switch status {
	case order.StatusProcessing:
		return begin()
	case order.StatusPriorityProcessing:
		c.Handling = order.HandlingPriority
		return begin()
	case order.StatusExpedited:
		c.Handling = order.HandlingExpedited
		return begin()
	case order.StatusRetrying:
		return errors.Join(begin(), b.ledger.Fail(ctx, c, order.Failure{Error: shopDown, RetryIn: time.Minute}))
	case order.StatusCompleted:
		return settle("")
	case order.StatusRejected:
		return settle("too many items in order")
	case order.StatusFailed:
		return settle(shopDown)
	case order.StatusCancelled:
		_, err := b.ledger.Cancel(ctx, id, "")
		return err
	default:
		return nil
	}
}

// reset checks the books and begins new ones.
func (b *bundle) reset(t *testing.T) {
	t.Helper()
	ledgertest.CheckBooks(t, b.rdb)
	if err := b.rdb.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

// status asks the server what an order is.
func (b *bundle) status(t *testing.T, id string) order.Status {
	t.Helper()
	status, _ := b.ask(t, "GET", "/orders/"+id, "").object(t, 200)["status"].(string)
	return order.Status(status)
}

// tasks counts the tasks of all queues in one state.
func (b *bundle) tasks(t *testing.T, state string) int64 {
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
	return n
}
