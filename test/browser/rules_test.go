package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestRules stores a version of the rules, compares and simulates it, activates it after
// the page has said what that changes, and lets the former one be its shadow.
func TestRules(t *testing.T) {
	s := start(t)
	p := s.open("#/rules")
	p.mayRefuse() // invalid rules, and /health without a worker
	s.submit("a", `,"notes":"ring"`)
	s.submit("b", `,"notes":"ring"`)
	s.submit("c")
	p.sees("#rules-lead", "The version builtin decides.")
	p.sees("#source-text", "name: amount limit")

	value[any](p, `(document.querySelector("#push summary").click(), true)`)
	p.push(strings.Replace(holding, "order.notes", "order.note", 1))
	p.sees("#push-result li", "rules[0].when, line 3, column ")
	p.shoot("rules-invalid")
	p.push(holding)
	p.sees("#push-result", "is stored")
	longer := s.store(strings.Replace(holding, "12h", "72h", 1))
	p.click("#push-result a")
	p.sees("#source-text", "expires: 12h")
	p.until(fmt.Sprintf(`document.querySelector("#against [value='%s']") !== null`, longer))
	p.do(chromedp.SendKeys(chromedp.CSS("#against"), longer))
	p.sees("#source-text", "1 line added, 1 line removed.")
	p.sees(".diff del", "−     expires: 72h")
	p.sees(".diff ins", "+     expires: 12h")

	p.click("#simulate button")
	p.sees("#simulation", "Of 3 orders, 2 would change.")
	row := value[string](p, `document.querySelector("#simulation tbody").innerText.replace(/\s+/g, " ")`)
	if !strings.HasPrefix(row, "standard → hold 2 USD 25.00 ") || !strings.Contains(row, "a notes") || strings.Contains(row, "c notes") {
		t.Errorf("the simulation says %q", row)
	}
	p.until(`[...document.querySelectorAll("#simulation a")].some((link) => link.hash === "#/orders/b")`)
	p.readable()
	p.shoot("rules")

	p.click("[data-action=activate]")
	p.sees("#dialog-body", "Of 3 orders, 2 would change.")
	p.sees("#dialog-body li", "2 standard → hold (USD\u00a025.00)")
	p.readable()
	p.shoot("rules-activate")
	p.click("#dialog-no")
	p.until(`document.activeElement.dataset.action === "activate"`)
	p.sees("#rules-lead", "The version builtin decides.")
	p.click("[data-action=activate]")
	p.click("#dialog-yes")
	p.sees("#rules-result", "To go back, activate builtin.")
	p.until(`!document.querySelector("#rules-lead").textContent.includes("builtin")`)

	p.view("rules/builtin", "[data-action=shadow]")
	p.click("[data-action=shadow]")
	p.sees("#rules-lead", "builtin decides beside it as a shadow")
	s.worker() // which knows both from its start
	p.sees("#shadow", "Both decided 3 orders, 2 of them differently.")
	p.sees("#shadow tbody", "hold → standard")
	p.cancelsSimulation()
	p.do(chromedp.EmulateViewport(320, 740))
	p.fits(320, "the rules")
	p.shoot("rules-narrow")
	p.click("[data-action=end]")
	p.until(`document.querySelector("#shadow").hidden`)
}

// push replaces the document in the form, and sends it.
func (p *tab) push(document string) {
	p.t.Helper()
	value[any](p, fmt.Sprintf(`(document.querySelector("#push-source").value = %q, true)`, document))
	p.click("#push button")
}

// cancelsSimulation shows how far a simulation is that takes long, and ends it.
func (p *tab) cancelsSimulation() {
	p.t.Helper()
	value[any](p, `(() => {
		const ask = fetch;
		globalThis.fetch = (address, how) => {
			if (!address.endsWith("/simulate")) return ask(address, how);
			globalThis.fetch = ask;
			const first = new TextEncoder().encode('{"orders":1200,"changed":34,"transitions":[],"examples":[],"errors":0}\n{"ord');
			return Promise.resolve(new Response(new ReadableStream({ start(controller) {
				controller.enqueue(first);
				how.signal.addEventListener("abort", () => { globalThis.ended = true; controller.error(how.signal.reason); });
			} })));
		};
		return true;
	})()`)
	p.click("#simulate button")
	p.sees("#simulation", "1,200 decided so far, 34 of them would change.")
	p.click("#simulate-cancel")
	p.sees("#rules-result", "The simulation is cancelled.")
	p.until(`ended && document.activeElement.matches("#simulate button")`)
}
