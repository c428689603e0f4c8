// Package browser_test uses the live page as people do: a real browser, the real
// API and worker in this process, a Redis of the test's own, and a shop over HTTP.
package browser_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"orderprocessor/internal/app"
	"orderprocessor/internal/app/workerapp"
	"orderprocessor/internal/config"
)

const (
	// patience bounds every wait: far more than the longest takes on an idle machine,
	// as others may keep the machine busy.
	patience = 5 * time.Minute
	// step is the time between two checks of a wait.
	step = 25 * time.Millisecond
	// together is how many tests run at the same time, unless the command line says:
	// they mostly wait for the page to ask again.
	together = "4"
)

// browser is the browser that all tests share, each in tabs of its own; nil where
// there is none.
var browser context.Context

// asWorker in the environment makes this program a worker, and no test.
const asWorker = "BROWSER_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) != "" {
		os.Exit(workerapp.Main(nil, os.Environ()))
	}
	if err := flag.Set("test.parallel", together); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

// run starts the browser once for all tests. Where there is none, tests that CI runs
// fail and others are skipped.
func run(m *testing.M) int {
	path := findBrowser()
	if path == "" {
		if os.Getenv("CI") == "true" {
			fmt.Fprintln(os.Stderr, "these tests need chromium on the PATH, and CI must have it")
			return 1
		}
		return m.Run()
	}
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options(path)...)
	defer stop()
	ctx, closeBrowser := chromedp.NewContext(allocated)
	defer closeBrowser()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "start the browser:", err)
		return 1
	}
	browser = ctx //nolint:fatcontext // it is the browser, which outlives every test
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	app.NewLog(null, config.Common{LogFormat: config.LogJSON}) // go-redis logs through it, and says much while Redis is away
	return m.Run()
}

func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func options(path string) []chromedp.ExecAllocatorOption {
	all := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience), chromedp.WindowSize(1280, 900), chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	if os.Geteuid() == 0 {
		all = append(all, chromedp.NoSandbox) // Chromium has none for root
	}
	return all
}

// needBrowser skips the test where there is no browser, and says why.
func needBrowser(t *testing.T) {
	t.Helper()
	if browser == nil {
		t.Skip("there is no chromium on the PATH")
	}
}
