package history

import (
	"slices"
	"sync"
	"time"
)

// Recorder keeps operations. It is safe for concurrent use.
type Recorder struct {
	began time.Time

	mu         sync.Mutex
	operations []Operation
}

// NewRecorder returns a recorder that begins now.
func NewRecorder() *Recorder { return &Recorder{began: time.Now()} }

// Now returns the time since the beginning of the recording, by a clock that never goes
// back.
func (r *Recorder) Now() time.Duration { return time.Since(r.began) }

// Add records an operation that has ended.
func (r *Recorder) Add(o Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.operations = append(r.operations, o)
}

// Operations returns a copy of all operations so far.
func (r *Recorder) Operations() []Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.operations)
}
