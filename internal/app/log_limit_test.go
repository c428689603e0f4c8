package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestLogIsBounded checks the number of equal lines in a second, and that the number of
// omitted ones is logged.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := newLimited(slog.NewTextHandler(&out, nil))
	now := time.Unix(1_700_000_000, 0)
	h.counts.now = func() time.Time { return now }
	log := slog.New(h).With("worker_id", "w1")
	lines := func(part string) int {
		t.Helper()
		n := strings.Count(out.String(), part)
		out.Reset()
		return n
	}
	for n := range 10 * maxSameLines {
		log.Warn("Redis is away", "order_id", n)
	}
	log.Error("something else")
	if n := strings.Count(out.String(), "something else"); n != 1 {
		t.Errorf("another message was written %d times", n)
	}
	if n := lines("Redis is away"); n != maxSameLines {
		t.Errorf("%d lines in a second", n)
	}
	now = now.Add(time.Second)
	log.WithGroup("g").Warn("Redis is away")
	log.Warn("Redis is away")
	if text := out.String(); strings.Count(text, "lines_left_out") != 1 || !strings.Contains(text, fmt.Sprint("lines_left_out=", 9*maxSameLines)) {
		t.Errorf("the next second begins with %s", text)
	}
	out.Reset()
	for range 10 * maxSameLines {
		log.Info("request")
	}
	if n := lines("request"); n != 10*maxSameLines {
		t.Errorf("%d of the ordinary lines are left", n)
	}
}

// TestLogMessagesAreBounded checks that any number of messages needs little memory.
func TestLogMessagesAreBounded(t *testing.T) {
	t.Parallel()
	h := newLimited(slog.DiscardHandler)
	for n := range 3 * maxMessages {
		h.counts.count(fmt.Sprint("message ", n))
	}
	if n := len(h.counts.byMessage); n > maxMessages+1 {
		t.Errorf("%d messages are counted separately", n)
	}
}
