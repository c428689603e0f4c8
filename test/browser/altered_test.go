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

// TestMessages checks that each message leaves with what it is about.
func TestMessages(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	s.submit("bad")
	p := s.open("#/orders?status=failed", withScript(altered))
	p.mayRefuse()
	p.sees("#found", "fulfilment answered 422")
	fault := `return Response.json({ detail: "Oh." }, { status: 500 })`
	p.alter("/orders", fault)
	p.sees("#orders-as-of", "The list cannot be read again. Oh.")
	p.shows("#found tbody tr")
	p.alter("/orders", "")
	p.gone("#orders-as-of") // without a click
	p.visit("failures")
	p.alter("/failures", fault)
	p.click("#failures-reload")
	p.sees("#failures-fault", "The failures cannot be read. Oh.")
	p.alter("/failures", `return Response.json({ groups: [] })`)
	p.gone("#failures-fault")
	p.shows("#failures-none")

	p.visit("orders?status=failed")
	p.click("#found tbody input")
	p.click("[data-act=retry]")
	p.click("#dialog-yes")
	p.sees("#orders-result", "1 order is retried.")
	p.alter("/health", `it.verdict = { level: "bad", cause: "redis", what: "Redis has no memory left", advice: "" }`)
	p.sees("#state-words", "Redis has no memory left")
	p.gone("#orders-result") // a success under a new alarm
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

// TestColoursAtOnce checks that no colour comes later than its text.
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
