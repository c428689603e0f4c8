package chaos_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/order"
)

// sending is one try to send an order.
type sending struct {
	At     time.Time
	Took   time.Duration
	ID     string
	Cents  int64
	Ends   order.Status // the status that the order must end in; empty for any
	Number int          // of the try, from 1 on
	Kind   string       // the status of the answer, or one of refused, closedIdle and broken
	Detail string
}

// call is one call to the shop.
type call struct {
	At      time.Time
	Key, ID string
	Attempt int
	Cents   int64
	Status  int    // 0 for a connection that the shop broke
	Effect  string // what the call has done: "effect", "known" or "nothing"
}

// journal keeps what happened outside Redis, and writes it to a file as well if
// CHAOS_DIR is set. It is safe for concurrent use.
type journal[T any] struct {
	t    *testing.T
	mu   sync.Mutex
	rows []T
	file *json.Encoder // nil for none
}

func openJournal[T any](t *testing.T, name string) *journal[T] {
	t.Helper()
	j := &journal[T]{t: t}
	base := os.Getenv("CHAOS_DIR")
	if base == "" {
		return j
	}
	dir := filepath.Join(base, t.Name())
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	j.file = json.NewEncoder(file)
	return j
}

func (j *journal[T]) add(row T) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rows = append(j.rows, row)
	if j.file == nil {
		return
	}
	if err := j.file.Encode(row); err != nil {
		j.t.Errorf("write to the journal: %v", err)
	}
}

// all returns a copy of the rows.
func (j *journal[T]) all() []T { return j.from(0) }

// from returns a copy of the rows from the n-th on.
func (j *journal[T]) from(n int) []T {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.rows[n:])
}
