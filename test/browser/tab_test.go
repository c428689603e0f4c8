package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is one tab, which shares nothing with others. Whatever the page reports as an
// error, or requests from other hosts, fails its test.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	refusals bool // the test makes the API refuse requests, which browsers report as errors
	problems []string
}

// open opens the page at the part of its address that begins with #.
func (s *system) open(hash string, before ...chromedp.Action[chromedp.Void]) *tab {
	s.t.Helper()
	p := newTab(s.t, s.URL)
	p.do(before...)
	p.do(chromedp.Navigate(s.URL + "/" + hash))
	return p
}

// newTab returns an empty tab for pages of this address.
func newTab(t *testing.T, address string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	p := &tab{t: t, ctx: ctx, url: address}
	if err := chromedp.Listen(ctx, p.observe); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.report)
	// The tab takes keys although other tabs are open.
	p.do(calling(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	return p
}

// calling is an action that runs a command of the browser.
func calling[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// observe notes what is wrong.
func (p *tab) observe(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			p.problems = append(p.problems, fmt.Sprintf("the console says %s", e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		refused := e.Entry.Source == log.EntrySourceNetwork && (p.refusals || busyMachine.MatchString(e.Entry.Text))
		if e.Entry.Level == log.EntryLevelError && !refused {
			p.problems = append(p.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		asked, err := url.Parse(e.Request.URL)
		if err != nil || asked.Scheme != "data" && p.url != "http://"+asked.Host {
			p.problems = append(p.problems, "the page asks for "+e.Request.URL)
		}
	}
}

// busyMachine is what browsers report when the API has waited for Redis, or a connection
// for the API, in vain.
var busyMachine = regexp.MustCompile(`status of 503|net::ERR_`)

func (p *tab) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.t.Error(problem)
	}
}

// mayRefuse says that from now on the API refuses requests, or is away.
func (p *tab) mayRefuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusals = true
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// value evaluates an expression in the page.
func value[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// awaited is the text that a promise in the page resolves to.
func (p *tab) awaited(expression string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

// visit goes to a view of the page.
func (p *tab) visit(view string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.url + "/#/" + view))
}

// view goes to a view of the page and waits for a part of it to be seen.
func (p *tab) view(view, shown string) {
	p.t.Helper()
	p.visit(view)
	p.shows(shown)
}

// until waits for an expression to be true.
func (p *tab) until(expression string) {
	p.t.Helper()
	deadline := time.After(patience)
	for !value[bool](p, expression) {
		select {
		case <-time.After(step):
		case <-deadline:
			p.shoot("gave-up")
			p.t.Fatalf("gave up waiting for %s; the page says %.2000s", expression, value[string](p, "document.body.innerText"))
		}
	}
}

// sees waits for a text in what the selector finds.
func (p *tab) sees(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%q) ?? false", selector, text))
}

// shows waits for something that can be seen.
func (p *tab) shows(selector string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%q)?.checkVisibility() ?? false", selector))
}

// click waits for something that can be clicked, and clicks it.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%q)?.disabled === false || document.querySelector(%q)?.matches('a') === true", selector, selector))
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// write types a text into a field.
func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// shoot keeps a picture of the whole page.
func (p *tab) shoot(name string) {
	p.t.Helper()
	value[any](p, "(scrollTo(0, 0), true)") // or the head of the page is in the middle
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	p.keep(name, picture)
}

// keep writes a picture into the folder that SCREENSHOTS names or that the test run
// keeps.
func (p *tab) keep(name string, picture []byte) {
	p.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		folder = p.t.ArtifactDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
