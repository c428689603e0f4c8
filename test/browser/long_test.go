package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// held is what a page holds after a collection of garbage.
type held struct {
	nodes, listeners int64
	heap             float64 // bytes
}

// holds collects garbage and tells what is left.
func (p *tab) holds() held {
	p.t.Helper()
	h, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (held, error) {
		if _, err := cdp.Call(ctx, t, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return held{}, err
		}
		counts, err := cdp.Call(ctx, t, memory.GetDOMCounters, cdp.Empty{})
		if err != nil {
			return held{}, err
		}
		heap, err := cdp.Call(ctx, t, runtime.GetHeapUsage, cdp.Empty{})
		return held{counts.Nodes, counts.JsEventListeners, heap.UsedSize}, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return h
}

// What a page may hold more than it did: samples of another minute, and what the
// browser keeps for itself. Four thousand orders, or twelve views that do not end, are
// more.
const (
	moreNodes     = 300
	moreListeners = 20
	moreHeap      = 300_000 // bytes
)

// within says whether a page holds about as much as it did.
func (h held) within(before held) bool {
	return h.nodes <= before.nodes+moreNodes && h.listeners <= before.listeners+moreListeners && h.heap <= before.heap+moreHeap
}

// TestFlood stays usable, and holds no more than it did, while thousands of events
// pass.
func TestFlood(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("")
	p.sees("#state-words", "All is well")
	s.flood("first", 1000)
	p.sees("[data-figure=throughput-note]", "1,000 so far")
	p.until(`document.querySelectorAll("#orders [data-order]").length === 50`)
	before := p.holds()
	s.flood("second", 4000)
	p.sees("[data-figure=throughput-note]", "5,000 so far")
	p.until(`[...document.querySelectorAll("#orders .pill")].every((pill) => pill.textContent === "completed")`)
	p.until(`document.querySelectorAll("#orders [data-order^=second]").length === 50`)
	if after := p.holds(); !after.within(before) {
		t.Errorf("the page holds %+v, and held %+v", after, before)
	}
	p.sees("#orders tbody tr [data-cell=amount]", ".50") // what events do not tell is filled in
	p.shoot("desktop-light")
}

// TestViewsEnd leaves nothing behind when one view takes the place of another.
func TestViewsEnd(t *testing.T) {
	s := start(t)
	s.worker()
	s.submit("ord_1")
	p := s.open("")
	p.sees("[data-order=ord_1]", "completed")
	round := func() {
		for hash, shown := range map[string]string{"orders/ord_1": ".attempts", "submit": "#f-amount", "failures": ".empty", "": "[data-order=ord_1]"} {
			p.do(chromedp.Navigate(s.url + "/#/" + hash))
			p.shows(shown)
		}
		p.do(chromedp.Navigate(s.url + "/#/"))
		p.shows("[data-order=ord_1]")
	}
	round()
	before := p.holds()
	for range 12 {
		round()
	}
	if after := p.holds(); !after.within(before) {
		t.Errorf("the page holds %+v, and held %+v", after, before)
	}
}

// flood submits n orders in batches.
func (s *system) flood(name string, n int) {
	s.t.Helper()
	const most = 500
	for from := 0; from < n; from += most {
		var lines strings.Builder
		for i := from; i < min(n, from+most); i++ {
			fmt.Fprintf(&lines, `{"id":"%s-%d","amount":%d.50,"items":["tea"],"customer":"Ada","address":"1 Example Road","priority":%d}`+"\n", name, i, i%900+1, i%3+1)
		}
		if code := s.send(http.MethodPost, "/orders/batch", "application/x-ndjson", lines.String()); code != http.StatusOK {
			s.t.Fatalf("POST /orders/batch answered %d", code)
		}
	}
}
