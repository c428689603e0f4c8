package programtest

import (
	"fmt"
	"slices"
	"sync"
)

const (
	// keptLog is how many bytes of a log are kept at each end. Only a program that runs
	// for minutes logs more than both hold.
	keptLog = 1 << 20
	// shownLog is how many bytes of its end an error message contains.
	shownLog = 8 << 10
)

// Log keeps the beginning and the end of what is written to it. Its zero value is empty
// and ready. It is safe for concurrent use.
type Log struct {
	mu          sync.Mutex
	first, last []byte
	left        int // bytes between them that are not kept
}

// Write implements io.Writer. It never fails.
func (l *Log) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := min(keptLog-len(l.first), len(text))
	l.first = append(l.first, text[:room]...)
	l.last = append(l.last, text[room:]...)
	// It may grow to twice the size, so that not every write moves all bytes.
	if surplus := len(l.last) - keptLog; surplus > keptLog {
		l.last = slices.Delete(l.last, 0, surplus)
		l.left += surplus
	}
	return len(text), nil
}

// String returns what is kept, with a note where bytes are omitted.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		return string(l.first) + string(l.last)
	}
	return fmt.Sprintf("%s\n[%d bytes omitted]\n%s", l.first, l.left, l.last)
}
