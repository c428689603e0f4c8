package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// updateRow is an update, and what comes before it.
type updateRow struct {
	name   string
	before []step
	do     step
}

// updates has every script that updates orders.
func updates() []updateRow {
	a, b, c := claim("o1", "a"), claim("o1", "b"), claim("o1", "c")
	waiting := []step{accept(scheduled(sample("o1")))}
	lostTwice := accepted(begin(a), lost("o1", 1), begin(b), lost("o1", 2), begin(c), quarantine("o1"))
	return []updateRow{
		{"accept", nil, accept(sample("o1"))},
		{"accept for later", nil, accept(scheduled(sample("o1")))},
		{"accept many", accepted(), acceptAll(sample("o1"), sample("o2"))},
		{"begin", accepted(), begin(a)},
		{"begin after a lost worker", accepted(begin(b)), begin(a)},
		{"begin and settle", accepted(), begin(ending(a, completed()))},
		{"begin and reject after a lost worker", accepted(begin(b)), begin(ending(a, rejected()))},
		{"begin and settle after a failed attempt", accepted(begin(b), fail(b)), begin(ending(a, completed()))},
		{"fail", accepted(begin(a)), fail(a)},
		{"settle", accepted(begin(a)), settle(a, completed())},
		{"cancel", accepted(), cancel("o1", "changed my mind")},
		{"cancel before its time", waiting, cancel("o1", "changed my mind")},
		{"cancel after a failed attempt", accepted(begin(a), fail(a)), cancel("o1", "")},
		{"retry", refuse(a), retry("o1", "r1")},
		{"settle after a retry", retried(begin(b)), settle(b, completed())},
		{"lost", accepted(begin(a)), lost("o1", 1)},
		{"lost for the last time", lostTwice, lost("o1", 3)},
		{"repaired", accepted(), repaired(order.RepairOrphan, "r1")},
		{"hold", accepted(), hold("o1", time.Hour)},
		{"release", accepted(hold("o1", time.Hour)), release("o1", "ops")},
		{"reject", accepted(hold("o1", time.Hour)), reject("o1", "ops", "fraud")},
		{"cancel while held", accepted(hold("o1", time.Hour)), cancel("o1", "")},
		{"begin with a decision", accepted(), begin(deciding(a))},
		{"requeued", accepted(), requeued("o1", "r1")},
		{"create a job", nil, createJob("j1", order.JobRetry)},
		{"pause a job", []step{createJob("j1", order.JobRetry)}, changeJob("j1", order.JobPaused)},
		{"stop a job", []step{createJob("j1", order.JobRetry)}, changeJob("j1", order.JobStopped)},
		{"count for a job", []step{createJob("j1", order.JobRetry)}, stepJob("j1", order.JobStep{State: order.JobCounting, Matched: 3, Position: here})},
		{"end a job", running("j1", order.JobRetry, 0), stepJob("j1", order.JobStep{State: order.JobDone})},
		{"retry by a job", append(refuse(a), running("j1", order.JobRetry, 1)...), byJob("j1", "o1")},
		{"retry by a job too late", append(accepted(), running("j1", order.JobRetry, 1)...), byJob("j1", "o1")},
		{"cancel by a job", append(accepted(), running("j1", order.JobCancel, 1)...), byJob("j1", "o1")},
		{"release by a job", append(accepted(hold("o1", 0)), running("j1", order.JobRelease, 1)...), byJob("j1", "o1")},
		{"reject by a job", append(accepted(hold("o1", 0)), running("j1", order.JobReject, 1)...), byJob("j1", "o1")},
		{
			"begin and settle for a job", append(append(refuse(a), running("j1", order.JobRetry, 1)...), byJob("j1", "o1")),
			begin(ending(b, completed())),
		},
		{
			"settle for a job", append(append(refuse(a), running("j1", order.JobRetry, 1)...), byJob("j1", "o1"), begin(b)),
			settle(b, completed()),
		},
		{"create an erasure", nil, createErasure("j1")},
		{
			"erase", accepted(begin(a), settle(a, completed()), createErasure("j1"), stepJob("j1", order.JobStep{State: order.JobRunning, Matched: 1})),
			erase("o1", "j1"),
		},
		{"push rules", nil, push("v1")},
		{"activate rules", []step{activate("v1")}, activate("v2")},
		{"activate the shadow", []step{shadow("v1")}, activate("v1")},
		{"shadow rules", nil, shadow("v1")},
		{"end the shadow", []step{shadow("v1")}, shadow("")},
		{"audit", []step{audited("default", "t1")}, audited("default", "t2")},
		{"forget", accepted(begin(a), settle(a, completed()), accept(sample("o2"))), forget()},
	}
}

// TestFaults breaks every update in both ways a network can and repeats it. The books must
// be as without the fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, update := range updates() {
		for _, fault := range redistest.Faults() {
			t.Run(update.name+"/"+fault.String(), func(t *testing.T) {
				broken, whole := open(t), newBundle(t)
				broken.do(t, update.before...)
				whole.do(t, update.before...)
				whole.do(t, update.do)
				check := func(when string, want state) {
					t.Helper()
					if diff := cmp.Diff(want, broken.state(t, "o1", "o2"), ignoreTimes); diff != "" {
						t.Errorf("after the %s (-want +got):\n%s", when, diff)
					}
				}
				want, after := broken.state(t, "o1", "o2"), whole.state(t, "o1", "o2")
				if fault == redistest.ReplyLost {
					want = after
				}
				broken.breaker.Break(fault, redistest.Script("orders:"))
				if err := update.do.run(t.Context(), broken.Ledger); !errors.Is(err, order.ErrUnavailable) {
					t.Fatalf("the broken update answered %v", err)
				}
				check("fault", want)
				if err := update.do.run(t.Context(), broken.Ledger); err != nil {
					t.Errorf("the repeated update answered %v", err)
				}
				check("repeat", after)
			})
		}
	}
}
