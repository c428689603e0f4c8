package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// large has figures and texts be as long as they get.
const large = `
	altering["/stats"] = (it) => {
		Object.assign(it, { queue_length: 12345678, active_workers: 1234567, workers: 23456, throughput_per_second: 1234567.8 });
		for (const status in it.by_status) it.by_status[status] = 123456789;
		for (const queue of Object.values(it.queues)) Object.assign(queue, { pending: 12345678, active: 1234567, retry: 12345678, scheduled: 123456789, oldest_pending_seconds: 1e6 });
		for (const times of Object.values(it.latency_ms)) Object.assign(times, { p50: 863990000, p95: 3.456e8, p99: 12345.6 });
		it.redis = { memory_used_bytes: 1.2e13, memory_limit_bytes: 1.3e13 };
		it.ledger.drift = -123456789;
	};
	altering["/orders"] = (it) => it.orders.forEach((order, i) => Object.assign(order, { amount: 999999999999.99, error: "x".repeat(300), ...[{}, { status: "priority_processing", processed_at: undefined, created_at: "2025-01-02T03:04:05Z" }][i % 2] }));
	true`

// TestNarrow fits telephones: nothing is wider than their 320 or 360 px or cut off, with
// the longest of figures, ids and texts, and everything can be hit with a finger.
func TestNarrow(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	const longest = "an-order-with-an-id-that-is-as-long-as-an-id-can-be.0123456789AB"
	s.submit(longest)
	s.submit("x")
	for _, width := range []int64{320, 360, 820, 1280} {
		p := s.open("", withScript(altered), chromedp.EmulateViewport(width, 740))
		p.mayRefuse() // of an order that there is not
		p.sees("#orders", "failed")
		p.fits(width, "as it is")
		value[any](p, large)
		p.sees("[data-figure=waiting]", "12,345,678")
		p.sees(".chart .now", "1.2M")
		p.view("submit", "#f-amount")
		for hash, shown := range map[string]string{
			"": "[data-order]", "failures": ".failure", "submit": "#f-amount", "orders/none": "#order-missing",
			"orders/" + longest: ".attempts",
		} {
			p.view(hash, shown)
			if hash == "" {
				p.sees("#orders", "999,999,999,999.99")
			}
			p.fits(width, "#/"+hash)
			if hash == "" || shown == ".attempts" {
				p.shoot(fmt.Sprintf("narrow-%s-%d", shown[1:5], width))
			}
		}
		p.visit("orders/x")
		p.click("[data-action=retry]")
		p.sees("#order-result", "It is pending again")
		p.fits(width, "an order that is retried")
	}
}

// fits holds that all of the page is there at this width, and that what can be pressed is
// large enough.
func (p *tab) fits(width int64, what string) {
	p.t.Helper()
	if got := value[int64](p, "document.scrollingElement.scrollWidth"); got > width {
		p.shoot("too-wide")
		p.t.Errorf("%s is %d px wide at %d px", what, got, width)
	}
	for _, text := range value[[]string](p, cuts) {
		p.shoot("cut")
		p.t.Errorf("%s at %d px: %s", what, width, text)
	}
	for _, target := range value[[]string](p, smallTargets) {
		p.t.Errorf("%s at %d px: %s", what, width, target)
	}
}

const (
	// cuts lists the texts that stand out of the page, of the box they belong to, or of
	// what clips them.
	cuts = `(() => {
	const found = [], range = document.createRange();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const element = node.parentElement;
		if (!node.data.trim() || !element.checkVisibility() || element.closest("template, noscript, .hidden, .skip, thead")) continue;
		range.selectNodeContents(node);
		const { left, right } = range.getBoundingClientRect();
		const out = (box) => left < box.left - 1 || right > box.right + 1;
		let cut = left < 0 || right > innerWidth;
		for (let box = element; box !== document.body && !cut; box = box.parentElement) {
			const boxed = box.matches("button, .button, .pill, .tile, .queue, .card, .state, .result, .badge, input, td, svg");
			if (boxed || getComputedStyle(box).overflowX !== "visible") cut = out(box.getBoundingClientRect());
		}
		if (cut) found.push(JSON.stringify(node.data.slice(0, 40)) + " is cut off in " + element.outerHTML.slice(0, 80));
	}
	return found;
})()`
	// smallTargets lists what is too small to be hit, see WCAG 2.5.8.
	smallTargets = `[...document.querySelectorAll("a[href], button, input, select, textarea")].flatMap((element) => {
	const target = element.type === "radio" ? element.closest("label") : element;
	const { width, height } = target.getBoundingClientRect();
	return !target.checkVisibility() || width >= 24 && height >= 24 ? [] : [target.outerHTML.slice(0, 80) + " has " + width + " by " + height + " px"];
})`
)

// preferring emulates what a person has told the browser to prefer.
func preferring(name, value string) chromedp.Action[chromedp.Void] {
	return calling(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: name, Value: value}},
	})
}

// TestSchemes is light or dark as the browser prefers, readable in both, and keeps
// still for those who want that.
func TestSchemes(t *testing.T) {
	s := start(t)
	s.worker()
	s.flood("order", 40)
	p := s.open("", preferring("prefers-color-scheme", "dark"))
	p.until(`document.querySelectorAll("#orders [data-status=completed]").length === 40`)
	p.until(`document.querySelectorAll(".chart path").length === 5 && document.querySelector(".chart path").getAttribute("d").includes("L")`)
	const ground = `getComputedStyle(document.body).backgroundColor`
	dark := value[string](p, ground)
	p.readable()
	p.shoot("desktop-dark")
	for _, view := range [][2]string{{"orders/order-1", ".attempts"}, {"failures", ".empty"}, {"submit", "#f-amount"}, {"", "[data-order]"}} {
		p.view(view[0], view[1])
		p.readable()
		p.controlled()
	}
	p.do(preferring("prefers-color-scheme", "light"))
	if light := value[string](p, ground); light == dark {
		t.Errorf("the ground is %s in both schemes", light)
	}
	p.readable()
	p.controlled()
	for _, view := range [][2]string{{"failures", ".empty"}, {"submit", "#f-amount"}, {"", "[data-order]"}} {
		p.view(view[0], view[1])
		p.controlled()
	}
	p.click("button[data-queue=low]") // the dialog, and a queue that is paused
	p.controlled()
	p.click("#dialog-yes")
	p.sees("#queues-result", "is paused")
	p.readable()
	p.controlled()
	p.stillness()
}

// stillness holds that nothing moves where that is preferred, and only there.
func (p *tab) stillness() {
	p.t.Helper()
	p.do(preferring("prefers-reduced-motion", "no-preference"))
	p.until(`getComputedStyle(document.querySelector(".meter span")).transitionDuration !== "0s"`)
	p.do(preferring("prefers-reduced-motion", "reduce"))
	p.until(`document.getAnimations().length === 0 && getComputedStyle(document.querySelector(".meter span")).transitionDuration === "0s"`)
}

// readable holds every text to the contrast of WCAG AA on the ground that it stands
// on.
func (p *tab) readable() {
	p.t.Helper()
	p.until(`document.getAnimations().length === 0`)
	for _, text := range value[[]string](p, contrasts) {
		p.t.Error(text)
	}
}

// controlled holds the edges of every control, and the ring of whatever has the focus, to
// the contrast of WCAG AA on both their sides.
func (p *tab) controlled() {
	p.t.Helper()
	found := map[string]bool{}
	for range value[int](p, `document.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0']").length`) {
		p.do(chromedp.KeyEvent(kb.Tab))
		for _, control := range value[[]string](p, edges) {
			found[control] = true
		}
	}
	for control := range found {
		p.t.Error(control)
	}
}

// measures are what contrasts are computed with: light of a color, the ground that an
// element stands on, and the contrast of two colors.
const measures = `
	const parts = (color) => color.match(/[\d.]+/g).map(Number);
	const light = (color) => {
		const [r, g, b] = parts(color).map((c) => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	};
	const ground = (element) => {
		for (; element; element = element.parentElement) {
			const color = getComputedStyle(element).backgroundColor;
			if ((parts(color)[3] ?? 1) === 1) return color;
		}
		return "rgb(255, 255, 255)";
	};
	const contrast = (one, other) => {
		const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
		return (a + .05) / (b + .05);
	};
`

// edges lists the controls whose edge, text of a field that is empty, or ring of the focus
// is hard to see.
const edges = `(() => {` + measures + `
	const found = [];
	const tell = (element, what, color, ground, least) => {
		if (contrast(color, ground) < least) found.push(what + " of " + element.outerHTML.slice(0, 80) + ": " + color + " on " + ground);
	};
	for (const element of document.querySelectorAll("button, .button, input:not([type=radio]), select, textarea, .choice")) {
		if (!element.checkVisibility() || element.disabled) continue;
		const { borderTopColor: edge, backgroundColor: inside } = getComputedStyle(element), outside = ground(element.parentElement);
		tell(element, "the edge", edge, outside, 3);
		if (inside !== edge) tell(element, "the edge", edge, inside, 3);
		if (element.placeholder) tell(element, "the placeholder", getComputedStyle(element, "::placeholder").color, ground(element), 4.5);
	}
	const at = document.activeElement, ring = at.type === "radio" ? at.closest("label") : at;
	if (at === document.body) return found;
	const { outlineColor, outlineStyle, outlineWidth } = getComputedStyle(ring);
	if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) found.push("no ring of the focus on " + at.outerHTML.slice(0, 80));
	tell(at, "the ring of the focus", outlineColor, ground(ring.parentElement), 3);
	return found;
})()`

// contrasts lists the texts whose contrast is too small.
const contrasts = `(() => {` + measures + `
	const found = [];
	for (const element of document.querySelectorAll("body *")) {
		const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
		if (!own || !element.checkVisibility() || element.closest("template, noscript, .hidden, .skip")) continue;
		const style = getComputedStyle(element);
		const color = element instanceof SVGElement ? style.fill : style.color;
		if (contrast(color, ground(element)) < 4.5) found.push(element.textContent.slice(0, 40) + ": " + color + " on " + ground(element));
	}
	return [...new Set(found)];
})()`

// TestSpoken has everything for those who listen: figures and charts as texts, tables
// as tables, and names on all buttons, on a narrow page as well.
func TestSpoken(t *testing.T) {
	s := start(t)
	s.worker()
	s.flood("order", 6)
	for _, width := range []int64{360, 1280} {
		p := s.open("", chromedp.EmulateViewport(width, 740))
		p.until(`document.querySelectorAll("#orders [data-status=completed]").length === 6`)
		p.until(`document.querySelectorAll("figure table tr").length >= 4`) // a line each in both
		p.sees("[data-order=order-5] [data-cell=amount]", "6.50")
		p.hears(
			"heading Settled", "StaticText 6 so far", "StaticText 0 of 8 slots busy", "StaticText no limit set", "StaticText the books balance",
			"table Orders per second, over the last five minutes", "columnheader accepted",
			"table Orders that wait, over the last five minutes", "columnheader critical", "rowheader End to end",
			"button Pause the queue low", "columnheader Took, or age", "link order-5", "cell completed", "cell 6.50", "StaticText All is well",
		)
		p.view("orders/order-5", ".attempts")
		p.hears("columnheader Answer of the shop", "cell done", "StaticText 6.50")
	}
}

// hears waits until a screen reader is told of parts, each a role and the end of a name.
func (p *tab) hears(parts ...string) {
	p.t.Helper()
	deadline := time.After(patience)
	for _, part := range parts {
		role, name, _ := strings.Cut(part, " ")
		for !slices.ContainsFunc(p.spoken(), func(text string) bool { return strings.HasPrefix(text, role+" ") && strings.HasSuffix(text, name) }) {
			select {
			case <-time.After(step):
			case <-deadline:
				p.t.Fatalf("nobody hears %q", part)
			}
		}
	}
}

// spoken is what the browser tells a screen reader: the role and the name of each part.
// A part without a name has the text in it.
func (p *tab) spoken() []string {
	p.t.Helper()
	nodes, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) ([]*accessibility.Node, error) {
		tree, err := cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		return tree.Nodes, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	var spoken []string
	for _, node := range nodes {
		if !node.Ignored && node.Role != nil && node.Name != nil {
			spoken = append(spoken, fmt.Sprintf("%s %s", textOf(node.Role), textOf(node.Name)))
		}
	}
	return spoken
}

// textOf is a text of the accessibility tree.
func textOf(v *accessibility.Value) (text string) {
	_ = json.Unmarshal(v.Value, &text) // roles and names are strings
	return text
}

// TestKeyboard reaches everything with the Tab key, and submits an order without a
// pointer.
func TestKeyboard(t *testing.T) {
	s := start(t)
	s.worker()
	p := s.open("")
	p.shows("button[data-queue=low]")
	for _, stop := range []string{
		"#skip", "[data-view=overview]", "[data-view=failures]", "[data-view=submit]", "#search-id", "#search button",
		"button[data-queue=critical]", "button[data-queue=default]", "button[data-queue=low]",
	} {
		p.tabTo(stop)
	}
	p.tabTo("#skip")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.until(`document.activeElement.id === "main" && location.hash === ""`)
	p.tabTo("[data-view=submit]")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.until(`document.activeElement.matches("h1")`) // a new view is told
	for _, field := range [][2]string{
		{"#f-amount", "7.25"}, {"#f-customer", "Ada"}, {"#f-items", "tea"}, {"#f-address", "1 Example Road"}, {"#f-id", "by-keyboard"},
	} {
		p.tabTo(field[0])
		p.do(chromedp.KeyEvent(field[1]))
	}
	p.do(chromedp.KeyEvent(kb.Enter))
	p.sees("#submit-result", "by-keyboard")
	p.until(`document.activeElement.id === "submit-result"`)
	p.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	p.sees(".verdict", "Completed in")
}

// maxTabs is more often than the Tab key goes round the page.
const maxTabs = 80

// tabTo presses Tab until the element has the focus, which must be seen there.
func (p *tab) tabTo(selector string) {
	p.t.Helper()
	for range maxTabs {
		p.do(chromedp.KeyEvent(kb.Tab))
		if !value[bool](p, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			continue
		}
		if value[string](p, "getComputedStyle(document.activeElement).outlineStyle") == "none" {
			p.t.Errorf("the focus is not seen on %s", selector)
		}
		return
	}
	p.t.Fatalf("Tab does not reach %s", selector)
}
