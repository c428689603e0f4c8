package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/redistest"
)

// counts are the figures of a job.
type counts struct {
	State                          order.JobState
	Matched, Done, Skipped, Failed int64
	Outcomes                       map[order.Status]int64
}

func (b *bundle) want(id string, want counts) order.Job {
	b.t.Helper()
	j := b.job(id)
	if want.Outcomes == nil {
		want.Outcomes = map[order.Status]int64{}
	}
	got := counts{j.State, j.Matched, j.Done, j.Skipped, j.Failed, j.Outcomes}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("%s: %s (-want +got):\n%s", id, j.Error, diff)
	}
	return j
}

// TestDeaths retries 300 orders while the process dies before or after every kind of step,
// replies are lost, and every seventh order fails again while the job still runs. Each
// order is retried once, and every count is exact.
func TestDeaths(t *testing.T) {
	overBooks(t, testDeaths)
}

func testDeaths(t *testing.T, b *bundle) {
	t.Helper()
	ids := b.failed("o", 300)
	b.accept("pending", 20)
	j := b.create(order.Job{Action: order.JobRetry, Reason: "shop is back"})
	b.failed("late", 20)
	deaths, settled := 0, map[string]bool{}
	settle := func() {
		var again, done []string
		for _, id := range b.in(order.StatusPending) {
			switch {
			case settled[id] || strings.HasPrefix(id, "pending"):
			case strings.HasSuffix(id, "7"):
				again = append(again, id)
			default:
				done = append(done, id)
			}
		}
		b.settle(again, order.StatusFailed)
		b.settle(done, order.StatusCompleted)
		for _, id := range append(again, done...) {
			settled[id] = true
		}
	}
	for round := 1; b.job(j.ID).State != order.JobDone; round++ {
		ctx, die := context.WithCancel(t.Context())
		d := &death{at: 1 + round%11, after: round%2 == 0, die: die}
		if round%3 == 0 {
			b.Breaker.BreakNth(1+round%7, redistest.Faults()[round/3%2], redistest.Script("orders:"))
		}
		b.runner(b.Broken, plenty, d).CarryOut(ctx, j.ID)
		if ctx.Err() != nil {
			deaths++
		}
		die()
		settle()
	}
	settle()
	if b.Breaker.Fired() < 5 || deaths < 40 {
		t.Errorf("%d commands were broken, and %d processes died", b.Breaker.Fired(), deaths)
	}
	b.want(j.ID, counts{order.JobDone, 300, 300, 0, 0, map[order.Status]int64{order.StatusCompleted: 270, order.StatusFailed: 30}})
	for _, id := range ids {
		events, err := b.books.Events(t.Context(), id)
		queuetest.Must(t, err)
		retries := slices.DeleteFunc(events, func(e order.Event) bool { return e.Actor == "" })
		if len(retries) != 1 || retries[0].Actor != "ops" || retries[0].Reason != "job job-1: shop is back" {
			t.Errorf("%s was retried so: %+v", id, retries)
		}
	}
}

// TestTwoRunners lets two processes carry out one job at once, beside a person who retries
// some of its orders. None is changed twice, and none counted twice.
func TestTwoRunners(t *testing.T) {
	overBooks(t, testTwoRunners)
}

func testTwoRunners(t *testing.T, b *bundle) {
	t.Helper()
	ids := b.failed("o", 300)
	j := b.create(order.Job{Action: order.JobRetry})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { b.runner(b.RDB, plenty, nil).CarryOut(t.Context(), j.ID) })
	}
	all.Go(func() {
		for _, id := range ids[:100] {
			_, _ = b.books.Retry(t.Context(), id, "person "+id, order.Intervention{Actor: "person"})
		}
	})
	all.Wait()
	got := b.job(j.ID)
	byPerson := 0
	for _, id := range b.in(order.StatusPending) {
		events, err := b.books.Events(t.Context(), id)
		queuetest.Must(t, err)
		if events[len(events)-1].Actor == "person" {
			byPerson++
		}
		if len(events) != 4 {
			t.Errorf("%s has the events %+v", id, events)
		}
	}
	if got.State != order.JobDone || got.Done != int64(300-byPerson) || got.Matched != got.Done+got.Skipped || got.Failed != 0 {
		t.Errorf("the job is %+v, and a person retried %d", got, byPerson)
	}
}

// TestActions lets jobs do everything that they can do, and checks whom they leave alone.
func TestActions(t *testing.T) {
	b := open(t)
	failed, rejected := b.failed("failed", 3), b.accept("rejected", 2)
	b.settle(rejected, order.StatusRejected)
	completed := b.accept("completed", 2)
	b.settle(completed, order.StatusCompleted)
	released, refused := b.held("a-held", 3), b.held("b-held", 2)
	pending, processing := b.accept("pending", 4), b.accept("processing", 2)
	retrying := b.accept("retrying", 2)
	b.begin(processing)
	b.begin(retrying)
	each(retrying, func(id string) {
		queuetest.Must(t, b.books.Fail(t.Context(), order.Claim{ID: id, Token: id}, order.Failure{Error: "answered 503", RetryIn: time.Hour}))
	})
	one := func(id string, j order.Job, want counts) {
		t.Helper()
		j.ID = id
		b.create(j)
		b.carryOut(id)
		b.want(id, want)
	}
	prefix := func(p string) order.Filter { return order.Filter{Further: order.Further{IDPrefix: p}} }
	one("dry", order.Job{Action: order.JobRetry, DryRun: true}, counts{order.JobDone, 5, 0, 0, 0, nil})
	one("retry", order.Job{Action: order.JobRetry}, counts{order.JobDone, 5, 5, 0, 0, nil})
	one("release", order.Job{Action: order.JobRelease, Filter: prefix("a-")}, counts{order.JobDone, 3, 3, 0, 0, nil})
	one("reject", order.Job{Action: order.JobReject, Reason: "fraud"}, counts{order.JobDone, 2, 2, 0, 0, map[order.Status]int64{order.StatusRejected: 2}})
	one("cancel-retrying", order.Job{Action: order.JobCancel, Filter: order.Filter{Status: order.StatusRetrying}},
		counts{order.JobDone, 2, 2, 0, 0, map[order.Status]int64{order.StatusCancelled: 2}})
	one("cancel", order.Job{Action: order.JobCancel}, counts{order.JobDone, 12, 12, 0, 0, map[order.Status]int64{order.StatusCancelled: 12}})
	one("nothing", order.Job{Action: order.JobRelease}, counts{order.JobDone, 0, 0, 0, 0, nil})
	b.want("retry", counts{order.JobDone, 5, 5, 0, 0, map[order.Status]int64{order.StatusCancelled: 5}})
	b.want("release", counts{order.JobDone, 3, 3, 0, 0, map[order.Status]int64{order.StatusCancelled: 3}})
	queuetest.CheckSame(t, "cancelled", slices.Concat(failed, rejected, released, pending, retrying), b.in(order.StatusCancelled))
	queuetest.CheckSame(t, "rejected", refused, b.in(order.StatusRejected))
	queuetest.CheckSame(t, "processing", processing, b.in(order.StatusProcessing))
}

// TestChangedSince leaves alone what changed after the job was created, and what goes away
// while it runs. Whatever is left alone is skipped.
func TestChangedSince(t *testing.T) {
	b := open(t)
	b.failed("o", 250)
	completed := b.accept("later", 30)
	j := b.create(order.Job{Action: order.JobRetry})
	b.settle(completed, order.StatusFailed) // failed too late
	ctx, die := context.WithCancel(t.Context())
	b.runner(b.RDB, plenty, &death{at: 5, after: true, die: die}).CarryOut(ctx, j.ID)
	b.want(j.ID, counts{order.JobRunning, 250, 3, 0, 0, nil})
	for i := range 10 { // 020 to 029 of the page that is read next, and of the one after
		for _, n := range []int{20 + i, 200 + i} {
			id := fmt.Sprintf("o%03d", n)
			_, err := b.books.Retry(t.Context(), id, "r", order.Intervention{Actor: "person"})
			queuetest.Must(t, err)
			if i < 5 {
				b.settle([]string{id}, order.StatusFailed)
			}
		}
	}
	b.carryOut(j.ID)
	b.want(j.ID, counts{order.JobDone, 250, 230, 20, 0, nil})

	// A cancel goes on with an order whose attempt failed meanwhile, not with one that was
	// settled and retried.
	flapping, retried := b.accept("p-flapping", 5), b.accept("p-retried", 5)
	c := b.create(order.Job{ID: "cancel", Action: order.JobCancel, Filter: order.Filter{Status: order.StatusPending, Further: order.Further{IDPrefix: "p-"}}})
	b.begin(flapping)
	each(flapping, func(id string) {
		queuetest.Must(t, b.books.Fail(t.Context(), order.Claim{ID: id, Token: id}, order.Failure{Error: "answered 503", RetryIn: time.Hour}))
	})
	ctx, die = context.WithCancel(t.Context())
	b.runner(b.RDB, plenty, &death{at: 2, die: die}).CarryOut(ctx, c.ID)
	b.settle(retried, order.StatusFailed)
	each(retried, func(id string) {
		_, err := b.books.Retry(t.Context(), id, "r", order.Intervention{Actor: "person"})
		queuetest.Must(t, err)
	})
	b.carryOut(c.ID)
	b.want(c.ID, counts{order.JobDone, 10, 5, 5, 0, map[order.Status]int64{order.StatusCancelled: 5}})
}

// TestLimit changes no more orders than a job may.
func TestLimit(t *testing.T) {
	overBooks(t, testLimit)
}

func testLimit(t *testing.T, b *bundle) {
	t.Helper()
	b.failed("o", 30)
	j := b.create(order.Job{Action: order.JobRetry, Limit: 7})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { b.runner(b.RDB, plenty, nil).CarryOut(t.Context(), j.ID) })
	}
	all.Wait()
	b.want(j.ID, counts{order.JobDone, 30, 7, 23, 0, nil})
}

// TestStopAfterFailures stops a job once so many of its orders have failed again.
func TestStopAfterFailures(t *testing.T) {
	overBooks(t, testStopAfterFailures)
}

func testStopAfterFailures(t *testing.T, b *bundle) {
	t.Helper()
	b.failed("o", 30)
	j := b.create(order.Job{Action: order.JobRetry, StopAfterFailures: 3, PerSecond: 200})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.carryOut(j.ID)
	}()
	programtest.Until(t, "three orders are retried", func() bool { return b.job(j.ID).Done >= 3 })
	b.settle(b.in(order.StatusPending)[:3], order.StatusFailed)
	<-ended
	got := b.job(j.ID)
	if got.State != order.JobStopped || got.Done >= 30 || got.Outcomes[order.StatusFailed] != 3 || got.Error != fmt.Sprintf("3 of %d orders failed again", got.Done) {
		t.Errorf("the job is %+v", got)
	}
}

// TestCanary changes a few orders first, waits for their outcomes, and goes on only if all
// is well, or if somebody says so.
func TestCanary(t *testing.T) {
	for name, row := range map[string]struct {
		outcome order.Status
		state   order.JobState
	}{"good": {order.StatusCompleted, order.JobDone}, "bad": {order.StatusFailed, order.JobPaused}} {
		t.Run(name, func(t *testing.T) {
			b := openOver(t, 4)
			b.failed("o", 30)
			j := b.create(order.Job{Action: order.JobRetry, Canary: 4})
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				b.carryOut(j.ID)
			}()
			programtest.Until(t, "the canary is retried", func() bool { return b.job(j.ID).Done == 4 })
			canary := b.in(order.StatusPending)
			b.settle(canary[:3], order.StatusCompleted)
			b.settle(canary[3:], row.outcome)
			<-ended
			got := b.job(j.ID)
			if got.State != row.state || got.Done != map[order.JobState]int64{order.JobDone: 30, order.JobPaused: 4}[row.state] {
				t.Fatalf("the job is %+v", got)
			}
			if row.state == order.JobPaused {
				if got.Error != "1 of the first 4 orders failed again" {
					t.Errorf("the error is %q", got.Error)
				}
				_, err := b.books.ChangeJob(t.Context(), j.ID, order.JobRunning, order.Intervention{Actor: "ops"})
				queuetest.Must(t, err)
				b.carryOut(j.ID)
			}
			if got := b.job(j.ID); got.State != order.JobDone || got.Done != 30 || got.Error != "" {
				t.Errorf("the job is %+v", got)
			}
		})
	}
}

// TestPauseResumeStop changes no order after the answer to a pause or a stop, while counting
// as while running, and goes on where it was.
func TestPauseResumeStop(t *testing.T) {
	b := open(t)
	b.failed("o", 250)
	j := b.create(order.Job{Action: order.JobRetry, PerSecond: 500})
	change := func(to, want order.JobState) order.Job {
		t.Helper()
		got, err := b.books.ChangeJob(t.Context(), j.ID, to, order.Intervention{Actor: "ops"})
		if err != nil || got.State != want {
			t.Fatalf("the job is %s, %v; want %s", got.State, err, want)
		}
		return got
	}
	change(order.JobPaused, order.JobPaused)
	b.carryOut(j.ID)
	b.want(j.ID, counts{order.JobPaused, 0, 0, 0, 0, nil})
	change(order.JobRunning, order.JobCounting)
	ended := make(chan struct{})
	run := func() {
		defer func() { ended <- struct{}{} }()
		b.carryOut(j.ID)
	}
	go run()
	programtest.Until(t, "it has begun", func() bool { return b.job(j.ID).Done > 0 })
	paused := change(order.JobPaused, order.JobPaused)
	<-ended
	if got := b.job(j.ID); got.Done != paused.Done || len(b.in(order.StatusPending)) != int(paused.Done) {
		t.Errorf("after the pause the job is %+v", got)
	}
	change(order.JobRunning, order.JobRunning)
	go run()
	programtest.Until(t, "it goes on", func() bool { return b.job(j.ID).Done > paused.Done })
	stopped := change(order.JobStopped, order.JobStopped)
	<-ended
	change(order.JobStopped, order.JobStopped)
	if got := b.job(j.ID); got.Done != stopped.Done || len(b.in(order.StatusPending)) != int(stopped.Done) || got.EndedAt.IsZero() {
		t.Errorf("after the stop the job is %+v", got)
	}
}

// TestNoRoom waits while there is no room for orders, and counts nothing twice.
func TestNoRoom(t *testing.T) {
	b := open(t)
	b.failed("o", 10)
	j := b.create(order.Job{Action: order.JobRetry})
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	b.runner(b.RDB, 4, nil).CarryOut(ctx, j.ID)
	b.want(j.ID, counts{order.JobRunning, 10, 4, 0, 0, nil})
	b.carryOut(j.ID)
	b.want(j.ID, counts{order.JobDone, 10, 10, 0, 0, nil})
}

// TestUnchangeable counts an order that cannot be changed as failed, and goes on.
func TestUnchangeable(t *testing.T) {
	b := open(t)
	b.failed("o", 10)
	j := b.create(order.Job{Action: order.JobRetry})
	ctx, die := context.WithCancel(t.Context())
	b.runner(b.RDB, plenty, &death{at: 2, die: die}).CarryOut(ctx, j.ID)
	queuetest.Must(t, b.RDB.HSet(t.Context(), "orders:{b0}:o:o004", "v", "no number").Err())
	b.carryOut(j.ID)
	b.want(j.ID, counts{order.JobDone, 10, 9, 0, 1, nil})
	queuetest.Must(t, b.RDB.HSet(t.Context(), "orders:{b0}:o:o004", "v", "3").Err())
}

// TestRun carries out the jobs that run, several at once, when this process leads, and lets
// the admission look while it does.
func TestRun(t *testing.T) {
	b := open(t)
	b.leads.Store(false)
	b.failed("a", 30, ordertest.WithCustomer("Ada"))
	b.failed("b", 30, ordertest.WithCustomer("Bob"))
	b.create(order.Job{ID: "ada", Action: order.JobRetry, Filter: order.Filter{Customer: "Ada"}})
	b.create(order.Job{ID: "bob", Action: order.JobRetry, Filter: order.Filter{Customer: "Bob"}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.runner(b.RDB, plenty, nil).Run(ctx) }()
	queuetest.Never(t, "a process that does not lead works", func() bool { return b.job("ada").State != order.JobCounting })
	b.leads.Store(true)
	programtest.Until(t, "both jobs are done", func() bool {
		return b.job("ada").State == order.JobDone && b.job("bob").State == order.JobDone
	})
	b.want("ada", counts{order.JobDone, 30, 30, 0, 0, nil})
	b.want("bob", counts{order.JobDone, 30, 30, 0, 0, nil})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if open, err := ledger.New(b.RDB).OpenJobs(t.Context()); len(open) != 0 || err != nil {
		t.Errorf("open are %+v, %v", open, err)
	}
}
