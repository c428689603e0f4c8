package browser_test

import (
	"fmt"
	"testing"
)

// TestBusySlots never shows more slots busy than there are, whichever readings meet.
func TestBusySlots(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered))
	for _, row := range []struct {
		active, processing, slots int
		note                      string
	}{
		{136, 136, 128, "128 of 128 slots busy"},
		{136, 100, 128, "100 of 128 slots busy"}, // the others are fetched and wait for a slot
		{3, 9, 8, "3 of 8 slots busy"},           // their worker was killed
		{2, 2, 1, "1 of 1 slot busy"},
	} {
		p.alter("/stats", fmt.Sprintf(`it.queues.low.active = %d; it.by_status.processing = %d; it.active_workers = %d`, row.active, row.processing, row.slots))
		p.sees("[data-figure=workers-note]", row.note)
	}
	p.alter("/stats", `it.queues.low.active = 3; it.by_status = { ...it.by_status, processing: 1, priority_processing: 1, expedited: 1 }; it.active_workers = 8`)
	p.sees("[data-figure=workers-note]", "3 of 8 slots busy")
}

// TestUnknownWorkers shows what is not known as such.
func TestUnknownWorkers(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered))
	p.tile("workers", "1", "0 of 8 slots busy", "")
	p.alter("/stats", `delete it.active_workers; delete it.workers`)
	p.alter("/health", `delete it.pool.workers`)
	p.tile("workers", "–", "unknown", "")
	p.state("good", "All is well", "No order waits")
	p.alter("/stats", `it.active_workers = it.workers = null`)
	p.tile("workers", "–", "unknown", "")
}

// TestAcceptedRate checks that the rate of acceptance is never far from the true one,
// however late, rarely or often the page asks, and whichever clock jumps.
func TestAcceptedRate(t *testing.T) {
	s := start(t)
	p := s.open("")
	p.mayRefuse() // /health answers 503 without a worker
	if wrong := p.awaited(acceptedRates); wrong != "" {
		t.Error(wrong)
	}
}

// acceptedRates has orders accepted at a true rate, reads the counter at random times
// within each question, and returns the first history that gives another rate.
const acceptedRates = `(async () => {
	const { acceptance } = await import(document.querySelector("script[src]").src.replace("main.js", "figures.js"));
	let known = 0;
	for (let run = 0; run < 400; run++) {
		const rate = [0, 1, 80, 5000][run % 4], story = [];
		let now = 1e6, sleeps = 0, base = 1e4, samples = [];
		const clocks = () => [now, now - sleeps];
		for (let question = 0; question < 60; question++) {
			const chance = Math.random();
			now += chance < .1 ? 50 : chance < .15 ? 600_000 : 2000 + 2000 * Math.random(); // at once, hidden, throttled
			if (chance > .97) sleeps += 1500; // the computer slept
			if (question === 30 && run % 8 < 4) base = -rate * now / 1000; // the books are new
			const asked = clocks();
			const before = Math.random() < .2 ? 6000 * Math.random() : 20;
			const after = Math.random() < .2 ? 6000 * Math.random() : 20;
			now += before;
			const total = Math.max(0, Math.floor(base + rate * now / 1000));
			now += after;
			samples.push({ asked, came: clocks(), total });
			samples = samples.slice(-150);
			const got = acceptance(samples);
			story.push([before, after, total, got]);
			if (got === null) continue;
			known++;
			if (got < .85 * rate - .5 || got > 1.15 * rate + .5) return "a true " + rate + "/s is shown as " + got + ": " + JSON.stringify(story.slice(-8));
		}
	}
	return known > 4000 ? "" : "only " + known + " rates are known";
})()`

// TestAcceptedChart draws the true rate while the page asks all the time and answers are
// late.
func TestAcceptedChart(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("", withScript(altered+`; altering["/stats"] = async (it) => {
		await new Promise((then) => setTimeout(then, 400 * Math.random()));
		it.ledger.accepted = Math.floor(80 * performance.now() / 1000);
		await new Promise((then) => setTimeout(then, 400 * Math.random()));
	}`))
	value[any](p, `(() => {
		globalThis.shown = new Set();
		new MutationObserver(() => {
			for (const label of document.querySelectorAll("[data-chart=throughput] .now[data-series=accepted]")) shown.add(label.textContent);
		}).observe(document.querySelector("[data-chart=throughput]"), { childList: true, subtree: true });
		setInterval(() => dispatchEvent(new Event("online")), 50);
		return true;
	})()`)
	p.until(`shown.size >= 5`)
	for _, label := range value[[]float64](p, `[...shown].map(Number)`) {
		if label < 68 || label > 92 {
			t.Errorf("a true 80/s is shown as %g", label)
		}
	}
}
