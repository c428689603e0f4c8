package browser_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestSubmit submits an order on the page and watches it complete.
func TestSubmit(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("")
	p.sees("#state-words", "All is well")
	p.shows("#welcome")
	p.sees("#welcome-curl", "curl "+s.URL+"/orders")
	p.shoot("empty")
	p.visit("submit")
	p.click("#submit button")
	p.sees("#f-amount-error", "is required")
	p.mayRefuse()
	p.write("#f-amount", "0.00")
	p.click("#submit button")
	p.sees("#f-items-error", "must hold at least one item")
	p.sees("#f-amount-error", "must be above 0")
	p.readable()
	p.shoot("submit-invalid")
	value[any](p, `(document.querySelector("#f-amount").select(), true)`)
	p.fill("999999.10", "")
	p.click("#submit button")
	p.sees("#submit-result", "is accepted")
	p.click("#submit-result a")
	p.sees(".verdict", "Rejected: order amount exceeds limit")
	p.sees(".facts", "999,999.10")
	p.visit("submit")
	p.fill("49.90", "shop-1001")
	p.click("#submit button")
	p.click("#submit-result a")
	p.sees(".verdict", "Completed in")
	p.sees(".timeline", "completed")
	p.sees(".attempts", "thank you")
	p.until(`document.querySelector(".attempts b") === null`) // what the shop said is text
	p.readable()
	p.shoot("order-completed")
	p.visit("")
	p.sees(`[data-order="shop-1001"]`, "completed")
	p.sees(`[data-order="shop-1001"]`, "49.90")
}

// TestFields shows an order with every field, and submits one with those of the form.
func TestFields(t *testing.T) {
	s := start(t, "ORDERS_CURRENCIES=USD,JPY,KWD")
	s.worker()
	body := `{"id":"a/b#c:d","amount":12.5,"currency":"KWD","items":["tea",{"name":"cups","sku":"c-1","quantity":6,"unit_price":2}],` +
		`"customer":"Ada","address":"1 Example Road","country":"DE","metadata":{"basket":"<b>77</b>"}}`
	if got := s.Send(http.MethodPost, "/orders", body); got.Code != http.StatusCreated {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	p := s.open("")
	p.sees(`[data-order="a/b#c:d"]`, "KWD\u00a012.500")
	p.click(`[data-order="a/b#c:d"] a`)
	p.sees(".verdict", "Completed in")
	for _, text := range []string{"KWD\u00a012.500", "6 × cups (c-1) at KWD\u00a02.000", "DE", "basket: <b>77</b>"} {
		p.sees(".facts", text)
	}
	p.visit("submit")
	p.fill("1250", "in-yen")
	p.write("#f-currency", "jpy")
	p.write("#f-country", "jp")
	p.click("#submit button")
	p.click("#submit-result a")
	p.sees(".verdict", "Completed in")
	p.sees(".facts", "JPY\u00a01,250")
	p.sees(".facts", "JP")
}

// fill types an order into the form.
func (p *tab) fill(amount, id string) {
	p.t.Helper()
	for _, field := range [][2]string{
		{"amount", amount}, {"items", "tea\ncups"}, {"customer", "Ada"}, {"address", "1 Example Road"}, {"id", id},
	} {
		p.write("#f-"+field[0], field[1])
	}
}

// TestDoubleClick makes one order of a button that is pressed twice, and of a form
// that is sent again after its answer was lost.
func TestDoubleClick(t *testing.T) {
	s := start(t)
	p := s.open("#/submit")
	p.mayRefuse()
	p.fill("5", "")
	value[any](p, `(() => {
		const real = fetch;
		fetch = async (...args) => { await real(...args); fetch = real; throw new TypeError("the answer is lost"); };
		for (const _ of [1, 2]) document.querySelector("#submit").requestSubmit();
		return true;
	})()`)
	p.sees("#submit-result", "It is not known whether the order was recorded")
	p.click("#submit button")
	p.sees("#submit-result", "is accepted")
	p.visit("")
	p.sees("[data-figure=waiting]", "1")
	p.until(`document.querySelectorAll("#orders [data-order]").length === 1`)
}

// TestLive shows the events of an order without a reload, and cancels it.
func TestLive(t *testing.T) {
	s := start(t)
	s.shop.pause.Store(int64(300 * time.Millisecond))
	s.submit("ord_1")
	s.submit("later", fmt.Sprintf(`,"process_at":%q`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	p := s.open("#/orders/ord_1")
	p.mayRefuse() // /health answers 503 without a worker
	p.sees(".verdict", "It waits for a worker")
	s.worker()
	p.sees(".timeline", "processing")
	p.sees(".verdict", "Completed in")
	p.write("#search-id", "later\r")
	p.sees("h1", "later")
	p.click("[data-action=cancel]")
	p.write("#cancel-reason", "ordered twice")
	p.click("#dialog-yes")
	p.sees(".verdict", "Cancelled: ordered twice")
	p.sees("#order-result", "never take effect")
	p.until(`document.querySelector("[data-action]") === null`)
}

// TestList shows orders that came before and after the page was opened.
func TestList(t *testing.T) {
	s := start(t)
	s.submit("before")
	p := s.open("")
	p.mayRefuse()
	p.sees(`[data-order=before]`, "pending")
	s.submit("after", `,"priority":1`)
	p.sees(`[data-order=after]`, "pending")
	p.sees(`[data-order=after] [data-cell=queue]`, "critical") // filled in
	p.until(`document.querySelector("#orders [data-order]").dataset.order === "after"`)
	s.worker()
	p.sees(`[data-order=before]`, "completed")
	p.sees(`[data-order=after]`, "completed")
	p.sees("[data-figure=completed-note]", "2 so far")
}

// TestMarkup shows markup and other oddities in an id as the text they are.
func TestMarkup(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("#/orders/<img src=x onerror=alert(1)>")
	p.sees("h1", "Order <img src=x onerror=alert(1)>")
	p.shows("#order-missing")
	for _, id := range []string{"%3Cscript%3Ealert(1)%3C/script%3E", "..", "%2e%2e%5cstats", "a,b", "%zz", "x?status=failed"} {
		p.view("orders/"+id, "#order-missing")
	}
	p.mayRefuse()                                     // a 404, which the browser reports as an error
	p.view("orders/%2e%2e%2fstats", "#order-missing") // an id like any other
	p.visit("orders/none")
	p.sees("#order-missing", "It was never accepted")
	p.shoot("order-missing")
	p.until(`document.querySelectorAll("main img, main script").length === 0`)
}
