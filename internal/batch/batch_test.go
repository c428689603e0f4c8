package batch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"orderprocessor/internal/batch"
)

// TestMain checks that no batcher leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// timeout is the Timeout of all batchers here; a synctest bubble skips it.
const timeout = time.Minute

// answer is what Do returned.
type answer struct {
	value int
	err   error
}

// bundle is a batcher whose send function records its batches, waits for release and
// answers each request with ten times its value.
type bundle struct {
	*batch.Batcher[int, int]
	batches [][]int
	ctx     context.Context // of the batch sent last
	release chan struct{}

	mu      sync.Mutex
	answers map[int]answer
}

func newBundle(maxBatch, maxWaiting int) *bundle {
	b := &bundle{release: make(chan struct{}), answers: map[int]answer{}}
	b.Batcher = batch.New(batch.Config{MaxBatch: maxBatch, MaxWaiting: maxWaiting, Timeout: timeout}, b.send)
	return b
}

func (b *bundle) send(ctx context.Context, requests []int) ([]int, error) {
	b.batches, b.ctx = append(b.batches, slices.Clone(requests)), ctx
	<-b.release
	answers := make([]int, len(requests))
	for i, r := range requests {
		answers[i] = 10 * r
	}
	return answers, nil
}

// call starts callers one after the other, and returns when each of them waits.
func (b *bundle) call(ctx context.Context, requests ...int) {
	for _, r := range requests {
		go func() {
			value, err := b.Do(ctx, r)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.answers[r] = answer{value, err}
		}()
		synctest.Wait()
	}
}

// finish releases all batches, compares them, and checks the answers to their requests.
func (b *bundle) finish(t *testing.T, want [][]int) {
	t.Helper()
	close(b.release)
	synctest.Wait()
	if diff := cmp.Diff(want, b.batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	for _, r := range slices.Concat(want...) {
		if got := b.answers[r]; !errors.Is(got.err, context.Canceled) && got != (answer{10 * r, nil}) {
			t.Errorf("request %d was answered %+v", r, got)
		}
	}
}

// bubble runs a parallel test in a synctest bubble.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

func TestLoneCallerIsSentAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBundle(100, 100)
		close(b.release)
		begun := time.Now()
		for r := range 3 {
			if value, err := b.Do(t.Context(), r); value != 10*r || err != nil {
				t.Errorf("request %d was answered %d, %v", r, value, err)
			}
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("callers waited for %v", waited)
		}
		if diff := cmp.Diff([][]int{{0}, {1}, {2}}, b.batches); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})
}

// TestBatches checks which requests share a batch, and that each caller gets the
// answer to its own.
func TestBatches(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		maxBatch int
		requests []int
		want     [][]int
	}{
		{"requests that arrive meanwhile share the next", 100, []int{1, 5, 3, 4}, [][]int{{1}, {5, 3, 4}}},
		{"as many as fit", 3, []int{1, 2, 3, 4}, [][]int{{1}, {2, 3, 4}}},
		{"one more than fit", 3, []int{1, 2, 3, 4, 5}, [][]int{{1}, {2, 3, 4}, {5}}},
		{"batches of one", 1, []int{1, 2, 3}, [][]int{{1}, {2}, {3}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBundle(row.maxBatch, 100)
				b.call(t.Context(), row.requests...)
				b.finish(t, row.want)
			})
		})
	}
}

// TestFull checks that a request beyond MaxWaiting is refused at once, and that there
// is room again when a batch was sent.
func TestFull(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBundle(100, 2)
		b.call(t.Context(), 1, 2, 3) // the first is in flight
		if value, err := b.Do(t.Context(), 4); !errors.Is(err, batch.ErrFull) || value != 0 {
			t.Errorf("the request too many was answered %d, %v", value, err)
		}
		b.release <- struct{}{}
		synctest.Wait()
		b.call(t.Context(), 5, 6)
		b.finish(t, [][]int{{1}, {2, 3}, {5, 6}})
	})
}

// TestCallerGivesUp checks that a caller whose context ends returns at once: its
// request is not sent if it still waits, and the batch goes on without it otherwise.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		inFlight bool // the batch with those who give up
		givingUp []int
		want     [][]int
	}{
		{"some of those who wait", false, []int{2, 4}, [][]int{{1}, {3, 5}}},
		{"all who wait", false, []int{2, 3, 4, 5}, [][]int{{1}}},
		{"one whose batch is in flight", true, []int{2}, [][]int{{1}, {2, 3}, {4, 5}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBundle(2, 100)
				ctx, cancel := context.WithCancel(t.Context())
				for r := range 5 {
					caller := t.Context()
					if slices.Contains(row.givingUp, r+1) {
						caller = ctx
					}
					b.call(caller, r+1)
				}
				if row.inFlight {
					b.release <- struct{}{}
					synctest.Wait()
				}
				cancel()
				synctest.Wait()
				for _, r := range row.givingUp {
					if got := b.answers[r]; !errors.Is(got.err, context.Canceled) || got.value != 0 {
						t.Errorf("request %d was answered %+v", r, got)
					}
				}
				if b.ctx.Err() != nil {
					t.Errorf("the batch in flight was cancelled: %v", b.ctx.Err())
				}
				b.finish(t, row.want)
				if value, err := b.Do(t.Context(), 9); value != 90 || err != nil {
					t.Errorf("the next request was answered %d, %v", value, err)
				}
			})
		})
	}
}

// TestSlowBatches checks that a batch which takes longer than 100 ms does not hold up
// the next, that at most four are in flight, and that callers of a batch that fails
// for lack of time get its error.
func TestSlowBatches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBundle(100, 100)
		for r := range 6 {
			b.call(t.Context(), 2*r)
			time.Sleep(100 * time.Millisecond)
			b.call(t.Context(), 2*r+1) // not yet slow
			time.Sleep(time.Millisecond)
		}
		if diff := cmp.Diff([][]int{{0}, {1, 2}, {3, 4}, {5, 6}}, b.batches); diff != "" {
			t.Errorf("in flight (-want +got):\n%s", diff)
		}
		b.finish(t, [][]int{{0}, {1, 2}, {3, 4}, {5, 6}, {7, 8, 9, 10, 11}})
	})
}

// TestFailure checks that every caller of a failed batch gets an error and no answer,
// and that callers of other batches do not.
func TestFailure(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	rows := []struct {
		name string
		send batch.Send[int, int]
		want string
	}{
		{"an error", func(_ context.Context, requests []int) ([]int, error) { return requests, lost }, lost.Error()},
		{"an error without answers", func(context.Context, []int) ([]int, error) { return nil, lost }, lost.Error()},
		{"an answer too few", func(_ context.Context, r []int) ([]int, error) { return r[1:], nil }, "2 answers to a batch of 3"},
		{"an answer too many", func(_ context.Context, r []int) ([]int, error) { return append(r, 0), nil }, "4 answers to a batch of 3"},
		{"no answers", func(context.Context, []int) ([]int, error) { return nil, nil }, "0 answers to a batch of 3"},
		{"a panic", func(context.Context, []int) ([]int, error) { panic("boom") }, "panic: boom"},
		{"no answer in time", func(ctx context.Context, _ []int) ([]int, error) { <-ctx.Done(); return nil, ctx.Err() }, "deadline exceeded"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBundle(100, 100)
				b.Batcher = batch.New(batch.Config{MaxBatch: 100, MaxWaiting: 100, Timeout: timeout},
					func(ctx context.Context, requests []int) ([]int, error) {
						if len(requests) == 3 {
							return row.send(ctx, requests)
						}
						return b.send(ctx, requests)
					})
				b.call(t.Context(), 1, 2, 3, 4)
				close(b.release)
				synctest.Wait() // the batch of three was sent
				begun := time.Now()
				if value, err := b.Do(t.Context(), 5); value != 50 || err != nil {
					t.Errorf("the next batch was answered %d, %v", value, err)
				}
				if took := time.Since(begun); took > timeout {
					t.Errorf("the failed batch took %v", took)
				}
				synctest.Wait()
				for _, r := range []int{2, 3, 4} {
					got := b.answers[r]
					if got.err == nil || !strings.Contains(got.err.Error(), row.want) || got.value != 0 {
						t.Errorf("request %d of the failed batch was answered %+v", r, got)
					}
				}
				if got := b.answers[1]; got != (answer{10, nil}) {
					t.Errorf("the batch before was answered %+v", got)
				}
			})
		})
	}
}

// TestManyCallers has a thousand callers at once: each request is sent once, has its
// own answer, and one batch is in flight at a time.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	const callers, maxBatch = 1000, 64
	var inFlight atomic.Int32
	sent := make([]atomic.Int32, callers)
	b := batch.New(batch.Config{MaxBatch: maxBatch, MaxWaiting: callers, Timeout: timeout},
		func(_ context.Context, requests []int) ([]int, error) {
			if inFlight.Add(1) > 1 || len(requests) == 0 || len(requests) > maxBatch {
				t.Errorf("a batch of %d is in flight with another", len(requests))
			}
			defer inFlight.Add(-1)
			for _, r := range requests {
				sent[r].Add(1)
			}
			return slices.Clone(requests), nil
		})
	var all sync.WaitGroup
	for r := range callers {
		all.Go(func() {
			if value, err := b.Do(t.Context(), r); value != r || err != nil {
				t.Errorf("request %d was answered %d, %v", r, value, err)
			}
		})
	}
	all.Wait()
	for r := range sent {
		if n := sent[r].Load(); n != 1 {
			t.Errorf("request %d was sent %d times", r, n)
		}
	}
}
