package browser_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	// loadBatch orders are submitted every loadPause, one event each: 5,000 events a
	// second where the machine can. With the race detector two cores do a quarter.
	loadBatch = 500
	loadPause = 100 * time.Millisecond
	// loadEvents is how many there are at least before the load ends.
	loadEvents = 15_000
	// maxDraws is how often the rows may be drawn in a second, by the page's own clock:
	// every 200 ms, once a second for the ages, and for what was asked for.
	maxDraws = 10
	// maxRows is how many rows the list may ever have.
	maxRows = 50
)

// TestLoad stays usable while thousands of events come every second: people click,
// type and read meanwhile. It uses no more than it did, and shows the newest orders.
func TestLoad(t *testing.T) {
	s := start(t)
	p := s.open("")
	p.mayRefuse() // /health answers 503 without a worker
	s.flood("first", loadBatch)
	p.until(`document.querySelectorAll("#orders [data-order]").length === 50`)
	before := p.usage()
	value[any](p, watchRows)
	l := s.load()
	for l.accepted.Load() < loadEvents {
		p.isOfUse()
	}
	p.sees("#orders-note", "amounts appear when there are fewer orders")
	p.shoot("load")
	draws := p.draws()
	for until := l.accepted.Load() + loadEvents/3; l.accepted.Load() < until; {
		p.do(chromedp.Sleep(step))
	}
	if n := draws(); n > maxDraws {
		t.Errorf("the rows are drawn %.1f times a second; want at most %d", n, maxDraws)
	}
	l.stop()
	p.showsNewest(s)
	p.until(`[...document.querySelectorAll("#orders [data-cell=amount]")].every((cell) => cell.textContent.endsWith(".50"))`)
	p.until(`document.querySelector("#orders-note").textContent === "live"`)
	if n := value[int](p, "mostRows"); n != maxRows {
		t.Errorf("the list has had %d rows; want %d", n, maxRows)
	}
	if after := p.usage(); !after.within(before) {
		t.Errorf("the page uses %+v, and used %+v", after, before)
	}
}

// watchRows keeps how many rows the list has had at most.
const watchRows = `(() => {
	globalThis.mostRows = 0;
	new MutationObserver(() => {
		globalThis.mostRows = Math.max(mostRows, document.querySelectorAll("#orders tbody tr").length);
	}).observe(document.querySelector("main"), { childList: true, subtree: true });
	return true;
})()`

// isOfUse types the id of an order, reads its page, and goes back to the list.
func (p *tab) isOfUse() {
	p.t.Helper()
	p.write("#search-id", "first-7\r")
	p.sees(".verdict", "It waits for a worker")
	p.click("[data-view=overview]")
	p.until(`document.querySelectorAll("#orders [data-order]").length === 50`)
	value[any](p, `(document.querySelector("#search-id").value = "", true)`)
}

// showsNewest waits until the rows are the newest orders, in their order.
func (p *tab) showsNewest(s *system) {
	p.t.Helper()
	p.until(fmt.Sprintf(`[...document.querySelectorAll("#orders [data-order]")].map((row) => row.dataset.order).join() === %q`,
		strings.Join(s.newest(), ",")))
}

// draws begins to count how often the rows are drawn, and returns how often that was for
// each second since.
func (p *tab) draws() (perSecond func() float64) {
	p.t.Helper()
	value[any](p, `(() => {
		globalThis.drawn = { times: 0, since: performance.now() };
		new MutationObserver(() => drawn.times++).observe(document.querySelector("#orders tbody"), { childList: true, subtree: true, characterData: true });
		return true;
	})()`)
	return func() float64 {
		p.t.Helper()
		return value[float64](p, `1000 * drawn.times / (performance.now() - drawn.since)`)
	}
}

// load is orders that are submitted until it stops.
type load struct {
	accepted atomic.Int64
	stop     func()
}

func (s *system) load() *load {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	l := &load{}
	var running sync.WaitGroup
	running.Go(func() { l.pour(ctx, s) })
	l.stop = func() { cancel(); running.Wait() }
	s.t.Cleanup(l.stop)
	return l
}

func (l *load) pour(ctx context.Context, s *system) {
	tick := time.NewTicker(loadPause)
	defer tick.Stop()
	for ctx.Err() == nil {
		from := int(l.accepted.Load())
		s.post("/orders/batch", batch("load", from, from+loadBatch), "Content-Type", "application/x-ndjson")
		l.accepted.Add(loadBatch)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// TestFlood shows thousands of orders, and uses no more than it did.
func TestFlood(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("")
	p.sees("#state-words", "All is well")
	s.flood("first", 500)
	p.sees("[data-figure=completed-note]", "500 so far")
	p.until(`document.querySelectorAll("#orders [data-order]").length === 50`)
	before := p.usage()
	s.flood("second", 1500)
	p.sees("[data-figure=completed-note]", "2,000 so far")
	p.until(`[...document.querySelectorAll("#orders .pill")].every((pill) => pill.textContent === "completed")`)
	p.until(`document.querySelectorAll("#orders [data-order^=second]").length === 50`)
	if after := p.usage(); !after.within(before) {
		t.Errorf("the page uses %+v, and used %+v", after, before)
	}
	p.sees("#orders tbody tr [data-cell=amount]", ".50") // what events lack is filled in
	p.shoot("desktop-light")
}

// flood submits n orders in batches.
func (s *system) flood(name string, n int) {
	s.t.Helper()
	for from := 0; from < n; from += loadBatch {
		s.post("/orders/batch", batch(name, from, min(n, from+loadBatch)), "Content-Type", "application/x-ndjson")
	}
}

// batch is orders of all priorities with the ids name-from to name-(to-1).
func batch(name string, from, to int) string {
	var lines strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&lines, `{"id":"%s-%d","amount":%d.50,"items":["tea"],"customer":"Ada","address":"1 Example Road","priority":%d}`+"\n", name, i, i%900+1, i%3+1)
	}
	return lines.String()
}
