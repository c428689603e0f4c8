package browser_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPlurals writes one thing as one, on every view of a system that has one of each.
func TestPlurals(t *testing.T) {
	s := start(t, "ORDERS_WORKER_CONCURRENCY=1")
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	s.submit("one")
	p := s.open("", withScript(altered))
	p.alter("/stats", `it.queues.low.pending = it.queues.low.active = it.by_status.processing = it.queue_length = 1; it.completed_per_second = 0.96`)
	p.sees("[data-figure=completed]", "1 /s")
	p.sees("[data-order=one]", "failed")
	p.alter("/orders/one/events", `it.events.at(-1).sequence++`)
	for hash, shown := range map[string]string{"": "[data-order=one]", "orders": "#found td", "orders/one": ".left-out"} {
		p.view(hash, shown)
		if wrong := value[[]string](p, `document.body.innerText.match(/(?<![\d,.])1\s+(orders|slots|workers|events|attempts|items|are)\b/g) ?? []`); len(wrong) > 0 {
			t.Errorf("#/%s says %q", hash, wrong)
		}
	}
	p.view("orders/one", ".left-out")
	p.sees(".left-out", "1 event is not kept")
	p.alter("/failures", oneFailure)
	p.visit("failures")
	p.sees("#failures-lead", "The one order that failed, by error.")
	p.sees(".failure", "Retry it …")
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
	p.alter("/failures", oneFailure)
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
	p.alter("/failures", odd+`return Response.json({ groups: [{ fingerprint: odd, error: odd, note: odd, orders: 1, first_seen: "2026-01-02T03:04:05Z", last_seen: "2026-01-02T03:04:05Z", queue: "low", example_ids: ["odd"] }] })`)
	p.alter("/stats", odd+`it.fulfilment.last_error = odd`)
	p.alter("/health", odd+`it.verdict = { level: "bad", cause: "shop_down", what: odd, advice: odd, also: [odd] }`)
	p.sees("#state-words", `<\u202eabc`)
	p.sees("#state-detail", `The last error: <\u202eabc`)
	for hash, shown := range map[string]string{"orders/odd": ".attempts", "orders": "#found td", "failures": ".failure", "orders/%E2%80%AE": "#order-missing"} {
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
