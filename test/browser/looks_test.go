package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestNarrow fits a telephone: nothing is wider than its 360 px.
func TestNarrow(t *testing.T) {
	s := start(t)
	s.worker()
	s.shop.answers(http.StatusUnprocessableEntity)
	s.submit("an-order-with-an-id-that-is-as-long-as-an-id-can-be.0123456789AB")
	p := s.open("", chromedp.EmulateViewport(360, 740))
	p.sees("#orders", "failed")
	for hash, shown := range map[string]string{
		"": "[data-order]", "failures": ".failure", "submit": "#f-amount", "orders/none": "#order-missing",
		"orders/an-order-with-an-id-that-is-as-long-as-an-id-can-be.0123456789AB": ".attempts",
	} {
		p.mayRefuse() // of an order that there is not
		p.do(chromedp.Navigate(s.url + "/#/" + hash))
		p.shows(shown)
		if width := value[int](p, "document.scrollingElement.scrollWidth"); width > 360 {
			p.shoot("too-wide")
			t.Errorf("#/%s is %d px wide", hash, width)
		}
		if hash == "" || shown == ".attempts" {
			p.shoot("narrow-" + shown[1:5])
		}
	}
}

// preferring emulates what a person has told the browser to prefer.
func preferring(name, value string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: name, Value: value}},
		})
		return err
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
		p.do(chromedp.Navigate(s.url + "/#/" + view[0]))
		p.shows(view[1])
		p.readable()
	}
	p.do(preferring("prefers-color-scheme", "light"))
	if light := value[string](p, ground); light == dark {
		t.Errorf("the ground is %s in both schemes", light)
	}
	p.readable()
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

// contrasts lists the texts whose contrast is too small.
const contrasts = `(() => {
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
	const found = [];
	for (const element of document.querySelectorAll("body *")) {
		const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
		if (!own || !element.checkVisibility() || element.closest("template, noscript, .hidden, .skip")) continue;
		const style = getComputedStyle(element);
		const color = element instanceof SVGElement ? style.fill : style.color;
		const [a, b] = [light(color), light(ground(element))].sort((x, y) => y - x);
		if ((a + .05) / (b + .05) < 4.5) found.push(element.textContent.slice(0, 40) + ": " + color + " on " + ground(element));
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
		p.do(chromedp.Navigate(s.url + "/#/orders/order-5"))
		p.shows(".attempts")
		p.hears("columnheader The shop said", "cell done", "StaticText 6.50")
	}
}

// hears holds that a screen reader is told of parts, each a role and the end of a name.
func (p *tab) hears(parts ...string) {
	p.t.Helper()
	spoken := p.spoken()
	for _, part := range parts {
		role, name, _ := strings.Cut(part, " ")
		if !slices.ContainsFunc(spoken, func(text string) bool { return strings.HasPrefix(text, role+" ") && strings.HasSuffix(text, name) }) {
			p.t.Errorf("nobody hears %q", part)
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
