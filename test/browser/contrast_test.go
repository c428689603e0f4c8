package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// preferring emulates a preference that is set in the browser.
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
	p := s.open("", withScript(altered), preferring("prefers-color-scheme", "dark"))
	p.alter("/failures", oneFailure)
	p.until(`document.querySelectorAll("#orders [data-status=completed]").length === 40`)
	p.until(`document.querySelectorAll(".chart path.line").length === 6 && document.querySelector(".chart path.line").getAttribute("d").includes("L")`)
	const ground = `getComputedStyle(document.body).backgroundColor`
	dark := value[string](p, ground)
	p.readable()
	p.shoot("desktop-dark")
	for _, view := range [][2]string{{"orders/order-1", ".attempts"}, {"orders", "#found td"}, {"failures", ".failure"}, {"review", "#review-empty"}, {"rules", "[data-action=edit]"}, {"submit", "#f-amount"}, {"", "[data-order]"}} {
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
	for _, view := range [][2]string{{"orders", "#found td"}, {"failures", ".failure"}, {"review", "#review-empty"}, {"rules", "[data-action=edit]"}, {"submit", "#f-amount"}, {"", "[data-order]"}} {
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

// stillness checks that nothing moves where that is preferred, and only there.
func (p *tab) stillness() {
	p.t.Helper()
	p.do(preferring("prefers-reduced-motion", "no-preference"))
	p.until(`getComputedStyle(document.querySelector(".meter span")).transitionDuration !== "0s"`)
	p.do(preferring("prefers-reduced-motion", "reduce"))
	p.until(`document.getAnimations().length === 0 && getComputedStyle(document.querySelector(".meter span")).transitionDuration === "0s"`)
}

// readable checks that every text has the contrast of WCAG AA on its ground.
func (p *tab) readable() {
	p.t.Helper()
	p.until(`document.getAnimations().length === 0`)
	for _, text := range value[[]string](p, contrasts) {
		p.t.Error(text)
	}
}

// controlled checks that the edges of every control, and the ring of whatever has the
// focus, have the contrast of WCAG AA on both their sides.
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

// measures are what contrasts are computed with: light of a color, the ground of an
// element, and the contrast of two colors.
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
	const check = (element, what, color, ground, least) => {
		if (contrast(color, ground) < least) found.push(what + " of " + element.outerHTML.slice(0, 80) + ": " + color + " on " + ground);
	};
	for (const element of document.querySelectorAll("button, .button, input:not([type=radio], [type=checkbox]), select, textarea, .choice")) {
		if (!element.checkVisibility() || element.disabled) continue;
		const { borderTopColor: edge, backgroundColor: inside } = getComputedStyle(element), outside = ground(element.parentElement);
		check(element, "the edge", edge, outside, 3);
		if (inside !== edge) check(element, "the edge", edge, inside, 3);
		if (element.placeholder) check(element, "the placeholder", getComputedStyle(element, "::placeholder").color, ground(element), 4.5);
	}
	const at = document.activeElement, ring = at.type === "radio" ? at.closest("label") : at;
	if (at === document.body) return found;
	const { outlineColor, outlineStyle, outlineWidth } = getComputedStyle(ring);
	if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) found.push("no ring of the focus on " + at.outerHTML.slice(0, 80));
	check(at, "the ring of the focus", outlineColor, ground(ring.parentElement), 3);
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
