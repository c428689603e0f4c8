package intake_test

import (
	"errors"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// held makes o1 held; the worker has acknowledged its task.
func held(b *bundle) {
	withoutTask(accepted)(b)
	queuetest.Must(b.t, b.ledger.Hold(b.t.Context(), "o1", order.Decision{Version: "v1", Action: order.ActionHold, Reason: "looks odd"}))
}

// TestRelease gives a released order a task. Released again, it has one still.
func TestRelease(t *testing.T) {
	b := open(t)
	held(b)
	for range 2 {
		rec, err := b.Release(t.Context(), "o1", order.Intervention{Actor: "ops"})
		if err != nil || rec.Status != order.StatusPending || !rec.Released {
			t.Errorf("%+v, %v", rec, err)
		}
		b.checkTask("after the release", asynq.TaskStatePending)
	}
}

// TestReject settles a held order without a task.
func TestReject(t *testing.T) {
	b := open(t)
	held(b)
	for range 2 {
		rec, err := b.Reject(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: "fraud"})
		if err != nil || rec.Status != order.StatusRejected || rec.Error != "fraud" {
			t.Errorf("%+v, %v", rec, err)
		}
		b.checkTask("after the rejection", noTask)
	}
}

// TestFaultsOfReviews breaks the writes of a release and a rejection. One that
// was not answered can be repeated.
func TestFaultsOfReviews(t *testing.T) {
	t.Parallel()
	ledger := redistest.Script("orders:")
	for _, row := range []struct {
		name   string
		reject bool
		match  func(redis.Cmder) bool
		err    error
	}{
		{"release", false, ledger, order.ErrUnavailable},
		{"reject", true, ledger, order.ErrUnavailable},
		{"enqueue", false, redistest.Script("asynq:"), nil},
	} {
		for _, fault := range redistest.Faults() {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				held(b)
				do, status := b.Release, order.StatusPending
				if row.reject {
					do, status = b.Reject, order.StatusRejected
				}
				b.Breaker.Break(fault, row.match)
				_, err := do(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: "x"})
				if !errors.Is(err, row.err) {
					t.Errorf("answered %v, want %v", err, row.err)
				}
				b.checkBroken()
				if row.err == nil { // it was enqueued on its own then
					b.checkTask("at first", asynq.TaskStatePending)
				}
				rec, err := do(t.Context(), "o1", order.Intervention{Actor: "ops", Reason: "x"})
				if err != nil || rec.Status != status {
					t.Errorf("repeated: %+v, %v", rec, err)
				}
				if !row.reject {
					b.checkTask("at last", asynq.TaskStatePending)
				}
			})
		}
	}
}
