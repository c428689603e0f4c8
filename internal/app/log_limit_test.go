package app

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// limitedLog returns a log and what it has written. A line begins with its time since the
// call of limitedLog.
func limitedLog() (*slog.Logger, *bytes.Buffer) {
	out, began := &bytes.Buffer{}, time.Now()
	return slog.New(contextual{newLimited(slog.NewTextHandler(out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey:
				return slog.String("at", a.Value.Time().Sub(began).String())
			case slog.LevelKey:
				return slog.Attr{}
			}
			return a
		},
	}))}), out
}

// compareLines compares what was written since the last call.
func compareLines(t *testing.T, out *bytes.Buffer, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(strings.Join(append(want, ""), "\n"), out.String()); diff != "" {
		t.Errorf("%v: -want +got:\n%s", time.Now(), diff)
	}
	out.Reset()
}

// written counts the lines that out has and those that it tells were left out.
func written(out *bytes.Buffer) (lines, leftOut int) {
	for _, found := range regexp.MustCompile(`lines_left_out=(\d+)`).FindAllStringSubmatch(out.String(), -1) {
		n, _ := strconv.Atoi(found[1])
		leftOut += n
	}
	return strings.Count(out.String(), "\n"), leftOut
}

// TestLogOfAnOutage checks that the first lines about an error are written at once, and
// the last one with the number between them when the window ends.
func TestLogOfAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, out := limitedLog()
		log = log.With("worker_id", "w1")
		for n := range 9 {
			log.Warn("lost", "order_id", n, "error", fmt.Errorf("begin order ord_%d: refused", n))
			if n%2 == 0 {
				log.WithGroup("g").Error("lost", "error", "503")
			}
			time.Sleep(time.Second)
		}
		log.Info("request", "error", "503")
		compareLines(t, out,
			`at=0s msg=lost worker_id=w1 order_id=0 error="begin order ord_0: refused"`,
			`at=0s msg=lost worker_id=w1 g.error=503`,
			`at=1s msg=lost worker_id=w1 order_id=1 error="begin order ord_1: refused"`,
			`at=2s msg=lost worker_id=w1 order_id=2 error="begin order ord_2: refused"`,
			`at=2s msg=lost worker_id=w1 g.error=503`,
			`at=3s msg=lost worker_id=w1 order_id=3 error="begin order ord_3: refused"`,
			`at=4s msg=lost worker_id=w1 order_id=4 error="begin order ord_4: refused"`,
			`at=4s msg=lost worker_id=w1 g.error=503`,
			`at=6s msg=lost worker_id=w1 g.error=503`,
			`at=8s msg=lost worker_id=w1 g.error=503`,
			`at=9s msg=request worker_id=w1 error=503`)
		log.WithGroup("g").Error("lost", "error", "503")
		time.Sleep(time.Second)
		compareLines(t, out,
			`at=8s msg=lost worker_id=w1 order_id=8 error="begin order ord_8: refused" lines_left_out=3`,
			`at=9s msg=lost worker_id=w1 g.error=503`)
		log.Warn("lost", "error", "refused again")
		compareLines(t, out, `at=10s msg=lost worker_id=w1 error="refused again"`)
		time.Sleep(time.Minute)
		compareLines(t, out)
	})
}

// TestFlushLog checks that a program that ends loses no line, and writes none twice.
func TestFlushLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, out := limitedLog()
		for range 2 * maxFirstLines {
			log.Warn("lost", "error", errors.New("refused"))
		}
		out.Reset()
		FlushLog(log.With("ignored", true))
		compareLines(t, out, fmt.Sprintf(`at=0s msg=lost error=refused lines_left_out=%d`, maxFirstLines-1))
		FlushLog(log)
		FlushLog(slog.New(slog.DiscardHandler))
		time.Sleep(time.Minute)
		compareLines(t, out)
	})
}

// TestLogPerSecondIsBounded checks the bound of all errors together. No line is lost
// without being counted, and ordinary lines are not limited.
func TestLogPerSecondIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, out := limitedLog()
		const each, all = 4, 4 * maxErrors
		for n := range all {
			log.Warn("lost", "error", fmt.Sprint("error ", n/each))
		}
		if lines, leftOut := written(out); lines != maxLinesPerSecond || leftOut != 0 {
			t.Errorf("%d lines in a second, %d left out", lines, leftOut)
		}
		time.Sleep(time.Second)
		log.Warn("another")
		time.Sleep(logWindow)
		synctest.Wait()
		if lines, leftOut := written(out); lines+leftOut != all+1 || lines > maxLinesPerSecond+maxErrors {
			t.Errorf("%d lines of %d, %d left out", lines, all+1, leftOut)
		}
		if !strings.Contains(out.String(), "at=1s msg=another\n") {
			t.Errorf("the next second has no room: %s", out)
		}
		out.Reset()
		for range 2 * maxLinesPerSecond {
			log.Info("request")
		}
		if lines, _ := written(out); lines != 2*maxLinesPerSecond {
			t.Errorf("%d of the ordinary lines are left", lines)
		}
	})
}

// TestLogErrorsAreBounded checks that any number of errors and messages needs little
// memory, and none after the window.
func TestLogErrorsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, out := limitedLog()
		window := log.Handler().(contextual).Handler.(limited).window
		const all = 9 * maxErrors
		for n := range all {
			log.Warn(fmt.Sprint("message ", n%(3*maxErrors)), "error", fmt.Sprint("error ", n))
		}
		if n := window.distinct(); n > 2*maxErrors+1 {
			t.Errorf("%d errors are told apart", n)
		}
		time.Sleep(logWindow)
		synctest.Wait()
		if lines, leftOut := written(out); lines+leftOut != all || window.distinct() != 0 {
			t.Errorf("%d lines of %d, %d left out; %d errors are remembered", lines, all, leftOut, window.distinct())
		}
	})
}

// distinct returns how many errors are told apart.
func (w *lineWindow) distinct() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.errors)
}

// TestKind checks which texts are about the same error.
func TestKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"begin order ord_1: read tcp 127.0.0.1:4242->10.0.0.1:6379: i/o timeout": "begin order # read tcp # i/o timeout",
		"fulfilment answered 503: busy":                                          "fulfilment answered 503: busy",
		"":                                                                       "",
	} {
		if got := kind(text); got != want {
			t.Errorf("kind of %q: %q", text, got)
		}
	}
}
