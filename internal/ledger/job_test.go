package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
)

// here is some position.
var here = order.Position{CreatedAt: time.UnixMicro(1_800_000_000_000_001).UTC(), ID: "o with blanks"}

func sampleJob(id string, action order.JobAction) order.Job {
	return order.Job{
		ID: id, Action: action, Actor: "ops", Reason: "shop is back", Limit: 5, PerSecond: 9, StopAfterFailures: 4, Canary: 3,
		Filter: order.Filter{Customer: "Ada", Further: order.Further{AmountMin: &order.Money{Minor: 500, Decimals: 3}, Metadata: map[string]string{"a": "b"}}},
	}
}

func createJob(id string, action order.JobAction) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		_, _, err := l.CreateJob(ctx, sampleJob(id, action), "q1")
		return nil, err
	}}
}

func changeJob(id string, to order.JobState) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		return l.ChangeJob(ctx, id, to, order.Intervention{Actor: "ops", RequestID: "q1"})
	}}
}

// stepJob brings a job forward from where it was when the step was first made.
func stepJob(id string, s order.JobStep) step {
	var from *order.Job
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		if from == nil {
			j, err := l.Job(ctx, id)
			if err != nil {
				return nil, err
			}
			from = &j
		}
		return l.StepJob(ctx, *from, s)
	}}
}

// running creates a job and counts so many orders for it.
func running(id string, action order.JobAction, matched int64) []step {
	return []step{createJob(id, action), stepJob(id, order.JobStep{State: order.JobRunning, Matched: matched})}
}

// byJob lets a job change an order, as its action says.
func byJob(job, id string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		j, err := l.Job(ctx, job)
		if err != nil {
			return nil, err
		}
		by := j.Intervention(0)
		var rec order.Record
		switch j.Action {
		case order.JobRetry:
			rec, err = l.Retry(ctx, id, job, by)
		case order.JobCancel:
			rec, err = l.Cancel(ctx, id, by)
		case order.JobRelease:
			rec, err = l.Release(ctx, id, by)
		case order.JobReject:
			rec, err = l.Reject(ctx, id, by)
		case order.JobErase: // see erase
		}
		var moved *order.StatusError
		if errors.As(err, &moved) || errors.Is(err, order.ErrNotItsTurn) {
			return nil, nil // skipped, and when it is repeated
		}
		return rec, err
	}}
}

// TestJobs creates jobs, and checks what is kept of them, how many may run, and which go
// when there are too many.
func TestJobs(t *testing.T) {
	b := open(t)
	want := sampleJob("j0", order.JobRetry)
	got, isNew, err := b.CreateJob(t.Context(), want, "q1")
	if err != nil || !isNew || got.CreatedAt.IsZero() || got.UpdatedAt != got.CreatedAt {
		t.Fatalf("the job is new: %t, %+v, %v", isNew, got, err)
	}
	want.State, want.Outcomes, want.CreatedAt, want.UpdatedAt = order.JobCounting, map[order.Status]int64{}, got.CreatedAt, got.UpdatedAt
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the job (-want +got):\n%s", diff)
	}
	if _, _, err := b.CreateJob(t.Context(), sampleJob("j0", order.JobCancel), "q1"); !errors.Is(err, order.ErrConflict) {
		t.Errorf("another job with this id answered %v", err)
	}
	if again, isNew, err := b.CreateJob(t.Context(), sampleJob("j0", order.JobRetry), "q1"); isNew || err != nil || !cmp.Equal(again, got) {
		t.Errorf("the job is new again: %t, %+v, %v", isNew, again, err)
	}
	for i := 1; i < order.MaxRunningJobs; i++ {
		b.do(t, createJob(fmt.Sprint("j", i), order.JobRetry))
	}
	if _, _, err := b.CreateJob(t.Context(), sampleJob("too many", order.JobRetry), "q1"); !errors.Is(err, order.ErrTooManyJobs) {
		t.Errorf("one too many answered %v", err)
	}
	b.do(t, changeJob("j1", order.JobStopped))
	for i := order.MaxRunningJobs; i <= order.MaxJobs; i++ {
		id := fmt.Sprint("j", i)
		b.do(t, createJob(id, order.JobRetry), changeJob(id, order.JobStopped))
	}
	all, err := b.Jobs(t.Context(), 2*order.MaxJobs)
	must(t, err)
	if len(all) != order.MaxJobs || all[0].ID != fmt.Sprint("j", order.MaxJobs) || all[order.MaxJobs-1].ID != "j0" {
		t.Errorf("%d jobs are kept, from %s to %s", len(all), all[0].ID, all[len(all)-1].ID)
	}
	if _, err := b.Job(t.Context(), "j1"); !errors.Is(err, order.ErrNoJob) {
		t.Errorf("the oldest that has ended is still there: %v", err)
	}
	if open, err := b.OpenJobs(t.Context()); len(open) != order.MaxRunningJobs-1 || err != nil {
		t.Errorf("%d jobs run, %v", len(open), err)
	}
}

// TestChangeJob checks what a person can do with a job in each state, and that the audit has
// what changed it.
func TestChangeJob(t *testing.T) {
	b := open(t)
	paused, resumed, stopped := changeJob("j1", order.JobPaused), changeJob("j1", order.JobRunning), changeJob("j1", order.JobStopped)
	in := func(want order.JobState, err error, entries int) {
		t.Helper()
		j, readErr := b.Job(t.Context(), "j1")
		must(t, readErr)
		if j.State != want || len(b.audit(t)) != entries || j.EndedAt.IsZero() == want.Ended() {
			t.Errorf("the job is %+v, want %s; the audit has %d entries", j, want, len(b.audit(t)))
		}
		if err != nil && !errors.Is(err, order.ErrJobEnded) {
			t.Errorf("it answered %v", err)
		}
	}
	if err := paused.run(t.Context(), b.Ledger); !errors.Is(err, order.ErrNoJob) {
		t.Errorf("a job that is not there answered %v", err)
	}
	b.do(t, createJob("j1", order.JobRetry), resumed)
	in(order.JobCounting, nil, 1)
	b.do(t, paused, paused)
	in(order.JobPaused, nil, 2)
	b.do(t, resumed, resumed)
	in(order.JobCounting, nil, 3)
	b.do(t, stepJob("j1", order.JobStep{State: order.JobRunning, Matched: 1}), paused, resumed)
	in(order.JobRunning, nil, 5)
	b.do(t, paused, stopped, stopped)
	in(order.JobStopped, nil, 7)
	for _, s := range []step{paused, resumed} {
		in(order.JobStopped, s.run(t.Context(), b.Ledger), 7)
	}
	if err := resumed.run(t.Context(), b.Ledger); !errors.Is(err, order.ErrJobEnded) {
		t.Errorf("a job that has ended answered %v", err)
	}
}

func createErasure(id string) step {
	return step{"", func(ctx context.Context, l *ledger.Ledger, _ string) (any, error) {
		j := order.Job{ID: id, Action: order.JobErase, Actor: "ops", Filter: order.Filter{Customer: sample("o1").Customer}, Reason: "asked for"}
		_, _, err := l.CreateJob(ctx, j, "q1")
		return nil, err
	}}
}

// erase erases an order for a job.
func erase(id, job string) step {
	return step{id, func(ctx context.Context, l *ledger.Ledger, id string) (any, error) {
		j, err := l.Job(ctx, job)
		if err != nil {
			return nil, err
		}
		rec, err := l.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		return nil, l.EraseOrder(ctx, rec, j.Intervention(0))
	}}
}
