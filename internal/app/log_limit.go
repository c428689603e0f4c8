package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxSameLines is the maximum number of warnings or errors with the same message in
	// one second. In an outage every order and every request logs the same.
	maxSameLines = 100
	// maxMessages is how many messages are counted separately; all others count as one.
	maxMessages = 1000
)

// limited is a log handler that limits warnings and errors with the same message. The
// next line with that message contains the number of omitted lines.
type limited struct {
	slog.Handler
	counts *lineCounts
}

func newLimited(h slog.Handler) limited {
	return limited{h, &lineCounts{now: time.Now, byMessage: map[string]*lineCount{}}}
}

// Handle implements slog.Handler.
func (l limited) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return l.Handler.Handle(ctx, r)
	}
	leftOut, ok := l.counts.count(r.Message)
	if !ok {
		return nil
	}
	if leftOut > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("lines_left_out", leftOut))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limited{l.Handler.WithAttrs(attrs), l.counts}
}

// WithGroup implements slog.Handler.
func (l limited) WithGroup(name string) slog.Handler {
	return limited{l.Handler.WithGroup(name), l.counts}
}

// lineCounts counts lines by message. It is safe for concurrent use.
type lineCounts struct {
	now       func() time.Time
	mu        sync.Mutex
	byMessage map[string]*lineCount
}

// lineCount counts the lines of one message in one second.
type lineCount struct {
	second  int64
	lines   int
	leftOut int
}

// count reports whether a line may be written, and how many lines before it were
// omitted and not reported yet.
func (c *lineCounts) count(message string) (leftOut int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.byMessage[message]
	if n == nil {
		if len(c.byMessage) >= maxMessages {
			message = ""
		}
		n = c.byMessage[message]
	}
	if n == nil {
		n = &lineCount{}
		c.byMessage[message] = n
	}
	if second := c.now().Unix(); second != n.second {
		n.second, n.lines = second, 0
	}
	if n.lines >= maxSameLines {
		n.leftOut++
		return 0, false
	}
	n.lines++
	leftOut, n.leftOut = n.leftOut, 0
	return leftOut, true
}
