package browser_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// usage is what a page uses after a collection of garbage.
type usage struct {
	nodes, listeners int64
	heap             float64 // bytes
}

// usage collects garbage and returns what is left.
func (p *tab) usage() usage {
	p.t.Helper()
	h, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (usage, error) {
		if _, err := cdp.Call(ctx, t, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return usage{}, err
		}
		counts, err := cdp.Call(ctx, t, memory.GetDOMCounters, cdp.Empty{})
		if err != nil {
			return usage{}, err
		}
		heap, err := cdp.Call(ctx, t, runtime.GetHeapUsage, cdp.Empty{})
		return usage{counts.Nodes, counts.JsEventListeners, heap.UsedSize}, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return h
}

// What a page may use more than it did: samples of another minute, and what the
// browser keeps for itself. Four thousand orders, or twelve views that do not end, are
// more.
const (
	moreNodes     = 300
	moreListeners = 20
	moreHeap      = 300_000 // bytes
)

// within reports whether a page uses about as much as it did.
func (u usage) within(before usage) bool {
	return u.nodes <= before.nodes+moreNodes && u.listeners <= before.listeners+moreListeners && u.heap <= before.heap+moreHeap
}

// usesAsMuchAs fails the test if a page uses more than before after several
// collections. One collection leaves what the page is working with at that instant.
func (p *tab) usesAsMuchAs(before usage) {
	p.t.Helper()
	var now usage
	for range 20 {
		if now = p.usage(); now.within(before) {
			return
		}
		p.until(fmt.Sprintf("performance.now() > %f", value[float64](p, "performance.now()")+100))
	}
	p.t.Errorf("the page uses %+v, and used %+v before", now, before)
}

// TestViewsEnd leaves nothing behind when one view replaces another.
func TestViewsEnd(t *testing.T) {
	s := start(t)
	s.worker()
	s.submit("ord_1")
	p := s.open("")
	p.sees("[data-order=ord_1]", "completed")
	round := func() {
		for hash, shown := range map[string]string{"orders/ord_1": ".attempts", "orders": "#found td", "failures": "#failures-since", "jobs": "#jobs-counts", "workers": "#workers", "audit": "#a-actor", "queues/low": "#queue-facts dd", "submit": "#f-amount", "review": "#review-empty", "rules": "[data-action=edit]", "": "[data-order=ord_1]"} {
			p.view(hash, shown)
		}
		p.view("", "[data-order=ord_1]")
	}
	for range 4 { // the browser compiles what is used again
		round()
	}
	before := p.usage()
	for range 12 {
		round()
	}
	p.usesAsMuchAs(before)
}

// hurried has whatever waits in the page begin at once, with the clock as far ahead as
// the wait was long: the page lives through hours in seconds. Of the questions for
// figures one in fifty goes to the API, the others have its last answer.
const hurried = `(() => {
	const later = setTimeout, Real = Date, ask = fetch, answers = new Map();
	let ahead = 0, asked = 0;
	globalThis.fetch = async (address, how) => {
		if (asked++ % 50 && answers.has(address)) return new Response(answers.get(address));
		const answer = await ask(address, how);
		if (answer.ok && /(stats|health)$/.test(address)) answers.set(address, await answer.clone().text());
		return answer;
	};
	globalThis.Date = class extends Real {
		constructor(...parts) { if (parts.length) super(...parts); else super(Real.now() + ahead); }
		static now() { return Real.now() + ahead; }
	};
	globalThis.setTimeout = (then, wait = 0, ...rest) => later(() => { ahead += wait; then(...rest); }, 0);
	globalThis.sleep = (hours) => { ahead += hours * 3_600_000; };
	globalThis.lived = () => ahead / 3_600_000;
})()`

// withScript has every document of the tab begin with a script.
func withScript(script string) chromedp.Action[chromedp.Void] {
	return calling(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// TestDay leaves the page open for a day, of which the browser sleeps a part as
// laptops do. It then uses what it used after a while.
func TestDay(t *testing.T) {
	s := start(t)
	s.worker()
	s.flood("old", 60)
	p := s.open("", withScript(hurried))
	p.sleepsOn() // the charts are full, and the page has slept once
	first := p.usage()
	for p.sleepsOn() {
		s.submit("at-" + rand.Text())
	}
	p.sees("#state-words", "All is well")
	p.until(`document.querySelectorAll("#orders [data-order^=at-]").length > 0`)
	p.usesAsMuchAs(first)
	if n := value[int](p, mostPoints); n > maxPoints {
		t.Errorf("a line has %d points; want at most %d", n, maxPoints)
	}
}

const (
	// maxPoints is a point every two seconds for five minutes, and both ends.
	maxPoints = 151
	// mostPoints is how many points the longest line of a chart has.
	mostPoints = `Math.max(...[...document.querySelectorAll(".chart .line")].map((line) => line.getAttribute("d").split(/[ML]/).length - 1))`
)

// sleepsOn lets the page be awake for three minutes, and sleep for the rest of the
// hour. It reports whether the day goes on.
func (p *tab) sleepsOn() bool {
	p.t.Helper()
	p.until(fmt.Sprintf("lived() > %f", value[float64](p, "lived()")+0.05))
	value[any](p, "sleep(0.95)")
	return value[bool](p, "lived() < 24")
}
