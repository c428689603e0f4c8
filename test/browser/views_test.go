package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// asking keeps the paths that the page asks for.
const asking = `(() => {
	const ask = fetch;
	globalThis.asked = [];
	globalThis.fetch = (address, how) => {
		asked.push(address.replace(location.origin, ""));
		return ask(address, how);
	};
})()`

// oneFailure is what there is to say about one order that failed.
const oneFailure = `return Response.json({ groups: [{ fingerprint: "answered #", error: "fulfilment answered 422 Unprocessable Entity", note: "<b>out of stock</b>", orders: 1,
	first_seen: "2026-01-02T03:04:05.000000Z", last_seen: "2026-01-02T03:04:05.000000Z", queue: "low", example_ids: ["one"] }] })`

// address waits for a fragment.
func (p *tab) address(hash string) {
	p.t.Helper()
	p.until(fmt.Sprintf("location.hash === %q", hash))
}

// ids waits for the orders of the rows.
func (p *tab) ids(ids ...string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`[...document.querySelectorAll("#found tbody tr")].map((row) => row.dataset.key).join() === %q`, strings.Join(ids, ",")))
}

// TestOrdersAddress keeps the filter, the page and the order of the rows in the address,
// which asks the API for just that, through reload, back and forward.
func TestOrdersAddress(t *testing.T) {
	s := start(t)
	s.flood("order", 60)
	s.submit("mine", `,"priority":1`)
	p := s.open("", withScript(asking+";"+altered))
	p.mayRefuse() // /health answers 503 without a worker
	p.click("[data-view=orders]")
	p.address("#/orders")
	p.until(`document.querySelectorAll("#found tbody tr").length === 50`)
	asks := func(path string) {
		t.Helper()
		p.until(fmt.Sprintf(`asked.includes(%q)`, path))
	}
	p.click("#orders-pages button:last-child")
	p.until(`document.querySelectorAll("#found tbody tr").length === 11`)
	p.sees("#orders-pages", "Page 2")
	p.do(chromedp.Reload())
	p.sees("#orders-pages", "Page 2")
	p.click("#orders-pages button:first-child")
	p.sees("#orders-pages", "Page 1")
	p.sees("#found tbody tr", "mine")

	p.write("#q-customer", "Ada\r")
	p.address("#/orders?customer=Ada")
	asks("/orders?customer=Ada&limit=50")
	value[any](p, `(() => { const it = document.querySelector("#q-status"); it.value = "cancelled"; it.dispatchEvent(new Event("change", { bubbles: true })); return true; })()`)
	p.address("#/orders?status=cancelled&customer=Ada")
	p.shows("#orders-none")
	s.post("/orders/mine/cancel", "")
	p.ids("mine") // an empty list shows what comes
	p.sees("#chips", "status: cancelled")
	value[any](p, "(history.back(), true)")
	p.address("#/orders?customer=Ada")
	p.until(`document.querySelector("#q-status").value === "" && document.querySelector("#q-customer").value === "Ada"`)
	value[any](p, "(history.forward(), true)")
	p.ids("mine")
	p.do(chromedp.Reload())
	p.ids("mine")
	p.click("[data-chip=status]")
	p.address("#/orders?customer=Ada")

	p.visit("orders")
	p.click("[data-sort=id]")
	p.address("#/orders?sort=id")
	p.sees("#found-note", "50 orders on this page, sorted within the page")
	p.sees("#found tbody tr", "mine")
	p.until(`document.querySelector("th[data-cell=id]").ariaSort === "ascending"`)

	p.alter("/orders", `return Response.json({ type: "tag:orderprocessor,2026:archive-required", errors: [{ field: "tag", message: "needs an archive" }] }, { status: 400 })`)
	p.visit("orders?tag=gift&metadata.basket=7")
	asks("/orders?tag=gift&metadata.basket=7&limit=50")
	p.shows("#needs-archive")
	p.until(`document.querySelector("#filters-more").open && document.querySelector("#q-tag").matches("[aria-invalid]")`)
	p.sees("#chips", "basket: 7")
	p.until(`!document.querySelector("#orders-list").checkVisibility()`)
	p.readable()
	p.shoot("orders-needs-archive")
}

// TestSelect acts on selected rows by keyboard, and says what became of each.
func TestSelect(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	for i := range 3 {
		s.submit(fmt.Sprintf("bad-%d", i))
	}
	p := s.open("#/failures")
	p.sees(".failure h2", "fulfilment answered 422 Unprocessable Entity")
	p.sees(".failure .tally", "3")
	p.sees(".failure q", "thank you")
	p.visit("orders?status=failed")
	p.ids("bad-2", "bad-1", "bad-0")
	s.shop.answers(http.StatusOK)
	p.do(press("j"), press("x"), press("j"), press("x"))
	p.sees("#found-note", "2 selected")
	p.until(`document.activeElement.textContent === "bad-1" && document.querySelectorAll("#found [data-selected=true]").length === 2`)
	p.until(`document.querySelector("[data-act=release]").disabled && document.querySelector("[data-act=cancel]").disabled`)
	p.readable()
	p.shoot("orders-selected")
	p.click("[data-act=retry]")
	p.sees("#dialog-title", "Retry 2 selected orders?")
	p.click("#dialog-yes")
	p.sees("#orders-result", "2 orders are retried.")
	p.sees("[data-key=bad-2]", "completed") // the row stays, and tells
	p.ids("bad-2", "bad-1", "bad-0")
	p.do(chromedp.EmulateViewport(360, 740))
	p.fits(360, "the list of orders")
	p.shoot("orders-narrow")
	p.do(press("k"))
	p.do(chromedp.KeyEvent(kb.Enter))
	p.address("#/orders/bad-2")
	p.sees(".verdict", "The shop answered: ")
	p.until(`document.querySelector(".verdict q").textContent.includes("<b ")`)
	p.fits(360, "an order")
}

// jobs has the page read and change one job, of which the test says how far it is.
const jobs = `(() => {
	const ask = fetch, json = (it, status = 200) => Promise.resolve(Response.json(it, { status }));
	globalThis.sent = [];
	globalThis.job = null;
	globalThis.fetch = (address, how) => {
		const { pathname } = new URL(address), post = how?.method === "POST";
		if (!pathname.startsWith("/jobs")) return ask(address, how);
		if (post) sent.push(pathname + " " + (how.body ?? ""));
		if (post && pathname === "/jobs") job = { id: "j" + sent.length, state: "counting", matched: 0, done: 0, skipped: 0, failed: 0, outcomes: {}, actor: "ada", created_at: new Date().toISOString(), ...JSON.parse(how.body) };
		else if (post) job.state = { pause: "paused", resume: "running", stop: "stopped" }[pathname.split("/")[3]];
		return json(pathname === "/jobs" && !post ? { jobs: [job] } : job, post ? 202 : 200);
	};
})()`

// TestAct retries all failed orders that are alike: it counts them first, shows how far the
// job is, pauses it, and says what came of it.
func TestAct(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered+";"+jobs))
	p.mayRefuse()
	p.alter("/failures", strings.Replace(oneFailure, "orders: 1", "orders: 1946", 1))
	p.visit("failures")
	p.sees(".failure", "1,946")
	p.until(`document.querySelector(".failure q").textContent === "<b>out of stock</b>"`)
	p.readable()
	p.shoot("failures")
	p.until(`document.querySelector(".failure .button").hash === "#/orders?status=failed&error_fingerprint=answered+%23"`)
	set := func(change string) { t.Helper(); value[any](p, "(Object.assign(job, "+change+"), true)") }
	sent := func(want string) { t.Helper(); p.until(fmt.Sprintf("sent.at(-1) === %q", want)) }
	p.click("[data-retry]")
	sent(`/jobs {"action":"retry","filter":{"status":"failed","error_fingerprint":"answered #"},"dry_run":true}`)
	p.sees("#act-count", "Counting …")
	set(`{ matched: 1200 }`)
	p.sees("#act-count", "Counting: 1,200 so far …")
	p.until(`document.querySelector("#dialog-yes").disabled`)
	set(`{ matched: 1946, state: "done" }`)
	p.sees("#act-count", "1,946 orders match.")
	value[any](p, `(document.querySelector("#dialog details").open = true)`)
	p.write("#act-reason", "the shop is back")
	p.write("#act-per_second", "60")
	p.write("#act-canary", "10")
	p.shoot("act")
	p.do(chromedp.EmulateViewport(360, 740))
	p.fits(360, "the dialog")
	p.shoot("act-narrow")
	p.do(chromedp.EmulateViewport(1280, 900))
	p.click("#dialog-yes")
	sent(`/jobs {"action":"retry","filter":{"status":"failed","error_fingerprint":"answered #"},"reason":"the shop is back","per_second":60,"canary":10}`)
	p.address("#/jobs/j2")
	set(`{ state: "running", matched: 1946, done: 973, outcomes: { completed: 970 } }`)
	p.sees("#job-words", "973 of 1,946 orders")
	p.until(`document.querySelector("[role=progressbar]").ariaValueNow === "50"`)
	p.click("[data-step=pause]")
	p.sees("#job-words", "973 retried: 970 completed, 3 not settled yet.")
	p.until(`document.activeElement.dataset.step === "resume"`)
	p.readable()
	p.shoot("job-paused")
	p.click("[data-step=resume]")
	sent("/jobs/j2/resume ")
	set(`{ state: "done", done: 1946, outcomes: { completed: 1940, failed: 6 }, ended_at: new Date().toISOString() }`)
	p.sees("#job-words", "1,946 retried: 1,940 completed, 6 failed again.")
	p.fits(1280, "a job")
	p.visit("jobs")
	p.sees("#jobs tbody", "1,946 retried: 1,940 completed, 6 failed again.")
	p.readable()
	p.shoot("jobs")
}

// TestPageKeys goes everywhere by keys, and does nothing while somebody types or after the
// keys were turned off.
func TestPageKeys(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered))
	p.mayRefuse()
	p.shows("#orders-note")
	for _, path := range []string{"/jobs", "/audit", "/workers", "/failures"} {
		p.alter(path, `return Response.json({ jobs: [], entries: [], workers: [], groups: [] })`)
	}
	for _, place := range []string{"orders", "failures", "workers", "jobs", "audit"} {
		p.do(press("g"), press(place[:1]))
		p.address("#/" + place)
	}
	p.do(press("g"), press("h"))
	p.address("#/")
	p.do(press("g"), press("o"))
	p.shows("#q-customer")
	p.write("#q-customer", "g a?/x")
	p.until(`document.querySelector("#q-customer").value === "g a?/x" && location.hash === "#/orders" && !document.querySelector("#dialog").open`)
	value[any](p, `(document.activeElement.blur(), true)`)
	p.do(press("/"))
	p.until(`document.activeElement.id === "search-id"`)
	value[any](p, `(document.activeElement.blur(), true)`)
	p.do(press("?"))
	p.sees("#dialog-title", "Keys")
	p.readable()
	p.shoot("keys")
	p.click("#keys-on")
	p.do(chromedp.KeyEvent(kb.Escape), press("g"), press("a"))
	p.do(press("?")) // still helps
	p.sees("#dialog-title", "Keys")
	p.address("#/orders?customer=g+a%3F%2Fx")
}

// TestPast draws the figures that the server keeps with their gaps, and tells the values
// where the arrow keys or a pointer are.
func TestPast(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered+`; altering["/stats/history"] = () => {
		const end = Math.floor(Date.now() / 10_000) * 10_000, at = (i) => new Date(end - 10_000 * (360 - i)).toISOString();
		const points = Array.from({ length: 361 }, (_, i) => ({ at: at(i), accepted: 120 + i % 50, completed: 100, rejected: 0, failed: 10, cancelled: 0, waiting: { critical: 1, default: 40, low: 5 } }));
		points.splice(100, 30);
		return Response.json({ range: "1h", step_seconds: 10, points, markers: [{ at: at(300), kind: "action", text: "queue.pause low", actor: "ada" }] });
	}`))
	p.mayRefuse()
	p.do(chromedp.Click(chromedp.CSS("label:has([name=range][value='1h'])")))
	p.address("#/?range=1h")
	const line = `document.querySelector("[data-chart=throughput] .line[data-series=completed]").getAttribute("d")`
	p.until(line + `.match(/M/g)?.length === 2`)
	p.sees("#markers summary", "1 action or alert in this time")
	p.do(chromedp.Reload())
	p.until(`document.querySelector("[name=range][value='1h']").checked`)
	p.sees("#markers ul", "queue.pause low by ada")
	value[any](p, `(document.querySelector("[data-chart=throughput] .plot").focus(), true)`)
	p.do(chromedp.KeyEvent(kb.Home))
	for range 4 { // past the gap
		p.do(chromedp.KeyEvent(kb.PageUp))
	}
	const said = `document.querySelector("[data-chart=throughput] .plot").ariaValueText`
	p.until(said + `.endsWith("accepted 12, completed 10, failed 1")`)
	for range 5 { // to the marker
		p.do(chromedp.KeyEvent(kb.PageUp))
	}
	p.until(said + `.includes("queue.pause low by ada: accepted 12")`)
	p.sees("[data-chart=throughput] .value", "12")
	p.readable()
	p.shoot("past")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until(`document.querySelector("[data-chart=throughput] .readout").textContent === ""`)
	p.do(chromedp.Click(chromedp.CSS("label:has([name=range][value=''])")))
	p.address("#/")
	p.until(`!document.querySelector("#markers").checkVisibility()`)
}

// TestFurtherViews shows workers, a queue and the audit, readable in both schemes and on
// a telephone.
func TestFurtherViews(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered))
	p.mayRefuse()
	p.alter("/workers", `return Response.json({ workers: [0, 1].map((i) => ({ id: "worker-" + i, host: "node-" + i, version: "1." + i, started_at: new Date().toISOString(), heartbeat_age_seconds: 40 * i, slots: 8, busy: 2,
		orders: [{ id: "order-1", attempt: 2, running_seconds: 75 }] })) })`)
	p.alter("/audit", `return Response.json({ entries: [{ id: "2", at: new Date().toISOString(), actor: "ada", action: "queue.pause", target: "low", reason: "<i>the shop</i> asked" },
		{ id: "1", at: new Date().toISOString(), actor: "bot", action: "order.cancel", target: "order-1" }], next_cursor: "x" })`)
	for _, scheme := range []string{"light", "dark"} {
		p.do(preferring("prefers-color-scheme", scheme))
		for _, width := range []int64{360, 1280} {
			p.do(chromedp.EmulateViewport(width, 800))
			for hash, want := range map[string][2]string{
				"workers": {"#workers", "attempt 2, for 1 min 15 s"}, "queues/low": {"#queue-who", "Paused by ada"}, "audit": {"#entries", "<i>the shop</i> asked"}, "orders": {"#orders-none", "No order"},
			} {
				p.visit(hash)
				p.sees(want[0], want[1])
				p.readable()
				p.fits(width, hash)
				p.shoot(fmt.Sprintf("%s-%s-%d", strings.ReplaceAll(hash, "/", "-"), scheme, width))
			}
		}
	}
	p.visit("audit?actor=ada")
	p.until(`document.querySelector("#a-actor").value === "ada"`)
	p.click("#audit-pages button:last-child")
	p.address("#/audit?actor=ada&cursor=x")
	p.click("#entries a")
	p.address("#/queues/low")
	p.sees("#workers-note, h1", "Queue low")
}

// TestCalm has the list of orders be read while fifty come every second: nothing moves, and
// nothing is lost when the API is away meanwhile.
func TestCalm(t *testing.T) {
	s := start(t)
	s.worker()
	s.flood("first", 80)
	p := s.open("#/orders")
	p.until(`document.querySelectorAll("#found tbody tr").length === 50 && document.querySelectorAll("#found .pill[data-status=completed]").length === 50`)
	value[any](p, `(() => {
		globalThis.moved = [];
		globalThis.before = [...document.querySelectorAll("#found tbody tr")].map((row) => row.dataset.key).join();
		new PerformanceObserver((list) => { for (const { value, sources } of list.getEntries()) if (value > .005) moved.push(value + " " + sources.map(({ node }) => node?.parentElement?.id + "/" + node?.textContent.slice(0, 40))); }).observe({ type: "layout-shift" });
		return true;
	})()`)
	const offered = `document.querySelector("#newer").checkVisibility()`
	for i := 0; !value[bool](p, offered); i++ {
		s.flood(fmt.Sprintf("more-%d", i), 10)
		p.do(chromedp.Sleep(8 * step))
	}
	for _, moved := range value[[]string](p, "moved") {
		t.Errorf("something moves by %s", moved)
	}
	p.until(`before === [...document.querySelectorAll("#found tbody tr")].map((row) => row.dataset.key).join()`)
	p.click("#newer")
	p.until(`document.querySelector("#found tbody tr").dataset.key.startsWith("more-")`)
	p.until("!(" + offered + ")")
}
