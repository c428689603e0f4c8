package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestOutage shows that the shop is down, that it is back, and that all is well again, on
// a desktop and on a telephone.
func TestOutage(t *testing.T) {
	s := start(t)
	s.worker()
	s.flood("order", 3)
	for _, width := range []int64{1280, 360} {
		p := s.open("", withScript(altered), chromedp.EmulateViewport(width, 900))
		p.mayRefuse()
		p.sees("[data-figure=completed-note]", "3 so far")
		const calm = `it.fulfilment = { state: "closed", calls_per_second: 12.34, success_ratio: 0.976 }`
		p.alter("/stats", calm)
		p.tile("shop", "12.3 /s", "98 % succeed", "")
		since := time.Now().Add(-3*time.Minute - time.Second/2).UTC().Format(time.RFC3339Nano)
		p.alter("/stats", fmt.Sprintf(`it.fulfilment = { state: "open", since: %q, calls_per_second: 0.98, success_ratio: 0, last_error: "call the shop: connection refused" };
			it.by_status.retrying = 812; it.queue_length = 34021; it.failed_per_second = 0.4`, since))
		p.alter("/health", fmt.Sprintf(`it.verdict = { level: "bad", cause: "shop_down", what: "The shop takes no orders", since: %q,
			advice: "59 of 59 calls failed in the last minute. Orders wait, no attempt is counted, and one order a second is tried.", also: ["Paused: low"] }`, since))
		p.state("bad", "The shop takes no orders", "one order a second is tried. Also: Paused: low. The last error: call the shop: connection refused")
		p.sees("#state-since time", " · 3 min ago")
		p.tile("shop", "1 /s", "circuit breaker open for 3 min", "bad")
		p.tile("failed", "0.4 /s", "0 so far", "warning")
		p.tile("retrying", "812", "tried again later", "")
		p.readable()
		p.fits(width, "an outage")
		p.shoot(fmt.Sprintf("outage-down-%d", width))

		p.alter("/stats", `it.fulfilment = { state: "half_open", calls_per_second: 16, success_ratio: 0.976 }`)
		p.alter("/health", `it.verdict = { level: "warning", cause: "shop_failing", what: "The shop takes orders again", advice: "The rate of the calls grows step by step, now to 16 a second." }`)
		p.state("warning", "The shop takes orders again", "now to 16 a second.")
		p.tile("shop", "16 /s", "circuit breaker half open", "warning")
		p.until(`document.querySelector("#state-since").textContent === ""`)
		p.readable()
		p.shoot(fmt.Sprintf("outage-back-%d", width))

		p.alter("/stats", calm)
		p.alter("/health", "")
		p.state("good", "All is well", "No order waits")
		p.tile("shop", "12.3 /s", "98 % succeed", "")
		p.shoot(fmt.Sprintf("outage-over-%d", width))
	}
}
