package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
	"orderprocessor/internal/intake"
)

// TestHistories has many clients do everything that clients may do to the same orders while
// API and workers are killed and Redis is frozen, killed and restarted. The answers about
// each order must have an explanation, and subscribers must receive every event.
func TestHistories(t *testing.T) {
	s := open(t, "w every answer has an explanation", "--appendfsync", "always")
	s.p99 = longestRecovery() // Redis is away meanwhile
	s.shop.respond = moody
	s.addAPIs(2)
	s.addWorkers(2)
	s.holdOrders()
	wait(2 * time.Second) // until the rules are in force everywhere
	h := newHistorian(s, shortOrLong(120, 2_400), shortOrLong(40, 50))
	h.subscribe(shortOrLong(3, 6))
	h.call(shortOrLong(12, 24), shortOrLong(4, 48))
	h.settle()
	s.conclude()
	h.check()
}

// window is how many orders clients call at the same time.
const window = 24

// historian calls, subscribes, and keeps what it is told.
type historian struct {
	s        *system
	recorder *history.Recorder
	orders   []func() target // made when they are first called
	calls    int             // that the clients make together
	perOrder int
	made     atomic.Int64
	apis     sync.Map // a *client.Client for each URL

	streams     []*history.Stream
	subscribing sync.WaitGroup
	unsubscribe context.CancelFunc
}

func newHistorian(s *system, orders, perOrder int) *historian {
	h := &historian{s: s, recorder: history.NewRecorder(), calls: orders * perOrder, perOrder: perOrder}
	for n := range orders {
		h.orders = append(h.orders, sync.OnceValue(func() target { return newTarget(n) }))
	}
	return h
}

// api returns a client of an API, as it runs now.
func (h *historian) api(n int) *client.Client {
	url := h.s.apis[n%len(h.s.apis)].current.Load().url
	known, ok := h.apis.Load(url)
	if !ok {
		c, err := client.New(url, client.Options{Once: true})
		if err != nil {
			h.s.t.Error(err)
		}
		known, _ = h.apis.LoadOrStore(url, c)
	}
	return known.(*client.Client)
}

// call has clients call until all calls are made, and makes faults meanwhile.
func (h *historian) call(clients, faults int) {
	var calling sync.WaitGroup
	for n := range clients {
		calling.Go(func() { h.callAs(n + 1) })
	}
	kinds := []func(){h.killWorker, h.killAPI, h.freezeRedis, h.killRedis}
	for n, at := range h.s.moments(faults, h.calls) {
		h.s.until(fmt.Sprintf("%d calls are made", at), func() bool { return int(h.made.Load()) >= at })
		kinds[n%len(kinds)]()
	}
	calling.Wait()
}

// callAs makes calls of one client, one after the other.
func (h *historian) callAs(number int) {
	caller := history.Caller{Number: number, Recorder: h.recorder}
	random := rand.New(rand.NewPCG(h.s.seed, uint64(number)))
	for int(h.made.Load()) < h.calls {
		first := int(h.made.Load()) / h.perOrder
		o := h.orders[(first+random.IntN(window))%len(h.orders)]()
		call, body := o.draw(random)
		switch a := h.do(&caller, random.Int(), o, call, body); a.Result {
		case history.Unknown, history.Refused:
			wait(time.Duration(20+random.IntN(100)) * time.Millisecond)
		default:
			h.made.Add(1)
		}
	}
}

// do makes a call, and journals a submission for the auditor.
func (h *historian) do(caller *history.Caller, api int, o target, call history.Call, sent submission) history.Answer {
	var body []byte
	if call.Op == history.Submit {
		body = []byte(sent.json())
	}
	begun := time.Now()
	a := caller.Do(context.Background(), h.api(api), call, body)
	if call.Op == history.Submit {
		sent.ID = o.id
		h.s.client.note(sent, begun, 1, submissionKinds[a.Result], a.Detail)
	}
	return a
}

// submissionKinds says what the results of submissions are in the client's journal.
var submissionKinds = map[history.Result]string{
	history.Created: "201", history.Replayed: "200", history.OtherContent: "409", history.Unknown: broken, history.Refused: refused,
}

func (h *historian) killWorker() {
	hit := h.s.workers[h.s.rand.IntN(len(h.s.workers))]
	hit.kill()
	hit.restart()
}

func (h *historian) killAPI() {
	hit := h.s.apis[h.s.rand.IntN(len(h.s.apis))]
	hit.kill()
	hit.restart()
}

func (h *historian) freezeRedis() {
	h.s.faults.Add(1)
	h.s.redis.Freeze()
	wait(time.Duration(100+h.s.rand.IntN(2000)) * time.Millisecond)
	h.s.redis.Thaw()
}

func (h *historian) killRedis() {
	h.s.redisDown(time.Duration(100+h.s.rand.IntN(1000)) * time.Millisecond)
}

// settle ends all holds until every order has its outcome, and reads each order once more.
func (h *historian) settle() {
	caller := history.Caller{Number: 0, Recorder: h.recorder}
	h.s.until("no order is held", func() bool {
		all, err := h.s.list("status=held&limit=200")
		for _, o := range all {
			h.do(&caller, 0, target{}, history.Call{Op: history.Release, Order: o.ID, ID: o.ID}, submission{})
		}
		v, ok := h.s.stats()
		return err == nil && len(all) == 0 && ok && unsettled(v) == 0
	})
	for _, made := range h.orders {
		o := made()
		h.s.until("an order is read", func() bool {
			a := h.do(&caller, 0, o, history.Call{Op: history.Get, Order: o.name, ID: o.id}, submission{})
			return a.Result == history.Done || a.Result == history.NotFound
		})
	}
}

// check wants an explanation of every answer, and every stream to agree with the answers.
func (h *historian) check() {
	h.s.t.Helper()
	operations := h.recorder.Operations()
	rows := openJournal[history.Operation](h.s.t, "calls")
	for _, o := range operations {
		rows.add(o)
	}
	begun := time.Now()
	r := history.Check(operations, history.Options{Patience: patience})
	took := time.Since(begun)
	results := map[history.Result]int{}
	for _, o := range operations {
		results[o.Result]++
	}
	h.s.t.Logf("%d orders, %d operations, %d faults, %d answers that are not known; checked in %v: %v",
		r.Orders, r.Operations, h.s.faults.Load(), r.Unknown, took.Round(time.Millisecond), results)
	for _, v := range r.Violations[:min(len(r.Violations), shownFindings)] {
		h.s.t.Error(v)
		h.draw(v)
	}
	if len(r.Violations)+len(r.Undecided) > 0 {
		h.s.t.Errorf("%d orders have no explanation, and %d none in time", len(r.Violations), len(r.Undecided))
	}
	h.checkStreams(operations)
}

// draw writes a page that shows how far a history has an explanation, if CHAOS_DIR is set.
func (h *historian) draw(v history.Violation) {
	h.s.t.Helper()
	base := os.Getenv("CHAOS_DIR")
	if base == "" {
		return
	}
	page, err := os.Create(filepath.Join(base, h.s.t.Name(), v.Order+".html"))
	if err == nil {
		err = v.Draw(page, history.Options{})
		_ = page.Close()
	}
	if err != nil {
		h.s.t.Error(err)
	}
}

// target is an order that all clients call.
type target struct {
	name, id string // the same unless a key names the order
	content  [2]submission
	cancels  bool // clients cancel it often
}

// newTarget returns one of many orders. Some are held, some rejected, some scheduled, and
// some named by keys.
func newTarget(n int) target {
	name := fmt.Sprintf("order-%06d", n)
	if n%8 == 0 {
		name = fmt.Sprintf("held-%06d", n)
	}
	o := plain(name, n)
	o.Ends = ""
	v := target{name: name, id: name, cancels: n%3 == 0}
	switch n % 8 {
	case 1, 2:
		v.name, v.id, o.ID = "key-"+name, intake.KeyedID("", "key-"+name), ""
	case 3:
		o.ProcessAt = timeIn(time.Second)
	case 4:
		o.Amount = money(10_000_00 + 1_00 + n)
	}
	other := o
	other.Items = []string{"coffee"}
	v.content = [2]submission{o, other}
	return v
}

// draw returns the next call of a client.
func (o target) draw(random *rand.Rand) (history.Call, submission) {
	call := history.Call{Op: history.Get, Order: o.name, ID: o.id}
	sent := o.content[0]
	cancels := 1
	if o.cancels {
		cancels = 10
	}
	switch n := random.IntN(100); {
	case n < 16:
		call.Op, call.ID = history.Submit, sent.ID
	case n < 24:
		sent = o.content[1]
		call.Op, call.ID = history.Submit, sent.ID
	case n < 34:
		call.Op = history.Retry
	case n < 40:
		call.Op = history.Release
	case n < 44:
		call.Op = history.Reject
	case n < 44+cancels:
		call.Op = history.Cancel
	}
	return call, sent
}

// moody is a shop that takes a while, and whose first calls sometimes fail, bring no answer,
// whether or not it accepted the order, or are refused for good. It answers most calls, so
// that the circuit breaker stays closed.
func moody(id string, call int) reply {
	r := reply{Status: http.StatusOK, After: 100 * time.Millisecond}
	switch digit := id[len(id)-1] % 10; {
	case digit == 0 && call%2 == 1:
		r.Status = http.StatusServiceUnavailable
	case digit == 2 && call < 3:
		r.Mute = true
	case digit == 3 && call < 3:
		r.Status = 0
	case digit == 4 && call < 4:
		r.Status = http.StatusUnprocessableEntity
	}
	return r
}
