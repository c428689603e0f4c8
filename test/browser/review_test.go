package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// holding holds every order with notes.
const holding = `rules:
  - name: wishes
    when: order.notes != ""
    tag: wish
  - name: notes
    when: order.notes != ""
    hold: has a <i>note</i>
    expires: 12h
    on_expiry: release
`

// store stores a version of the rules and returns its name.
func (s *system) store(document string) (version string) {
	s.t.Helper()
	got, err := s.AskRepeatedly(http.MethodPost, "/rules", document, "Content-Type", "application/yaml")
	var stored struct{ Version string }
	if err != nil || got.Code/100 != 2 || json.Unmarshal(got.Body, &stored) != nil {
		s.t.Fatalf("the rules are not stored: %d %s, %v", got.Code, got.Body, err)
	}
	return stored.Version
}

// focuses waits until the row of an order has the focus and is the only one selected.
func (p *tab) focuses(id string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.activeElement.dataset.order === %q && document.activeElement.matches("#held [aria-selected=true]") &&
		document.querySelectorAll("#held [aria-selected=true]").length === 1`, id))
}

// press presses a key as keyboards do: chromedp types its letter even where the page
// prevents that.
func press(key string) chromedp.Action[chromedp.Void] {
	return calling(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
}

// TestReview decides about held orders by keyboard: it releases one, rejects one, and says
// that somebody else was faster with the third.
func TestReview(t *testing.T) {
	s := start(t)
	s.post("/rules/"+s.store(holding)+"/activate", "")
	s.worker() // which knows the rules from its start
	p := s.open("#/review")
	p.shows("#review-empty")
	for i := range 4 {
		s.submit(fmt.Sprintf("held-%d", i+1), fmt.Sprintf(`,"notes":"ring %d times","metadata":{"basket":"<b>77</b>"}`, i+1))
	}
	p.sees("#review-note", "4 orders, oldest first")
	p.sees("#review-badge", "4")
	p.until(`[...document.querySelectorAll("#held [role=option]")].map((row) => row.dataset.order).join() === "held-1,held-2,held-3,held-4"`)
	o := s.open("")
	o.tile("waiting", "0", "4 held", "")
	o.sees("[data-order=held-1]", "held")
	o.readable()
	o.shoot("overview-held")
	p.sees("#held", "notes: has a <i>note</i>")
	p.sees("#held", "released in 11 h")
	p.until(`document.querySelector("main i, main b") === null`)

	p.do(press("j"))
	p.focuses("held-1")
	p.do(press("j"), chromedp.KeyEvent(kb.ArrowDown), press("k"))
	p.focuses("held-2")
	p.sees("#held-detail .facts", "ring 2 times")
	p.sees("#held-detail .decision", "hold, standard handling once released")
	p.sees("#held-detail .decision", "wishes matched")
	p.sees("#held-detail", "Held since ")
	p.readable()
	p.shoot("review")
	p.do(press("k"))
	p.focuses("held-1")

	p.do(press("r"))
	p.until(`document.activeElement.id === "release-reason" && document.activeElement.value === ""`)
	p.do(chromedp.KeyEvent("just fine\r")) // letters that are keys, too
	p.sees("#review-result", "held-1 is released.")
	p.focuses("held-2")

	p.do(press("x"))
	p.until(`document.activeElement.id === "reject-reason"`)
	p.do(chromedp.KeyEvent(" \r"))
	p.until(`document.querySelector("#dialog").open && document.activeElement.matches(":invalid")`) // it needs a reason
	p.shoot("review-reject")
	p.do(chromedp.KeyEvent("a joke\r"))
	p.sees("#review-result", "held-2 is rejected.")
	p.focuses("held-3")
	if got := s.Order("held-2"); got.Error != "a joke" {
		t.Errorf("held-2 is %s: %s", got.Status, got.Error)
	}

	p.mayRefuse() // 409
	p.do(press("r"))
	p.until(`document.activeElement.id === "release-reason"`)
	s.post("/orders/held-3/reject", `{"reason":"seen elsewhere"}`)
	p.do(chromedp.KeyEvent("\r"))
	p.sees("#review-result", "Somebody else was faster: held-3 is rejected by anonymous.")
	p.focuses("held-4")
	p.sees("#review-note", "1 order, oldest first")

	p.do(press("?"))
	p.sees("#dialog-title", "Keys")
	p.shoot("review-keys")
	p.do(press("r")) // does nothing now
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until(`!document.querySelector("#dialog").open`)
	p.do(chromedp.EmulateViewport(320, 740))
	p.fits(320, "the review")
	p.shoot("review-narrow")
	p.do(chromedp.EmulateViewport(1280, 900))
	p.do(chromedp.KeyEvent(kb.Enter))
	p.until(`location.hash === "#/orders/held-4"`)
	p.heldOrder()
}

// heldOrder releases a held order on its own view.
func (p *tab) heldOrder() {
	p.t.Helper()
	p.sees(".verdict", "Held: has a <i>note</i>")
	p.sees(".verdict", "The rule “notes” wants somebody to look at it. It is released by itself at ")
	p.sees(".decision", "hold, standard handling once released")
	p.readable()
	p.shoot("order-held")
	p.do(chromedp.EmulateViewport(360, 740))
	p.fits(360, "a held order")
	p.shoot("order-held-narrow")
	p.do(chromedp.EmulateViewport(1280, 900))
	p.click("[data-action=release]")
	p.click("#dialog-yes")
	p.sees("#order-result", "It is released.")
	p.sees(".timeline", "released by anonymous")
	p.sees(".verdict", "Completed in")
	p.until(`document.querySelector("#review-badge").hidden`)
	p.visit("orders/held-2")
	p.sees(".verdict", "It was held, and rejected by anonymous.")
}
