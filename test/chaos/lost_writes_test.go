package chaos_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// TestLostWrites loses each write of the API and of the workers on its way to Redis, and
// then each one's reply. The writes are those that pass the proxy; a script of ours that
// never passes fails the test. Orders are in several books, as some scripts need them.
func TestLostWrites(t *testing.T) {
	s := open(t, "e each write is lost, and its reply")
	kinds := readWriteKinds(s)
	w := &workload{s: s, kinds: kinds}
	s.shop.respond = w.respond
	retention := "ORDERS_RETENTION=5s"
	s.more = []string{"ORDERS_ARCHIVE_URL=sqlite://" + filepath.Join(t.TempDir(), "archive.db"), fmt.Sprint("ORDERS_BOOKS=", lostBooks)}
	url, api := s.breakWrites("API", kinds)
	s.addAPIs(1, "REDIS_URL="+url, retention)
	url, workers := s.breakWrites("worker", kinds)
	s.addWorkers(2, "REDIS_URL="+url, retention, "ORDERS_SHUTDOWN_TIMEOUT=31s")
	w.breakers = []*writeBreaker{api, workers}
	w.s.holdOrders()
	wait(2 * time.Second) // until the rules are in force everywhere
	w.run()
	a := s.concludeByTotals()
	a.checkKinds("200", "201", "503")
	t.Logf("writes of the API: %v", strings.Join(api.broken(), "; "))
	t.Logf("writes of workers: %v", strings.Join(workers.broken(), "; "))
}

// lostBooks is how many books the orders are in.
const lostBooks = 2

// taskQueue begins the keys of the queue that has the task of an order.
func taskQueue(q order.Queue, id string) string {
	return fmt.Sprintf("%s%s-%02d}:", queueStart, q, order.BookOf(id, lostBooks))
}

// workload makes the programs write in every way that they can.
type workload struct {
	s        *system
	kinds    *writeKinds
	breakers []*writeBreaker
	refusing sync.Map // ids of orders that the shop refuses for now
	orders   int
	begun    string // an order of those whose workers are to be killed again
}

func (w *workload) respond(id string, call int) reply {
	if _, refuse := w.refusing.Load(id); refuse {
		return reply{Status: http.StatusUnprocessableEntity}
	}
	if strings.HasPrefix(id, "long-") && call <= 2 {
		return reply{Status: http.StatusOK, After: 2500 * time.Millisecond}
	}
	switch kind, _, _ := strings.Cut(id, "-"); kind {
	case "order":
		return flaky(id, call)
	case "slow":
		return reply{Status: http.StatusOK, After: 8 * time.Second}
	default:
		return acceptAll(id, call)
	}
}

// run repeats turns until every write has met every fault, or no more do.
func (w *workload) run() {
	w.s.t.Helper()
	deadline := time.Now().Add(patience)
	var last []string
	for turn := 0; ; turn++ {
		w.turn(turn)
		open := w.open()
		if len(open) == 0 && turn > restarts {
			w.s.t.Logf("all writes were broken in %d turns, at last %v", turn+1, last)
			return
		}
		if !slices.Equal(open, last) {
			deadline = time.Now().Add(patience)
		}
		last = open
		if time.Now().After(deadline) {
			w.s.t.Errorf("not all writes are broken, and none was for %v:\n%s", patience, strings.Join(open, "\n"))
			return
		}
	}
}

// rare reports whether a kind of write is too rare to meet the whole plan in time.
// A worker removes an archived task only when the retry of its order was recorded
// and not queued, and announces a queue when it is the first time that it repairs an
// order of it.
func rare(write string) bool {
	return strings.HasPrefix(write, "worker: EVALSHA t groups ") || strings.HasPrefix(write, "worker: SADD asynq:queues ")
}

// open lists the writes that have not met all faults, and our scripts that never passed.
func (w *workload) open() []string {
	var open, broken []string
	for _, b := range w.breakers {
		for _, write := range b.open() {
			if !rare(write) {
				open = append(open, write)
			}
		}
		broken = append(broken, b.broken()...)
	}
	for name := range w.kinds.sources {
		if !onlyReads(name) && !slices.Contains(broken, name+".lua") {
			open = append(open, name+".lua: never passed")
		}
	}
	slices.Sort(open)
	return open
}

// restarts is the turn in which programs are stopped for the last time, which writes too.
const restarts = 29

// turn makes every write happen once, in a second or more.
func (w *workload) turn(n int) {
	s := w.s
	first := w.orders
	w.orders += 30
	s.client.submitAll(30, 4, func(i int) submission { return flakyOrder(first + i) })
	w.retried(n)
	w.cancelled(n)
	w.jobbed(n)
	w.erased(n)
	w.s.holdOrders()
	w.held(n)
	w.corrupt(n)
	w.stale(n)
	w.unbalance()
	s.operate("/queues/low/pause", "")
	s.operate("/queues/low/resume", "")
	switch n % 40 {
	case 1:
		w.begin(n)
		w.killWorkers()
	case 3, 5, 7, 9: // works for so long that its lease is renewed
		s.client.submit(w.one("slow", n, "completed"))
	case restarts - 3, restarts: // by then those that were lost have been found
		for _, l := range []*instance{s.apis[0], s.workers[0], s.workers[1]} {
			l.stop()
			l.restart()
		}
	}
	if w.begun != "" && s.shop.called(w.begun) == 2 {
		w.begun = ""
		w.killWorkers()
	}
	wait(time.Second)
}

// one returns an order whose id begins with what happens to it.
func (w *workload) one(kind string, n int, ends order.Status) submission {
	o := plain(fmt.Sprintf("%s-%d", kind, n), 20_000+5*n+len(kind)%5) // none of high value
	o.Priority, o.Ends = 2, ends
	return o
}

// retried submits an order that fails, and retries it once the shop accepts it.
func (w *workload) retried(n int) {
	o := w.one("retried", n, "completed")
	w.refusing.Store(o.ID, true)
	w.s.client.submit(o)
	w.s.until("order "+o.ID+" failed", func() bool {
		var v client.Order
		return w.s.get("/orders/"+o.ID, &v) == nil && v.Status == "failed"
	})
	w.refusing.Delete(o.ID)
	w.s.operate("/orders/"+o.ID+"/retry", "")
}

// cancelled submits an order and cancels it before its time.
func (w *workload) cancelled(n int) {
	o := w.one("cancelled", n, "cancelled")
	o.ProcessAt = timeIn(time.Hour)
	w.s.client.submit(o)
	w.s.operate("/orders/"+o.ID+"/cancel", `{}`)
}

// jobbed submits an order and lets a job cancel it before its time. The job is paused and
// goes on.
func (w *workload) jobbed(n int) {
	o := w.one("jobbed", n, "cancelled")
	o.ProcessAt = timeIn(time.Hour)
	w.s.client.submit(o)
	var job client.Job
	body := w.s.operate("/jobs", `{"action":"cancel","filter":{"id_prefix":"`+o.ID+`"}}`, "Idempotency-Key", "job-"+o.ID).Body
	if err := json.Unmarshal(body, &job); err != nil || job.ID == "" {
		w.s.t.Errorf("no job: %s, %v", body, err)
		return
	}
	w.s.operate("/jobs/"+job.ID+"/pause", "")
	w.s.operate("/jobs/"+job.ID+"/resume", "")
	w.s.until("job "+job.ID+" is done", func() bool { return w.s.get("/jobs/"+job.ID, &job) == nil && job.State == order.JobDone })
	if job.Matched != 1 || job.Done != 1 || job.Outcomes["cancelled"] != 1 {
		w.s.t.Errorf("the job is %+v", job)
	}
}

// erased submits an order of a customer of its own, and erases the customer.
func (w *workload) erased(n int) {
	o := w.one("erased", n, "completed")
	o.Customer = fmt.Sprintf("nobody-%d", n)
	w.s.client.submit(o)
	w.s.until("order "+o.ID+" is completed", func() bool {
		var v client.Order
		return w.s.get("/orders/"+o.ID, &v) == nil && v.Status == "completed"
	})
	var job client.Job
	body := w.s.operate("/customers/erase", `{"customer":"`+o.Customer+`"}`, "Idempotency-Key", "job-"+o.ID).Body
	if err := json.Unmarshal(body, &job); err != nil || job.ID == "" {
		w.s.t.Errorf("no job: %s, %v", body, err)
		return
	}
	w.s.until("job "+job.ID+" is done", func() bool { return w.s.get("/jobs/"+job.ID, &job) == nil && job.State == order.JobDone })
	if job.Matched != 1 || job.Done != 1 {
		w.s.t.Errorf("the job is %+v", job)
	}
}

// holding are the builtin rules, after one that holds orders.
const holding = `{"rules": [
	{"name": "review", "when": "order.id.startsWith('held-')", "hold": "have a look"},
	{"name": "amount limit", "when": "order.amount > money('10000.00')", "reject": "order amount exceeds limit"},
	{"name": "item limit", "when": "order.items.size() > 50", "reject": "too many items in order"},
	{"name": "high value", "when": "order.amount > money('1000.00')", "handling": "priority", "queue": "critical"},
	{"name": "high priority", "when": "order.priority == 1", "handling": "expedited"}]}`

// holdOrders stores rules that hold orders, and activates them. They are in force
// everywhere within two seconds.
func (s *system) holdOrders() {
	s.t.Helper()
	var stored struct{ Version string }
	if err := json.Unmarshal(s.operate("/rules", holding).Body, &stored); err != nil {
		s.t.Errorf("no version of the rules: %v", err)
	}
	s.operate("/rules/"+stored.Version+"/activate", "")
}

// held submits an order that is held and released, and one that is held and rejected.
func (w *workload) held(n int) {
	released, rejected := plain(fmt.Sprintf("held-%d-a", n), 40_000+2*n), plain(fmt.Sprintf("held-%d-b", n), 40_001+2*n)
	rejected.Ends = "rejected"
	for _, o := range []submission{released, rejected} {
		w.s.client.submit(o)
		w.s.until("order "+o.ID+" is held", func() bool {
			var v client.Order
			return w.s.get("/orders/"+o.ID, &v) == nil && v.Status == "held"
		})
	}
	w.s.operate("/orders/"+released.ID+"/release", "")
	w.s.operate("/orders/"+rejected.ID+"/reject", `{"reason":"stolen card"}`)
}

// corrupt submits an order and corrupts its task.
func (w *workload) corrupt(n int) {
	o := w.one("corrupt", n, "completed")
	o.ProcessAt = timeIn(2 * time.Second)
	w.s.client.submit(o)
	w.s.rdb.HSet(w.s.t.Context(), taskQueue(order.QueueDefault, o.ID)+"t:"+o.ID, "msg", "garbage")
}

// unbalance miscounts the orders, as a script that stops in the middle does.
func (w *workload) unbalance() { w.s.rdb.HIncrBy(w.s.t.Context(), book+"c", "accepted", 1) }

// stale adds a task that belongs to no order.
func (w *workload) stale(n int) {
	ctx, id, at := w.s.t.Context(), fmt.Sprintf("stale-%d", n), time.Now().Add(time.Hour).Unix()
	w.s.rdb.HSet(ctx, taskQueue(order.QueueLow, id)+"t:"+id, "msg", "none", "state", "scheduled")
	w.s.rdb.Do(ctx, "ZADD", taskQueue(order.QueueLow, id)+"scheduled", at, id)
}

// begin submits orders that workers begin and whose calls take a while.
func (w *workload) begin(n int) {
	w.begun = fmt.Sprintf("long-%d", 10*n)
	w.s.client.submitAll(longOrders, longOrders, func(i int) submission { return w.one("long", 10*n+i, "completed") })
	w.s.until("orders are begun", func() bool { return w.s.shop.called(w.begun) > 0 })
}

// longOrders is how many orders workers have begun when they are killed. When that
// happens to them again, each is quarantined, for two seconds.
const longOrders = 5

// killWorkers kills all workers.
func (w *workload) killWorkers() {
	for _, l := range w.s.workers {
		l.kill()
		l.restart()
	}
}

// timeIn returns a future time as an order has it.
func timeIn(ahead time.Duration) string { return time.Now().Add(ahead).UTC().Format(time.RFC3339Nano) }
