package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"orderprocessor/internal/order"
)

// format is how a command writes its result.
type format string

const (
	formatTable format = "table"
	formatJSON  format = "json"
)

// printJSON writes an answer of the API or a result of orderctl itself, indented.
// Numbers of an answer stay as they are, and characters that would mislead on a
// terminal are escaped.
func (w *World) printJSON(v any) error { return w.encode(v, "  ") }

// printJSONLine does the same in one line, for commands with several answers.
func (w *World) printJSONLine(v any) error { return w.encode(v, "") }

func (w *World) encode(v any, indent string) error {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w.Stdout, order.Escape(text.String()))
	return err
}

// output is the standard output of a command. It remembers the first error, so
// that its writers need not check. It is safe for concurrent use.
type output struct {
	to  io.Writer
	mu  sync.Mutex
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.to.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// withWriteError adds an error of the output to the error of a command. A reader
// that went away, as head does, is no error.
func (o *output) withWriteError(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	stopped := o.err != nil && errors.Is(err, o.err)
	switch unread := errors.Is(o.err, syscall.EPIPE) || errors.Is(o.err, io.ErrClosedPipe); {
	case o.err == nil, unread && !stopped, !unread && stopped:
		return err
	case unread:
		return nil
	case err == nil:
		return fmt.Errorf("write the output: %w", o.err)
	default:
		return fmt.Errorf("%w; write the output: %w", err, o.err)
	}
}

// infallible is an output for cobra, which would report errors itself.
type infallible struct{ to io.Writer }

// Write implements io.Writer. It never fails.
func (w infallible) Write(p []byte) (int, error) {
	_, _ = w.to.Write(p)
	return len(p), nil
}

// fileOf returns the file behind a standard stream, or nil if there is none.
func fileOf(stream any) *os.File {
	if o, ok := stream.(*output); ok {
		stream = o.to
	}
	f, _ := stream.(*os.File)
	return f
}

func isTerminal(stream any) bool {
	f := fileOf(stream)
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// usualWidth is the width of a terminal that does not report it.
const usualWidth = 80

// terminalWidth is the width of the terminal that is written to, or 0 if there is
// none.
func terminalWidth(w io.Writer) int {
	if !isTerminal(w) {
		return 0
	}
	width, _, err := term.GetSize(int(fileOf(w).Fd()))
	if err != nil || width < 1 {
		return usualWidth
	}
	return width
}

// progressThrottle is the least time between two drawings of a progress bar.
const progressThrottle = 65 * time.Millisecond

// newProgress returns a bar for so many steps, or a counter for -1. It shows only
// on a terminal and disappears when it is finished. It is safe for concurrent use.
func newProgress(w io.Writer, steps int64, what string, opts ...progressbar.Option) *progressbar.ProgressBar {
	if !isTerminal(w) {
		return progressbar.NewOptions64(steps, progressbar.OptionSetVisibility(false), progressbar.OptionSetWriter(io.Discard))
	}
	return progressbar.NewOptions64(steps, append([]progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetWidth(30), progressbar.OptionThrottle(progressThrottle),
		progressbar.OptionClearOnFinish(),
	}, opts...)...)
}
