package chaos_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// mill makes everything happen that makes programs write.
type mill struct {
	s         *system
	known     *scripts
	saboteurs []*saboteur
	refusing  sync.Map // ids of orders that the shop refuses for now
	orders    int
	held      string // one of the orders that are held
}

func (m *mill) treat(id string, call int) reply {
	if _, refuse := m.refusing.Load(id); refuse {
		return reply{Status: http.StatusUnprocessableEntity}
	}
	if strings.HasPrefix(id, "held-") && call <= 2 {
		return reply{Status: http.StatusOK, After: 2500 * time.Millisecond}
	}
	switch kind, _, _ := strings.Cut(id, "-"); kind {
	case "order":
		return moody(id, call)
	case "slow":
		return reply{Status: http.StatusOK, After: 8 * time.Second}
	default:
		return takeAll(id, call)
	}
}

// run turns until every write has met every fault, for as long as it gets nearer to that.
func (m *mill) run() {
	m.s.t.Helper()
	deadline := time.Now().Add(patience)
	var last []string
	for turn := 0; ; turn++ {
		m.turn(turn)
		open := m.open()
		if len(open) == 0 && turn > restarts {
			m.s.t.Logf("all writes were broken in %d turns, at last %v", turn+1, last)
			return
		}
		if !slices.Equal(open, last) {
			deadline = time.Now().Add(patience)
		}
		last = open
		if time.Now().After(deadline) {
			m.s.t.Errorf("not all writes are broken, and none was for %v:\n%s", patience, strings.Join(open, "\n"))
			return
		}
	}
}

// rare says whether a kind of write comes too rarely to meet the whole plan in time.
// A worker removes an archived task only when the retry of its order was recorded
// and not queued, and announces a queue when it is the first time that it repairs an
// order of it.
func rare(write string) bool {
	return strings.HasPrefix(write, "worker: EVALSHA t groups ") || strings.HasPrefix(write, "worker: SADD asynq:queues ")
}

// open lists what has not been broken, our scripts that never passed among them.
func (m *mill) open() []string {
	var open, done []string
	for _, b := range m.saboteurs {
		for _, w := range b.open() {
			if !rare(w) {
				open = append(open, w)
			}
		}
		done = append(done, b.broken()...)
	}
	for name := range m.known.sources {
		if !onlyReads(name) && !slices.Contains(done, name+".lua") {
			open = append(open, name+".lua: not through")
		}
	}
	return open
}

// restarts is the turn by which programs have been stopped, which writes as well.
const restarts = 29

// turn makes everything happen once, which takes a second or more.
func (m *mill) turn(n int) {
	s := m.s
	first := m.orders
	m.orders += 30
	s.client.submitAll(30, 4, func(i int) submission { return fate(first + i) })
	m.retried(n)
	m.cancelled(n)
	m.damaged(n)
	m.strayed(n)
	m.unbalance()
	s.demand("/queues/low/pause", "")
	s.demand("/queues/low/resume", "")
	switch n % 40 {
	case 1:
		m.hold(n)
		m.loseWorkers()
	case 3, 5, 7, 9: // works for so long that its lease is renewed
		s.client.submit(m.one("slow", n, "completed"))
	case restarts - 3, restarts: // by then those that were lost have been found
		for _, l := range []*slot{s.apis[0], s.workers[0], s.workers[1]} {
			l.stop()
			l.restart()
		}
	}
	if m.held != "" && s.shop.called(m.held) == 2 {
		m.held = ""
		m.loseWorkers()
	}
	wait(time.Second)
}

// one is an order that takes part in something by its name.
func (m *mill) one(kind string, n int, ends string) submission {
	o := plain(fmt.Sprintf("%s-%d", kind, n), 20_000+5*n+len(kind)%5) // none of high value
	o.Priority, o.Ends = 2, ends
	return o
}

// retried is an order that fails, and is retried when the shop takes it.
func (m *mill) retried(n int) {
	o := m.one("retried", n, "completed")
	m.refusing.Store(o.ID, true)
	m.s.client.submit(o)
	m.s.until("order "+o.ID+" failed", patience, func() bool {
		var v orderView
		return m.s.get("/orders/"+o.ID, &v) == nil && v.Status == "failed"
	})
	m.refusing.Delete(o.ID)
	m.s.demand("/orders/"+o.ID+"/retry", "")
}

// cancelled is an order that is cancelled before its time.
func (m *mill) cancelled(n int) {
	o := m.one("cancelled", n, "cancelled")
	o.ProcessAt = inTime(time.Hour)
	m.s.client.submit(o)
	m.s.demand("/orders/"+o.ID+"/cancel", `{}`)
}

// damaged is an order whose place in the queue nobody can read.
func (m *mill) damaged(n int) {
	o := m.one("damaged", n, "completed")
	o.ProcessAt = inTime(2 * time.Second)
	m.s.client.submit(o)
	m.s.rdb.HSet(m.s.t.Context(), queueStart+"default}:t:"+o.ID, "msg", "garbage")
}

// unbalance miscounts the orders, as a script that stops in its middle does.
func (m *mill) unbalance() { m.s.rdb.HIncrBy(m.s.t.Context(), book+"c", "accepted", 1) }

// strayed is a place in a queue that belongs to no order.
func (m *mill) strayed(n int) {
	ctx, id, at := m.s.t.Context(), fmt.Sprintf("strayed-%d", n), time.Now().Add(time.Hour).Unix()
	m.s.rdb.HSet(ctx, queueStart+"low}:t:"+id, "msg", "none", "state", "scheduled")
	m.s.rdb.Do(ctx, "ZADD", queueStart+"low}:scheduled", at, id)
}

// hold has workers hold some orders.
func (m *mill) hold(n int) {
	m.held = fmt.Sprintf("held-%d", 10*n)
	m.s.client.submitAll(holding, holding, func(i int) submission { return m.one("held", 10*n+i, "completed") })
	m.s.until("orders are held", patience, func() bool { return m.s.shop.called(m.held) > 0 })
}

// holding is how many orders workers hold when they are killed. When that happens
// to them again, each is tried apart, which takes two seconds.
const holding = 5

// loseWorkers kills all workers.
func (m *mill) loseWorkers() {
	for _, l := range m.s.workers {
		l.kill()
		l.restart()
	}
}

// inTime is a time ahead as an order tells it.
func inTime(ahead time.Duration) string { return time.Now().Add(ahead).UTC().Format(time.RFC3339Nano) }

// demand sends a request of an operator until it is answered with anything but
// 503. What has been done by a request without an answer may be refused then.
func (s *system) demand(path, body string) int {
	s.t.Helper()
	status := 0
	s.until("POST "+path+" is answered", patience, func() bool {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.apis[0].current.Load().url+path, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := s.client.http.Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		status = resp.StatusCode
		return status != http.StatusServiceUnavailable
	})
	if status >= 500 || status == http.StatusBadRequest || status == http.StatusNotFound || status == http.StatusUnsupportedMediaType {
		s.t.Errorf("POST %s was answered %d", path, status)
	}
	return status
}
