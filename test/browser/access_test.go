package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orderprocessor/internal/order"
)

// TestScreenReader checks what a screen reader gets: figures and charts as texts, tables as
// tables, and names on all buttons, on a narrow page as well.
func TestScreenReader(t *testing.T) {
	s := start(t)
	s.worker()
	s.flood("order", 6)
	for _, width := range []int64{360, 1280} {
		p := s.open("", chromedp.EmulateViewport(width, 740))
		p.until(`document.querySelectorAll("#orders [data-status=completed]").length === 6`)
		p.until(`document.querySelectorAll("figure table tr").length >= 4`) // a line each in both
		p.sees("[data-order=order-5] [data-cell=amount]", "6.50")
		p.announces(
			"heading Completed", "StaticText 6 so far", "StaticText 0 of 8 slots busy", "StaticText no limit set", "StaticText the books balance",
			"table Orders per second, over the last five minutes", "columnheader accepted",
			"table Orders that wait, over the last five minutes", "columnheader "+string(order.QueueCritical), "rowheader End to end",
			"button Pause the queue low", "columnheader Took, or age", "link order-5", "cell completed", "cell 6.50", "StaticText All is well", "slider Orders per second: values at a time",
		)
		p.view("orders/order-5", ".attempts")
		p.announces("columnheader Answer of the shop", "cell done", "StaticText 6.50")
	}
}

// announces waits until a screen reader gets these parts, each a role and the end of a name.
func (p *tab) announces(parts ...string) {
	p.t.Helper()
	deadline := time.After(patience)
	for _, part := range parts {
		role, name, _ := strings.Cut(part, " ")
		for !slices.ContainsFunc(p.announced(), func(text string) bool { return strings.HasPrefix(text, role+" ") && strings.HasSuffix(text, name) }) {
			select {
			case <-time.After(step):
			case <-deadline:
				p.t.Fatalf("a screen reader does not get %q", part)
			}
		}
	}
}

// announced is what a screen reader gets: the role and the name of each part. A part
// without a name has the text in it.
func (p *tab) announced() []string {
	p.t.Helper()
	nodes, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) ([]*accessibility.Node, error) {
		tree, err := cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		return tree.Nodes, err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	var parts []string
	for _, node := range nodes {
		if !node.Ignored && node.Role != nil && node.Name != nil {
			parts = append(parts, fmt.Sprintf("%s %s", textOf(node.Role), textOf(node.Name)))
		}
	}
	return parts
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
	for _, stop := range []string{"#skip", "[data-view=overview]", "[data-view=orders]", "[data-view=failures]", "[data-view=review]", "[data-view=jobs]", "[data-view=workers]", "[data-view=audit]", "[data-view=rules]", "[data-view=submit]", "#search-id"} {
		p.tabTo(stop)
	}
	for _, queue := range order.Queues() {
		p.tabTo(fmt.Sprintf("a[href='#/queues/%s']", queue))
		p.tabTo(fmt.Sprintf("button[data-queue=%s]", queue))
	}
	p.tabTo("#skip")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.until(`document.activeElement.id === "main" && location.hash === ""`)
	p.tabTo("[data-view=submit]")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.until(`document.activeElement.matches("h1")`) // a new view is announced
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
			p.t.Errorf("the focus is not visible on %s", selector)
		}
		return
	}
	p.t.Fatalf("Tab does not reach %s", selector)
}
