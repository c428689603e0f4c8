package browser_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// altered has the page read what the API answered after a change by altering[path], for
// states that are hard to reach. A change may return an answer of its own.
const altered = `(() => {
	const ask = fetch;
	globalThis.altering = {};
	globalThis.fetch = async (address, how) => {
		const answer = await ask(address, how);
		const change = altering[new URL(address).pathname];
		if (!change || how?.method === "POST") return answer;
		const content = await answer.json();
		return await change(content) ?? Response.json(content, { status: answer.status });
	};
})()`

// alter has the answers to a path be changed by a script from now on.
func (p *tab) alter(path, script string) {
	p.t.Helper()
	value[any](p, fmt.Sprintf(`(altering[%q] = async (it) => { %s }, true)`, path, script))
}

// TestBusySlots never shows more slots busy than there are, whichever readings meet.
func TestBusySlots(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered))
	for _, row := range []struct {
		active, processing, slots int
		note                      string
	}{
		{136, 136, 128, "128 of 128 slots busy"},
		{136, 100, 128, "100 of 128 slots busy"}, // the others are fetched and wait for a slot
		{3, 9, 8, "3 of 8 slots busy"},           // their worker was killed
		{2, 2, 1, "1 of 1 slot busy"},
	} {
		p.alter("/stats", fmt.Sprintf(`it.queues.low.active = %d; it.by_status.processing = %d; it.active_workers = %d`, row.active, row.processing, row.slots))
		p.sees("[data-figure=workers-note]", row.note)
		busy, _, _ := strings.Cut(row.note, " ")
		p.sees("#state-detail", " waiting, "+busy+" in work.")
	}
	p.alter("/stats", `it.queues.low.active = 3; it.by_status = { ...it.by_status, processing: 1, priority_processing: 1, expedited: 1 }; it.active_workers = 8`)
	p.sees("[data-figure=workers-note]", "3 of 8 slots busy")
}

// TestUnknownWorkers shows what is not known as such, and a reason as the API gives it.
func TestUnknownWorkers(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered))
	p.tile("workers", "1", "0 of 8 slots busy", "")
	p.alter("/stats", `delete it.active_workers; delete it.workers`)
	p.alter("/health", `delete it.pool.workers`)
	p.tile("workers", "–", "unknown", "")
	p.state("good", "All is well", "No order waits.")
	p.alter("/health", `delete it.pool; it.reason = "Redis is read-only: it is a replica"`)
	p.state("bad", "Redis is read-only: it is a replica", "")
	p.alter("/stats", `it.active_workers = it.workers = null`)
	p.tile("workers", "–", "unknown", "")
}

// TestAcceptedRate holds that the rate of acceptance is never far from the true one,
// however late, rarely or often the page asks, and whichever clock jumps.
func TestAcceptedRate(t *testing.T) {
	s := start(t)
	p := s.open("")
	p.mayRefuse() // /health answers 503 without a worker
	if wrong := p.awaited(acceptedRates); wrong != "" {
		t.Error(wrong)
	}
}

// acceptedRates has orders accepted at a true rate, reads the counter at random times
// within each question, and returns the first history that gives another rate.
const acceptedRates = `(async () => {
	const { acceptance } = await import(document.querySelector("script[src]").src.replace("main.js", "figures.js"));
	let known = 0;
	for (let run = 0; run < 400; run++) {
		const rate = [0, 1, 80, 5000][run % 4], story = [];
		let now = 1e6, sleeps = 0, base = 1e4, samples = [];
		const clocks = () => [now, now - sleeps];
		for (let look = 0; look < 60; look++) {
			const chance = Math.random();
			now += chance < .1 ? 50 : chance < .15 ? 600_000 : 2000 + 2000 * Math.random(); // at once, hidden, throttled
			if (chance > .97) sleeps += 1500; // the computer slept
			if (look === 30 && run % 8 < 4) base = -rate * now / 1000; // the books begin anew
			const asked = clocks();
			const before = Math.random() < .2 ? 6000 * Math.random() : 20;
			const after = Math.random() < .2 ? 6000 * Math.random() : 20;
			now += before;
			const total = Math.max(0, Math.floor(base + rate * now / 1000));
			now += after;
			samples.push({ asked, came: clocks(), total });
			samples = samples.slice(-150);
			const got = acceptance(samples);
			story.push([before, after, total, got]);
			if (got === null) continue;
			known++;
			if (got < .85 * rate - .5 || got > 1.15 * rate + .5) return "a true " + rate + "/s is shown as " + got + ": " + JSON.stringify(story.slice(-8));
		}
	}
	return known > 4000 ? "" : "only " + known + " rates are known";
})()`

// TestAcceptedChart draws the true rate while the page asks all the time and answers are
// late.
func TestAcceptedChart(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered+`; altering["/stats"] = async (it) => {
		await new Promise((then) => setTimeout(then, 400 * Math.random()));
		it.ledger.accepted = Math.floor(80 * performance.now() / 1000);
		await new Promise((then) => setTimeout(then, 400 * Math.random()));
	}`))
	value[any](p, `(() => {
		globalThis.shown = new Set();
		new MutationObserver(() => {
			for (const label of document.querySelectorAll("[data-chart=throughput] .now[data-series=accepted]")) shown.add(label.textContent);
		}).observe(document.querySelector("[data-chart=throughput]"), { childList: true, subtree: true });
		setInterval(() => dispatchEvent(new Event("online")), 50);
		return true;
	})()`)
	p.until(`shown.size >= 5`)
	for _, label := range value[[]float64](p, `[...shown].map(Number)`) {
		if label < 68 || label > 92 {
			t.Errorf("a true 80/s is shown as %g", label)
		}
	}
}

// TestMessages holds that each message leaves with what it is about.
func TestMessages(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	s.submit("bad")
	p := s.open("#/failures", withScript(altered))
	p.mayRefuse()
	p.sees(".failure h2", "fulfilment answered 422")
	fault := `return Response.json({ detail: "Oh." }, { status: 500 })`
	p.alter("/orders", fault)
	p.click("#failures-reload")
	p.sees("#failures-fault", "The list cannot be read. Oh.")
	p.alter("/orders", "")
	p.gone("#failures-fault") // by itself
	p.shows(".failure")

	p.alter("/orders", fault)
	value[any](p, `(document.querySelector("[value=rejected]").click(), true)`)
	p.sees("#failures-fault", "The list cannot be read. Oh.")
	p.until(`document.querySelector(".failure") === null`) // those are of the other list
	p.alter("/orders", "")
	p.gone("#failures-fault")
	p.sees("#failures-groups", "Nothing was rejected")

	value[any](p, `(document.querySelector("[value=failed]").click(), true)`)
	p.click(".failure button")
	p.click("#dialog-yes")
	p.sees("#failures-result", "1 order is pending again.")
	p.alter("/health", `it.reason = "Redis has no memory left"`)
	p.sees("#state-words", "Redis has no memory left")
	p.gone("#failures-result") // a success under a new alarm
	p.alter("/health", "")

	p.visit("orders/bad")
	p.sees(".verdict", "Failed")
	p.alter("/orders/bad", fault)
	value[any](p, `(document.querySelector("[data-action=retry]").click(), true)`) // the fault may move it
	p.sees("#order-result", "It is pending again")
	p.sees("#order-fault", "The order cannot be read again. Oh.")
	p.alter("/orders/bad", "")
	p.gone("#order-fault")
	value[any](p, `(() => { const now = Date.now; Date.now = () => now() + 61_000; return true; })()`)
	p.gone("#order-result")

	p.visit("")
	p.sees("[data-order=bad]", "failed")
	p.alter("/orders", fault)
	value[any](p, `(document.dispatchEvent(new Event("visibilitychange")), location.hash = "#/submit", true)`)
	p.shows("#f-amount")
	p.visit("")
	p.sees("#orders-note", "The list cannot be read")
	p.alter("/orders", "")
	p.sees("#orders-note", "live")
	p.sees("[data-order=bad]", "failed")
}

// gone waits until a region says nothing.
func (p *tab) gone(region string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.querySelector(%q).textContent === ""`, region))
}

// TestOutcomeWords calls what an attempt came to by its own word, in the colour of its
// meaning.
func TestOutcomeWords(t *testing.T) {
	s := start(t, "ORDERS_MAX_ITEMS=1")
	s.worker()
	s.post("/orders", `{"id":"refused","amount":5,"items":["a","b"],"customer":"Ada","address":"1 Example Road"}`)
	s.submit("good")
	p := s.open("#/orders/good")
	cell := func(attempt int, word, level string) {
		t.Helper()
		row := fmt.Sprintf(`.attempts [data-attempt="%d"] td:nth-child(5)`, attempt)
		p.until(fmt.Sprintf(`(document.querySelector('%s')?.textContent ?? "").includes(%q)`, row, word))
		p.until(fmt.Sprintf(`(() => {
			const probe = document.body.appendChild(document.createElement("i"));
			probe.style.color = "var(--%s)";
			const want = getComputedStyle(probe).color;
			probe.remove();
			return getComputedStyle(document.querySelector('%s')).color === want;
		})()`, level, row))
	}
	cell(1, "done", "good")
	p.visit("orders/refused")
	cell(1, "rejected", "warn")
	p.click("[data-action=retry]")
	p.sees(".attempts", "2")
	cell(2, "rejected", "warn")
	cell(1, "rejected", "warn")
	if text := value[string](p, `document.querySelector("main").innerText`); strings.Contains(text, "done") {
		t.Errorf("a rejected order is called done: %s", text)
	}
}

// TestColoursAtOnce holds that no colour comes later than the text that it belongs to.
func TestColoursAtOnce(t *testing.T) {
	_, p := settled(t)
	p.do(preferring("prefers-reduced-motion", "no-preference"))
	for _, hash := range []string{"", "orders/before", "failures", "submit"} {
		p.visit(hash)
		p.until(`document.querySelector("main h1") !== null`)
		if late := value[[]string](p, `[...document.querySelectorAll("body *")].flatMap((e) => {
			const style = getComputedStyle(e), spans = style.transitionDuration.split(", ");
			return style.transitionProperty.split(", ").filter((name, i) => name !== "width" && parseFloat(spans[i % spans.length]) > 0).map((name) => e.tagName + " " + name);
		})`); len(late) > 0 {
			t.Errorf("#/%s: %q change slowly", hash, late)
		}
	}
}

// TestPlurals writes one thing as one, on every view of a system that has one of each.
func TestPlurals(t *testing.T) {
	s := start(t, "ORDERS_WORKER_CONCURRENCY=1")
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	s.submit("one")
	p := s.open("", withScript(altered))
	p.alter("/stats", `it.queues.low.pending = it.queues.low.active = it.by_status.processing = it.queue_length = 1; it.throughput_per_second = 0.96`)
	p.sees("#state-detail", "1 order settled a second, 1 waiting, 1 in work.")
	p.sees("[data-order=one]", "failed")
	p.alter("/orders/one/events", `it.events.at(-1).sequence++`)
	for hash, shown := range map[string]string{"": "[data-order=one]", "failures": ".failure", "orders/one": ".left-out"} {
		p.view(hash, shown)
		if wrong := value[[]string](p, `document.body.innerText.match(/(?<![\d,.])1\s+(orders|slots|workers|events|attempts|items|are)\b/g) ?? []`); len(wrong) > 0 {
			t.Errorf("#/%s says %q", hash, wrong)
		}
	}
	p.view("orders/one", ".left-out")
	p.sees(".left-out", "1 event is not kept")
	p.visit("failures")
	p.sees("#failures-lead", "The newest order that failed, by reason.")
}

// TestTimes shows local times with their zone and how long ago they were, in full as UTC,
// on every view.
func TestTimes(t *testing.T) {
	s := start(t)
	s.shop.answers(http.StatusUnprocessableEntity)
	stop := s.worker()
	s.submit("late", fmt.Sprintf(`,"process_at":%q`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	s.submit("bad")
	p := s.open("", withScript(altered), inZone("Asia/Kolkata"))
	p.mayRefuse()
	p.sees("[data-order=bad]", "failed")
	p.until(`document.querySelectorAll("figure table tr").length >= 4`)
	p.alter("/orders/late", `it.process_at = "2099-05-06T07:08:09Z"`)
	p.alter("/orders/bad", `it.attempts[0].started_at = "2026-01-02T03:04:05.678901Z"`)
	for _, view := range [][2]string{{"", "#state-time time"}, {"failures", ".failure time"}, {"orders/bad", ".attempts time"}, {"orders/late", ".verdict time"}} {
		p.view(view[0], view[1])
		for _, wrong := range value[[]string](p, badTimes) {
			t.Errorf("#/%s: %s", view[0], wrong)
		}
	}
	p.sees(".verdict", "6 May 2099, 12:38:09 GMT+5:30 · in ")
	p.visit("orders/bad")
	p.sees(".attempts", "2 Jan 2026, 08:34:05 GMT+5:30 · ")
	p.sees(`.attempts time[title="2026-01-02T03:04:05.678901Z"]`, " d ago")
	p.until(`/ (now|\d+ s ago|\d min ago)$/.test(document.querySelector(".timeline time").textContent)`)
	value[any](p, `(() => { const now = Date.now; Date.now = () => now() + 2 * 3_600_000; return true; })()`)
	p.sees(".timeline time", " 2 h ago") // and it goes on
	stop()
	s.redis.Kill()
	p.sees("#banner", "Showing figures of ")
	p.until(`/^No new figures\. Showing figures of \d\d:\d\d:\d\d GMT\+5:30 · \S.*\. It reconnects automatically\.$/.test(document.querySelector("#banner").textContent.trim())`)
	s.redis.Restart()
}

// badTimes lists the times that lack something, and those that are no time to a browser.
const badTimes = `(() => {
	const found = [];
	const whole = /^(\d{1,2} \w+ \d{4}, )?\d\d:\d\d:\d\d(\.\d{3})? GMT\+5:30 · (now|\d+ (s|min|h|d) ago|in \d[\d,]* (s|min|h|d))$/;
	for (const element of document.querySelectorAll("body time")) {
		if (!whole.test(element.textContent)) found.push(element.textContent);
		if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(element.dateTime) || element.title !== element.dateTime) found.push(element.outerHTML);
	}
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		if (/\b\d{1,2}:\d\d(?!\d*\/)/.test(node.data) && !/GMT\+5:30/.test(node.data) && !node.parentElement.closest("time, pre, template")) found.push(node.data);
	}
	return found;
})()`

// inZone has the tab live in a zone.
func inZone(zone string) chromedp.Action[chromedp.Void] {
	return calling(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone})
}

// TestHiddenCharacters shows texts from outside with their controls escaped, wherever
// they are.
func TestHiddenCharacters(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	s.submit("odd")
	p := s.open("", withScript(altered))
	p.sees("[data-order=odd]", "failed")
	const odd = `const odd = "<\u202eabc\u2066\u200f\u061c\u2028\u2029\u0007é👩‍👧\n>"; `
	p.alter("/orders/odd", odd+`for (const name of ["customer", "address", "notes", "error", "result", "worker_id"]) it[name] = odd;
		it.items = [odd]; Object.assign(it.attempts[0], { note: odd, error: odd, worker_id: odd });`)
	p.alter("/orders/odd/events", odd+`it.events.forEach((event) => { event.reason = odd; })`)
	p.alter("/orders", odd+`it.orders.forEach((order) => { order.error = odd; })`)
	p.alter("/health", odd+`it.reason = odd`)
	p.sees("#state-words", `<\u202eabc`)
	for hash, shown := range map[string]string{"orders/odd": ".attempts", "failures": ".failure", "orders/%E2%80%AE": "#order-missing"} {
		p.view(hash, shown)
		p.until(`document.querySelector("main").textContent.includes("\\u202e")`)
		if value[bool](p, `/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\u2028\u2029\u0007]/.test(document.body.textContent + document.title)`) {
			t.Errorf("#/%s shows such characters", hash)
		}
		if shown != "#order-missing" {
			p.sees("main", `<\u202eabc\u2066\u200f\u061c\u2028\u2029\u0007é👩‍👧`)
		}
	}
}

// TestStreamReturns receives events again after a proxy has answered for the API with 502,
// which browsers take for the end of the stream.
func TestStreamReturns(t *testing.T) {
	s := start(t)
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var broken atomic.Bool
	var refused atomic.Int64
	behind := httputil.NewSingleHostReverseProxy(target)
	behind.FlushInterval = -1
	behind.ErrorLog = log.New(io.Discard, "", 0) // of clients that go
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() && r.URL.Path == "/events" {
			refused.Add(1)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	p := newTab(t, proxy.URL)
	p.mayRefuse()
	p.do(chromedp.Navigate(proxy.URL))
	p.sees("#orders-note", "live")
	broken.Store(true)
	proxy.CloseClientConnections()
	p.sees("#orders-note", "reconnecting")
	for refused.Load() < 2 {
		p.do(chromedp.Sleep(step))
	}
	s.submit("meanwhile")
	broken.Store(false)
	p.sees("#orders-note", "live")
	p.sees("[data-order=meanwhile]", "pending")
	s.submit("after")
	p.sees("[data-order=after]", "pending")
	s.worker()
	p.sees("[data-order=after]", "completed")
}
