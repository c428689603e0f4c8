package browser_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestJob retries all that failed, by the workers, and says what came of it.
func TestJob(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	for i := range 20 {
		s.submit(fmt.Sprintf("bad-%d", i))
	}
	p := s.open("#/orders?status=failed")
	p.until(`document.querySelectorAll("#found tbody tr").length === 20`)
	s.shop.answers(http.StatusOK, http.StatusOK, http.StatusOK, http.StatusOK, http.StatusGone)
	p.click("#select-all")
	p.click("[data-act=retry]")
	p.sees("#act-count", "20 orders match.")
	p.click("#dialog-yes")
	p.sees("#job-words", "20 retried: 16 completed, 4 failed again.")
	p.readable()
	p.do(chromedp.EmulateViewport(360, 740))
	p.fits(360, "a job")
	p.shoot("job-done")
	p.visit("audit")
	p.sees("#entries", "job.create")
	p.visit("orders/bad-0")
	p.sees(".timeline", "retried by anonymous")
	p.click(".timeline .reason a")
	p.sees("#job-title", "Retry · status: failed")
	p.visit("jobs")
	p.sees("#jobs tbody", "16 completed, 4 failed again")
	p.fits(360, "jobs")
}
