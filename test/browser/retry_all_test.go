package browser_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

// retries answers POST /orders/retry when the test lets it, with what the test says.
const retries = `(() => {
	const ask = fetch;
	globalThis.asked = [];
	globalThis.fetch = (address, how) => how?.method === "POST" && new URL(address).pathname === "/orders/retry"
		? new Promise((answer, fail) => {
			how.signal?.addEventListener("abort", () => fail(how.signal.reason));
			asked.push({ body: JSON.parse(how.body), answer: (report, status = 200) => answer(Response.json(report, { status })) });
		})
		: ask(address, how);
})()`

// TestRetryAll retries what failed in an outage: it counts first, shows how far it is, goes
// on while other views are shown, and tells what it did if it stops.
func TestRetryAll(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	s.submit("bad")
	p := s.open("#/failures", withScript(altered+";"+retries), chromedp.EmulateViewport(360, 900))
	p.mayRefuse()
	p.sees(".failure h2", "fulfilment answered 422")
	p.until(`document.querySelector("#failures-all").hidden`)
	p.alter("/orders", `it.orders.forEach((order) => { order.error = "12 attempts used up: connection refused"; })`)
	p.click("#failures-reload")
	p.shows("#failures-all")
	answer := func(n int, want, report string) {
		t.Helper()
		p.until(fmt.Sprintf("asked.length === %d", n))
		if got := value[string](p, "JSON.stringify(asked.at(-1).body)"); got != want {
			t.Errorf("it asked for %s; want %s", got, want)
		}
		value[any](p, fmt.Sprintf("(asked.at(-1).answer(%s), true)", report))
	}
	const failed = `{"status":"failed","error_contains":"attempts used up","limit":1000,"dry_run":`

	p.click("#failures-all")
	answer(1, failed+`true}`, `{ count: 1000, next_cursor: "a" }`)
	p.sees("#failures-result", "1,000 found …")
	p.until(`[...document.querySelectorAll("[data-retry]")].every((button) => button.disabled)`)
	answer(2, failed+`true,"cursor":"a"}`, `{ count: 400 }`)
	p.sees("#dialog-title", "Retry 1,400 orders?")
	p.shoot("retry-all")
	p.click("#dialog-yes")
	answer(3, failed+`false}`, `{ count: 1000, retried: 1000, next_cursor: "b" }`)
	p.sees("#failures-result", "1,000 of 1,400 orders are pending again …")
	p.fits(360, "a retry")
	p.shoot("retry-progress")
	leaving := `(() => { const event = new Event("beforeunload", { cancelable: true }); dispatchEvent(event); return event.defaultPrevented; })()`
	if !value[bool](p, leaving) {
		t.Error("the page may be left unasked in the middle of a retry")
	}
	p.visit("submit")
	p.shows("#f-amount")
	answer(4, failed+`false,"cursor":"b"}`, `{ count: 400, retried: 399 }`)
	p.until("!(" + leaving + ")")
	p.visit("failures")
	p.sees("#failures-result", "1,399 orders are pending again.")

	p.click(".failure button") // a group of that reason
	p.until("asked.length === 5")
	value[any](p, `(asked.at(-1).answer({ count: 2000 }), true)`)
	p.click("#dialog-yes")
	p.until("asked.length === 6")
	value[any](p, `(asked.at(-1).answer({ retried: 1000, next_cursor: "c" }), true)`)
	p.until("asked.length === 7")
	p.visit("submit")
	p.visit("failures") // in the middle
	p.sees("#failures-result", "1,000 of 2,000 orders are pending again …")
	p.until(`document.querySelector(".failure button")?.disabled ?? false`)
	value[any](p, `(asked.at(-1).answer({ detail: "Redis is away." }, 503), true)`)
	p.sees("#failures-result", "It stopped when 1,000 of 2,000 orders were pending again. Redis is away. Retry again to go on.")
	p.click("#failures-all")
	p.until("asked.length === 8")
	value[any](p, `(asked.at(-1).answer({ count: 0 }), true)`)
	p.sees("#failures-result", "No such order is left.")
}
