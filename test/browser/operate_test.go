package browser_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWorkerStops says that no worker is alive, and that one is back.
func TestWorkerStops(t *testing.T) {
	s := start(t)
	stop := s.worker()
	p := s.open("")
	p.sees("#state-words", "All is well")
	p.sees("[data-figure=workers-note]", "of 8 slots busy")
	p.mayRefuse() // /health answers 503
	stop()
	p.sees("#state-words", "No worker is alive")
	p.sees("#state-detail", "Start workers")
	p.sees("[data-figure=workers-note]", "none is alive")
	s.worker()
	p.sees("#state-words", "All is well")
}

// TestPause pauses a queue and resumes it.
func TestPause(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("")
	p.click("button[data-queue=low]")
	p.sees("#dialog-title", "Pause the queue low?")
	p.do(chromedp.KeyEvent("\x1b")) // Escape leaves it as it is
	p.until(`!document.querySelector("#dialog").open && document.activeElement.dataset.queue === "low"`)
	p.click("button[data-queue=low]")
	p.click("#dialog-yes")
	p.sees("#queues-result", "The queue low is paused.")
	p.sees("#state-words", "Paused: low")
	p.sees("button[data-queue=low]", "Resume")
	s.submit("held", `,"priority":3`)
	p.sees(`.queue[data-queue=low] [data-count=pending]`, "1")
	p.shoot("paused")
	p.click(`a[href="#/queues/low"]`)
	p.sees("#queue-who", "Paused by anonymous")
	p.sees("#queue-facts", "Oldest waiting")
	p.visit("audit?target=low")
	p.sees("#entries", "queue.pause")
	p.click("#entries td[data-cell=target] a")
	p.click("button[data-queue=low]")
	p.sees("#queues-result", "The queue low is resumed.")
	p.visit("")
	p.sees("[data-order=held]", "completed")
	p.sees("#state-words", "All is well")
}

// settled returns a system with a worker and one order, which is completed, as the page
// shows. What it needs may go away.
func settled(t *testing.T) (*system, *tab) {
	t.Helper()
	s := start(t)
	s.worker()
	s.submit("before")
	p := s.open("")
	p.sees("[data-order=before]", "completed")
	p.mayRefuse()
	return s, p
}

// TestRedisStops shows that Redis is unavailable, and recovers when it is back.
func TestRedisStops(t *testing.T) {
	s, p := settled(t)
	s.redis.Kill()
	p.sees("#state-words", "Redis is unavailable")
	p.sees("#banner", "Showing figures of")
	p.shoot("redis-away")
	s.redis.Restart()
	p.sees("#state-words", "All is well")
	p.until(`document.querySelector("#banner").hidden`)
	s.submit("after")
	p.sees("[data-order=after]", "completed")
}

// TestAPIStops says that it is not connected and shows the last figures, until the API
// answers again.
func TestAPIStops(t *testing.T) {
	_, p := settled(t)
	value[any](p, `(() => {
		globalThis.connected = fetch;
		fetch = () => Promise.reject(new TypeError("offline"));
		return true;
	})()`)
	p.sees("#state-words", "Reconnecting")
	p.sees("#banner", "Not connected. Showing figures of")
	p.readable()
	p.shoot("disconnected")
	value[any](p, `(fetch = connected, true)`)
	p.sees("#state-words", "All is well")
	p.until(`document.querySelector("#banner").hidden`)
}

// TestKeys uses the page with a key as the password of HTTP Basic: what the key does
// not allow is said where it was tried.
func TestKeys(t *testing.T) {
	keys := []string{
		"viewer:read:" + hashOf("read-key"),
		"all:submit+read+admin:" + hashOf("all-key"),
		"shop:submit:" + hashOf("submit-key"),
	}
	s := start(t, "ORDERS_API_KEYS="+strings.Join(keys, ","))
	s.worker()
	as := func(key, hash string) *tab {
		u, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("me", key)
		p := newTab(t, s.URL)
		p.mayRefuse()
		p.do(chromedp.Navigate(u.String() + "/" + hash))
		return p
	}
	viewer := as("read-key", "")
	viewer.sees("#state-words", "All is well")
	viewer.sees("#orders-note", "live")
	viewer.click("button[data-queue=low]")
	viewer.click("#dialog-yes")
	viewer.sees("#queues-result", "The queue low was not paused. Your key lacks the scope admin.")
	viewer.shoot("forbidden")
	viewer.visit("rules")
	viewer.click("#simulate button")
	viewer.sees("#rules-result", "It was not simulated. Your key lacks the scope admin.")
	viewer.view("", "[data-figure=waiting]")
	all := as("all-key", "#/submit")
	all.fill("5", "mine")
	all.click("#submit button")
	all.sees("#submit-result", "mine")
	viewer.sees("[data-order=mine]", "completed")
}

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
