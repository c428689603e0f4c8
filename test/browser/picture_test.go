package browser_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	// width is that of the picture, in px.
	width = 1200
	// posing is for how long orders flow before the picture is taken: what the charts
	// show.
	posing = 5 * time.Minute
	// orderPause is the time between two orders.
	orderPause = 80 * time.Millisecond
	// wave is how long the shop takes to get slow and quick again.
	wave = 90 * time.Second
)

// TestPicture takes the picture of the live page for the README, of a system that has
// worked for some minutes: with a shop that is slow at times, fails now and then and
// refuses some orders for good. It runs where SCREENSHOTS names a folder.
func TestPicture(t *testing.T) {
	if os.Getenv("SCREENSHOTS") == "" {
		t.Skip("SCREENSHOTS names no folder for a picture")
	}
	s := start(t, "ORDERS_RETRY_BASE=2s", "ORDERS_MAX_ATTEMPTS=2")
	s.limitMemory("64000000")
	s.worker()
	s.workerProcess()
	s.shop.answers(answersOfAShop()...)
	p := s.open("", chromedp.EmulateViewport(width, 1400), preferring("prefers-color-scheme", "light"))
	for began := time.Now(); time.Since(began) < posing || !value[bool](p, lively); {
		if time.Since(began) > posing+wave {
			t.Fatal("the page never shows a lively system")
		}
		s.pose(time.Since(began))
	}
	p.snap("live-page", value[float64](p, `document.querySelector("#orders tbody tr:nth-child(7)").getBoundingClientRect().bottom`))
	p.visit("failures")
	p.sees(".failure h2", "fulfilment answered")
	p.shoot("live-page-failures")
	s.shop.answers(http.StatusOK)
	s.shop.pause.Store(0)
	p.visit("")
	p.sees("[data-figure=waiting]", "0")
	p.sees("[data-figure=workers-note]", "0 of 16")
}

// lively reports whether orders wait, all is well, and the newest row is filled in.
const lively = `document.querySelector("#state-words").textContent === "All is well" &&
	document.querySelector("[data-figure=waiting]").textContent !== "0" &&
	document.querySelector("#orders [data-cell=amount]").textContent !== "–"`

// answersOfAShop are mostly good, sometimes busy, and rarely a refusal for good.
func answersOfAShop() []int {
	codes := make([]int, 211)
	for i := range codes {
		switch {
		case i%23 == 0:
			codes[i] = http.StatusServiceUnavailable
		case i%97 == 0:
			codes[i] = http.StatusUnprocessableEntity
		case i == 100:
			codes[i] = http.StatusGone
		default:
			codes[i] = http.StatusOK
		}
	}
	return codes
}

// pose sends an order, and has the shop take its time: in waves more than there are
// slots for.
func (s *system) pose(since time.Duration) {
	s.t.Helper()
	n := int(since / orderPause)
	slow := 0.5 - 0.5*math.Cos(2*math.Pi*since.Seconds()/wave.Seconds())
	s.shop.pause.Store(int64(300*time.Millisecond) + int64(slow*float64(1600*time.Millisecond)))
	amount := 4 + n*n*7919%180_00/100
	members := fmt.Sprintf(`,"priority":%d`, []int{1, 1, 2, 2, 2, 2, 2, 3, 3, 3}[n*31%10])
	switch {
	case n%113 == 60:
		amount = 12_500 // a rule refuses it
	case n%41 == 7:
		members += fmt.Sprintf(`,"process_at":%q`, time.Now().Add(40*time.Second).Format(time.RFC3339))
	}
	body := fmt.Sprintf(`{"id":"shop-%d","amount":%d.90,"items":["tea"],"customer":"ada@example.com","address":"1 Example Road"%s}`, 20_000+n, amount, members)
	s.post("/orders", body)
	<-time.After(orderPause)
}

// snap keeps a picture of the window down to a height.
func (p *tab) snap(name string, height float64) {
	p.t.Helper()
	picture, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		got, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Clip: &page.Viewport{Width: width, Height: height, Scale: 1},
		})
		return got.Data, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.keep(name, picture)
}
