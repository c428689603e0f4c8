package recovery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/redistest"
)

// minAge is how long an order may be without a task before it counts as missing.
const minAge = 30 * time.Second

// TestMissingTask checks which orders get a task, which task they get, and that a repair
// is counted once however often the ledger is compared.
func TestMissingTask(t *testing.T) {
	t.Parallel()
	second := time.Now().Truncate(time.Second).Add(time.Hour)
	scheduled := func(at time.Time) step { return accept("o1", ordertest.WithProcessAt(at)) }
	failed := settle("o1", order.StatusFailed)
	rows := []struct {
		name  string
		steps []step
		age   time.Duration // of the order when it is repaired
		want  state
		until time.Time // for which the task waits
	}{
		{"without a task", []step{accept("o1")}, minAge + time.Microsecond, state{1, 1}, time.Time{}},
		{"too young", []step{accept("o1")}, minAge, state{0, 0}, time.Time{}},
		{"with its task", []step{accept("o1"), enqueue("o1")}, time.Minute, state{1, 0}, time.Time{}},
		{"retrying without a task", []step{accept("o1"), fail("o1")}, time.Minute, state{1, 1}, time.Time{}},
		{"processing without a task", []step{accept("o1"), begin("o1", "w1")}, time.Minute, state{1, 1}, time.Time{}},
		{"with an archived task", []step{accept("o1"), enqueue("o1"), archive("o1")}, time.Minute, state{1, 1}, time.Time{}},
		{"settled", []step{accept("o1"), settle("o1", order.StatusCompleted)}, time.Minute, state{0, 0}, time.Time{}},
		{"settled with an archived task", []step{accept("o1"), failed, enqueue("o1"), archive("o1")}, time.Minute, state{1, 0}, time.Time{}},
		{"retried without a task", []step{accept("o1"), failed, retry("o1")}, time.Minute, state{1, 1}, time.Time{}},
		{"retried with its archived task", []step{accept("o1"), enqueue("o1"), failed, archive("o1"), retry("o1")}, time.Minute, state{1, 1}, time.Time{}},
		{"retried with its task", []step{accept("o1"), enqueue("o1"), failed, retry("o1")}, time.Minute, state{1, 0}, time.Time{}},
		{"cancelled", []step{scheduled(second), cancel("o1")}, time.Minute, state{0, 0}, time.Time{}},
		{"scheduled", []step{scheduled(second)}, time.Minute, state{1, 1}, second},
		{"scheduled between two seconds", []step{scheduled(second.Add(time.Microsecond))}, time.Minute, state{1, 1}, second.Add(time.Second)},
		{"scheduled, its time has come", []step{scheduled(second), due}, time.Minute, state{1, 1}, time.Time{}},
		{"scheduled, too young", []step{scheduled(second)}, minAge, state{0, 0}, time.Time{}},
		{"scheduled with its task", []step{scheduled(second), enqueue("o1")}, time.Minute, state{1, 0}, second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := open(t)
			b.do(row.steps...)
			before := b.get("o1")
			for _, r := range []*recovery.Repairer{b.Repairer, b.Repairer, b.repairer(b.books.Books()[0])} {
				queuetest.Must(t, r.RepairTasks(t.Context(), before.CreatedAt.Add(row.age)))
				b.wantState("after a repair", row.want)
			}
			if row.want.Missing > 0 {
				b.wantTask(row.until)
			}
			wantEqual(t, "record", before, b.get("o1"))
		})
	}
}

// due moves the time of order o1 into the past, as a test cannot wait for it.
func due(b *bundle) {
	b.t.Helper()
	o := b.get("o1").Order
	o.ProcessAt = time.Now().Add(-time.Second)
	document, err := json.Marshal(o)
	queuetest.Must(b.t, err)
	b.RDB.HSet(b.t.Context(), ledgertest.RecordKey("o1"), "d", document)
}

// wantTask checks that the task of o1 is pending, or waits for a time.
func (b *bundle) wantTask(until time.Time) {
	b.t.Helper()
	want := asynq.TaskStatePending
	if !until.IsZero() {
		want = asynq.TaskStateScheduled
	}
	info := b.Task(order.QueueDefault, "o1")
	if info == nil || info.State != want || !until.IsZero() && !info.NextProcessAt.Equal(until) {
		b.t.Errorf("the task is %+v, want it %v until %v", info, want, until)
	}
}

// TestMissingTaskIsAsFirst checks that the new task is in the queue of the record, with
// the content of a first task.
func TestMissingTaskIsAsFirst(t *testing.T) {
	b := open(t)
	o := ordertest.Order(t, ordertest.WithID("o1"), ordertest.WithPriority(order.PriorityHigh))
	rec, _, err := ledgertest.Accept(t.Context(), b.books, o, order.QueueCritical)
	queuetest.Must(t, err)
	var infos []*asynq.TaskInfo
	for _, add := range []func(){
		func() { b.do(enqueue("o1")) },
		func() { b.repairTasks(rec.CreatedAt.Add(time.Minute)) },
	} {
		add()
		info, err := b.Asynq.GetTaskInfo("critical", "o1")
		queuetest.Must(t, err)
		queuetest.Must(t, b.Asynq.DeleteTask("critical", "o1"))
		info.NextProcessAt = time.Time{}
		infos = append(infos, info)
	}
	wantEqual(t, "task", infos[0], infos[1])
}

// TestRepairTasksIsBounded checks that one call examines 2,000 orders of a status, that
// the next call continues from there, and that the walk starts over after the last order.
func TestRepairTasksIsBounded(t *testing.T) {
	b := open(t)
	var last order.Record
	for n := range 2300 {
		last = b.accept(fmt.Sprintf("o%d", n))
		if n >= 100 && n < 150 {
			b.do(enqueue(last.ID))
		}
	}
	now := last.CreatedAt.Add(minAge + time.Second)
	repair := func(want state) {
		t.Helper()
		b.repairTasks(now)
		b.wantState("after a repair", want)
	}
	repair(state{2000, 1950})
	repair(state{2300, 2250})
	for _, id := range []string{"o0", "o2299"} {
		queuetest.Must(t, b.Asynq.DeleteTask("default", id))
	}
	repair(state{2299, 2251})
	repair(state{2300, 2252})
	repair(state{2300, 2252})
}

// TestTwoRepairers checks that two processes at once repair each order once between them.
func TestTwoRepairers(t *testing.T) {
	b := open(t)
	var last order.Record
	for n := range 300 {
		last = b.accept(fmt.Sprintf("o%d", n))
	}
	var both sync.WaitGroup
	for _, r := range []*recovery.Repairer{b.Repairer, b.repairer(b.books.Books()[0])} {
		both.Go(func() {
			if err := r.RepairTasks(t.Context(), last.CreatedAt.Add(time.Minute)); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	b.wantState("after both", state{300, 300})
}

// TestMissingTaskFaults breaks each command of a repair in both ways and repairs again: the
// order has its task then. The count may miss one repair and never counts one twice.
func TestMissingTaskFaults(t *testing.T) {
	t.Parallel()
	name := func(n string) func(redis.Cmder) bool { return func(c redis.Cmder) bool { return c.Name() == n } }
	at := time.Now().Truncate(time.Second).Add(time.Hour)
	pending, scheduled := accept("o1"), accept("o1", ordertest.WithProcessAt(at))
	rows := []struct {
		name       string
		order      step
		match      func(redis.Cmder) bool
		notApplied state
		replyLost  state
	}{
		{"list", pending, name("zrange"), state{1, 1}, state{1, 1}},
		{"name the queue", pending, name("sadd"), state{1, 1}, state{1, 1}},
		{"find the task", pending, name("sismember"), state{1, 1}, state{1, 1}},
		{"enqueue", pending, queuetest.SecondKey(":pending"), state{1, 1}, state{1, 0}},
		{"enqueue scheduled", scheduled, queuetest.SecondKey(":scheduled"), state{1, 1}, state{1, 0}},
		{"count", pending, counts, state{1, 0}, state{1, 1}},
	}
	for _, row := range rows {
		for fault, want := range map[redistest.Fault]state{redistest.NotApplied: row.notApplied, redistest.ReplyLost: row.replyLost} {
			t.Run(row.name+"/"+fault.String(), func(t *testing.T) {
				b := open(t)
				b.do(row.order)
				rec := b.get("o1")
				now := rec.CreatedAt.Add(time.Minute)
				b.Breaker.Break(fault, row.match)
				b.wantUnavailable(b.RepairTasks(t.Context(), now))
				for range 2 {
					b.repairTasks(now.Add(10 * time.Second))
					b.wantState("after the next repair", want)
				}
				b.wantTask(rec.ProcessAt)
			})
		}
	}
}

// counts matches the script that counts a missing task, which changes the order.
func counts(c redis.Cmder) bool {
	return redistest.Script("orders:")(c) && len(c.Args()) > 4 && c.Args()[4] == ledgertest.EventsKey
}

// TestRepairTasksContinues checks that a repair which broke in the middle of a page
// continues where it broke.
func TestRepairTasksContinues(t *testing.T) {
	b := open(t)
	var last order.Record
	for n := range 250 {
		last = b.accept(fmt.Sprintf("o%d", n))
	}
	now := last.CreatedAt.Add(time.Minute)
	b.Breaker.BreakNth(220, redistest.NotApplied, redistest.Script("asynq:"))
	b.wantUnavailable(b.RepairTasks(t.Context(), now))
	b.repairTasks(now)
	b.wantState("after the next repair", state{250, 250})
}

// changing is a ledger whose orders change after they were listed.
type changing struct {
	*ledger.Book
	change func(id string)
}

func (c changing) Waiting(ctx context.Context, s order.Status, after, before time.Time, limit int) (
	records []order.Record, next time.Time, err error,
) {
	records, next, err = c.Book.Waiting(ctx, s, after, before, limit)
	for _, rec := range records {
		c.change(rec.ID)
	}
	return records, next, err
}

// TestOrderChanges checks that an order which is settled or forgotten after it was listed
// gets no task.
func TestOrderChanges(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"settled":   {settle("o1", order.StatusCompleted)},
		"cancelled": {cancel("o1")},
		"forgotten": {settle("o1", order.StatusCompleted), forget},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			now := b.accept("o1").CreatedAt.Add(time.Minute)
			r := b.repairer(changing{b.books.Books()[0], func(string) { b.do(steps...) }})
			queuetest.Must(t, r.RepairTasks(t.Context(), now))
			b.wantState("after the repair", state{})
		})
	}
}

// TestUnreadableRecord checks that a record which cannot be read is reported with its id,
// and does not keep another order from its task.
func TestUnreadableRecord(t *testing.T) {
	b := open(t)
	b.do(accept("odd"))
	good := b.accept("good")
	defer b.makeUnreadable("odd")()
	err := b.RepairTasks(t.Context(), good.CreatedAt.Add(time.Minute))
	if err == nil || !strings.Contains(err.Error(), "order odd") {
		t.Errorf("the repair answered %v", err)
	}
	b.wantState("after the repair", state{1, 1})
}
