package browser_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

// large has figures and texts be as long as they get.
const large = `
	altering["/stats"] = (it) => {
		Object.assign(it, { queue_length: 12345678, active_workers: 1234567, workers: 23456, throughput_per_second: 1234567.8, completed_per_second: 1234567.8, failed_per_second: 1234567.8 });
		for (const status in it.by_status) it.by_status[status] = 123456789;
		for (const queue of Object.values(it.queues)) Object.assign(queue, { pending: 12345678, active: 1234567, retry: 12345678, scheduled: 123456789, oldest_pending_seconds: 1e6 });
		for (const times of Object.values(it.latency_ms)) Object.assign(times, { p50: 863990000, p95: 3.456e8, p99: 12345.6 });
		it.redis = { memory_used_bytes: 1.2e13, memory_limit_bytes: 1.3e13 };
		Object.assign(it.ledger, { drift: -123456789, books: Array.from({ length: 64 }, (_, book) => ({ book, away: true })) });
		it.fulfilment = { state: "half_open", since: "2025-01-02T03:04:05Z", calls_per_second: 1234567.8, success_ratio: 0.123, last_error: "x".repeat(300) };
	};
	altering["/health"] = (it) => { it.verdict = { level: "bad", cause: "shop_down", what: "The shop takes no orders", since: "2025-01-02T03:04:05Z", advice: "x".repeat(300), also: ["x".repeat(80)] }; };
	altering["/orders"] = (it) => it.orders.forEach((order, i) => Object.assign(order, { amount: 999999999999.99, error: "x".repeat(300), ...[{}, { status: "priority_processing", processed_at: undefined, created_at: "2025-01-02T03:04:05Z" }][i % 2] }));
	true`

// TestNarrow fits telephones: nothing is wider than their 320 or 360 px or cut off, with
// the longest of figures, ids and texts, and everything can be hit with a finger.
func TestNarrow(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	const longest = "an-order-with-an-id-that-is-as-long-as-an-id-can-be.0123456789AB"
	s.submit(longest)
	s.submit("x")
	for _, width := range []int64{320, 360, 820, 1280} {
		p := s.open("", withScript(altered), chromedp.EmulateViewport(width, 740))
		p.mayRefuse() // of an order that there is not
		p.sees("#orders", "failed")
		p.fits(width, "as it is")
		value[any](p, large)
		p.sees("[data-figure=waiting]", "12,345,678")
		p.sees(".chart .now", "1.2M")
		p.sees("[data-tile=books]", "64")
		p.sees("[data-tile=books]", "64 away")
		p.view("submit", "#f-amount")
		for hash, shown := range map[string]string{
			"": "[data-order]", "orders": "#found td", "failures": "h1", "submit": "#f-amount", "orders/none": "#order-missing",
			"orders/" + longest: ".attempts",
		} {
			p.view(hash, shown)
			if hash == "" {
				p.sees("#orders", "999,999,999,999.99")
			}
			p.fits(width, "#/"+hash)
			if hash == "orders" {
				p.sees("#found", "999,999,999,999.99")
			}
			if hash == "" || shown == ".attempts" {
				p.shoot(fmt.Sprintf("narrow-%s-%d", shown[1:5], width))
			}
		}
		p.visit("orders/x")
		p.click("[data-action=retry]")
		p.sees("#order-result", "It is pending again")
		p.fits(width, "an order that is retried")
	}
}

// fits checks that all of the page is there at this width, and that what can be pressed is
// large enough.
func (p *tab) fits(width int64, what string) {
	p.t.Helper()
	if got := value[int64](p, "document.scrollingElement.scrollWidth"); got > width {
		p.shoot("too-wide")
		p.t.Errorf("%s is %d px wide at %d px", what, got, width)
	}
	for _, text := range value[[]string](p, cuts) {
		p.shoot("cut")
		p.t.Errorf("%s at %d px: %s", what, width, text)
	}
	for _, target := range value[[]string](p, smallTargets) {
		p.t.Errorf("%s at %d px: %s", what, width, target)
	}
}

const (
	// cuts lists the texts that reach beyond the page, the box they belong to, or what
	// clips them.
	cuts = `(() => {
	const found = [], range = document.createRange();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const element = node.parentElement;
		if (!node.data.trim() || !element.checkVisibility() || element.closest("template, noscript, .hidden, .skip, thead")) continue;
		range.selectNodeContents(node);
		const { left, right } = range.getBoundingClientRect();
		const out = (box) => left < box.left - 1 || right > box.right + 1;
		let cut = left < 0 || right > innerWidth;
		for (let box = element; box !== document.body && !cut; box = box.parentElement) {
			const boxed = box.matches("button, .button, .pill, .tile, .queue, .card, .state, .result, .badge, input, td, svg");
			if (boxed || getComputedStyle(box).overflowX !== "visible") cut = out(box.getBoundingClientRect());
		}
		if (cut) found.push(JSON.stringify(node.data.slice(0, 40)) + " is cut off in " + element.outerHTML.slice(0, 80));
	}
	return found;
})()`
	// smallTargets lists what is too small to be hit, see WCAG 2.5.8.
	smallTargets = `[...document.querySelectorAll("a[href], button, input, select, textarea")].flatMap((element) => {
	const target = /radio|checkbox/.test(element.type) ? element.closest("label") : element;
	const { width, height } = target.getBoundingClientRect();
	return !target.checkVisibility() || width >= 24 && height >= 24 ? [] : [target.outerHTML.slice(0, 80) + " has " + width + " by " + height + " px"];
})`
)
