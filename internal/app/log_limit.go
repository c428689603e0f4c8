package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// logWindow is how long the lines about the same error are counted together.
	logWindow = 10 * time.Second
	// maxFirstLines is how many lines about the same error are written at once in a
	// window. In an outage every order and every request logs the same.
	maxFirstLines = 5
	// maxLinesPerSecond bounds those of all errors together.
	maxLinesPerSecond = 100
	// maxErrors is how many errors are distinguished in a window. Of the others, those
	// with the same message count as one; so do all the rest after as many messages.
	maxErrors = 100
	// maxKindWord is the length of the longest word with a digit that tells one kind of
	// error from another, such as "503:". Longer ones are ids and addresses.
	maxKindWord = 4
)

// limited is a log handler that bounds warnings and errors. In each window it writes the
// first lines about an error at once. It holds the others back, and when the window ends
// it writes the last of them, with its own time and the number left out before it.
type limited struct {
	slog.Handler
	window *lineWindow
}

func newLimited(h slog.Handler) limited {
	return limited{h, &lineWindow{errors: map[errorKey]*errorLines{}}}
}

// Handle implements slog.Handler. A record that is held back is used for up to logWindow
// longer, so its values must not change.
func (l limited) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn && l.window.hold(l.Handler, r) {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limited{l.Handler.WithAttrs(attrs), l.window}
}

// WithGroup implements slog.Handler.
func (l limited) WithGroup(name string) slog.Handler {
	return limited{l.Handler.WithGroup(name), l.window}
}

// errorKey is what lines about the same error have in common.
type errorKey struct{ message, err string }

func keyOf(r slog.Record) errorKey {
	key := errorKey{message: kind(r.Message)}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "error" {
			return true
		}
		key.err = kind(a.Value.Resolve().String())
		return false
	})
	return key
}

// kind returns a text without the ids of orders and the addresses of connections, which
// differ from line to line.
func kind(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if len(word) > maxKindWord && strings.ContainsAny(word, "0123456789") {
			words[i] = "#"
		}
	}
	return strings.Join(words, " ")
}

// lineWindow counts the warnings and errors of the current window. It is safe for
// concurrent use.
type lineWindow struct {
	mu       sync.Mutex
	began    time.Time
	errors   map[errorKey]*errorLines
	second   int64       // of the line written last
	inSecond int         // lines written in it
	timer    *time.Timer // ends the window; nil while no line is held back
}

// errorLines are the lines about one error in a window.
type errorLines struct {
	written int
	held    int // lines since then
	handler slog.Handler
	last    slog.Record // the newest held one
}

// hold holds a line back, or reports false for one that must be written now.
func (w *lineWindow) hold(h slog.Handler, r slog.Record) bool {
	key := keyOf(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.endAt(now)
	lines := w.linesOf(key)
	if lines.held == 0 && lines.written < maxFirstLines && w.room(now) {
		lines.written++
		return false
	}
	lines.held++
	lines.handler, lines.last = h, r.Clone()
	if w.timer == nil {
		w.timer = time.AfterFunc(w.began.Add(logWindow).Sub(now), func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.endAt(time.Now())
		})
	}
	return true
}

// linesOf returns the lines about an error, or the ones that it is counted with.
func (w *lineWindow) linesOf(key errorKey) *errorLines {
	if w.errors[key] == nil && len(w.errors) >= maxErrors {
		key.err = ""
	}
	if w.errors[key] == nil && len(w.errors) >= 2*maxErrors {
		key.message = ""
	}
	if w.errors[key] == nil {
		w.errors[key] = &errorLines{}
	}
	return w.errors[key]
}

// room counts a line in this second, unless there are too many.
func (w *lineWindow) room(now time.Time) bool {
	if second := now.Unix(); second != w.second {
		w.second, w.inSecond = second, 0
	}
	if w.inSecond >= maxLinesPerSecond {
		return false
	}
	w.inSecond++
	return true
}

// endAt begins the next window if this one is over.
func (w *lineWindow) endAt(now time.Time) {
	if now.Sub(w.began) >= logWindow {
		w.writeHeld()
		w.began = now
	}
}

// writeHeld writes the last line about each error in the order of their times, and
// forgets all errors. The lock is held meanwhile, so that flush returns after it.
func (w *lineWindow) writeHeld() {
	byTime := func(a, b *errorLines) int { return a.last.Time.Compare(b.last.Time) }
	for _, lines := range slices.SortedFunc(maps.Values(w.errors), byTime) {
		if lines.held > 1 {
			lines.last.AddAttrs(slog.Int("lines_left_out", lines.held-1))
		}
		if lines.held > 0 {
			_ = lines.handler.Handle(context.Background(), lines.last) // as slog ignores it
		}
	}
	clear(w.errors)
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// flush writes what is held back.
func (w *lineWindow) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeld()
}
