// Package batch lets concurrent callers share one round trip to Redis: while one
// batch is on its way, the requests that arrive form the next.
//
// It receives single requests and hands on batches of them; it owns nothing. A lone
// caller is sent at once, so batching adds no delay at low load; at high load
// batches grow and each request gets cheaper. What is durable when Do returns is
// what the send function makes durable.
package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// slowAfter is the age from which a batch no longer keeps the next one from being
	// sent: one bad connection must not hold up every caller.
	slowAfter = 100 * time.Millisecond
	// maxInFlight bounds the batches in flight at the same time.
	maxInFlight = 4
)

// ErrFull is returned when MaxWaiting requests are waiting already.
var ErrFull = errors.New("too many requests wait to be batched")

// Config bounds a Batcher. All bounds must be above zero.
type Config struct {
	// MaxBatch is how many requests one batch may hold.
	MaxBatch int
	// MaxWaiting is how many requests may wait for the next batch.
	MaxWaiting int
	// Timeout bounds the sending of one batch; a caller's own context may end sooner.
	Timeout time.Duration
}

// Send carries out a batch of requests and returns an answer for each, in the same
// order. After an error it is unknown what was done, so requests must be repeatable.
type Send[Request, Answer any] func(ctx context.Context, requests []Request) ([]Answer, error)

// Batcher gathers requests into batches. One batch is in flight at a time, up to four
// when batches take longer than 100 ms. It is safe for concurrent use.
type Batcher[Request, Answer any] struct {
	cfg  Config
	send Send[Request, Answer]

	mu       sync.Mutex
	waiting  []*call[Request, Answer]
	inFlight int
	lastSent time.Time
}

// call is one request with its answer.
type call[Request, Answer any] struct {
	ctx     context.Context // checked before the request is sent
	request Request
	answer  Answer
	err     error
	done    chan struct{}
}

// New returns a batcher. It needs no stopping: it has a goroutine only while a
// request waits.
func New[Request, Answer any](cfg Config, send Send[Request, Answer]) *Batcher[Request, Answer] {
	return &Batcher[Request, Answer]{cfg: cfg, send: send}
}

// Do sends the request with the next batch and returns its answer. When ctx ends
// first, Do returns the error of ctx: a request that was not sent yet never is, one
// that was may have been carried out. It returns ErrFull when too many requests wait.
func (b *Batcher[Request, Answer]) Do(ctx context.Context, r Request) (Answer, error) {
	own := &call[Request, Answer]{ctx: ctx, request: r, done: make(chan struct{})}
	if err := b.add(own); err != nil {
		return own.answer, err
	}
	select {
	case <-own.done:
		return own.answer, own.err
	case <-ctx.Done():
		var none Answer
		return none, ctx.Err()
	}
}

func (b *Batcher[Request, Answer]) add(own *call[Request, Answer]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) >= b.cfg.MaxWaiting {
		return ErrFull
	}
	b.waiting = append(b.waiting, own)
	if b.inFlight == 0 || b.inFlight < maxInFlight && time.Since(b.lastSent) > slowAfter {
		b.inFlight++
		b.lastSent = time.Now()
		go b.sendAll()
	}
	return nil
}

// sendAll sends batch after batch until no request waits.
func (b *Batcher[Request, Answer]) sendAll() {
	for calls := b.next(); len(calls) > 0; calls = b.next() {
		b.sendOne(calls)
	}
}

// next takes the next batch off the waiting calls, without those whose context ended.
func (b *Batcher[Request, Answer]) next() []*call[Request, Answer] {
	b.mu.Lock()
	defer b.mu.Unlock()
	var calls []*call[Request, Answer]
	taken := 0
	for _, own := range b.waiting {
		if len(calls) == b.cfg.MaxBatch {
			break
		}
		taken++
		if own.ctx.Err() == nil {
			calls = append(calls, own)
		}
	}
	b.waiting = b.waiting[taken:]
	if len(b.waiting) == 0 {
		b.waiting = nil // or the array would be kept
	}
	b.lastSent = time.Now()
	if len(calls) == 0 {
		b.inFlight--
	}
	return calls
}

func (b *Batcher[Request, Answer]) sendOne(calls []*call[Request, Answer]) {
	ctx, cancel := context.WithTimeout(context.Background(), b.cfg.Timeout)
	defer cancel()
	requests := make([]Request, len(calls))
	for i, own := range calls {
		requests[i] = own.request
	}
	answers, err := b.sendSafely(ctx, requests)
	if err == nil && len(answers) != len(calls) {
		err = fmt.Errorf("%d answers to a batch of %d", len(answers), len(calls))
	}
	for i, own := range calls {
		if own.err = err; err == nil {
			own.answer = answers[i]
		}
		close(own.done)
	}
}

// sendSafely turns a panic into an error: this goroutine belongs to no caller that
// could recover.
func (b *Batcher[Request, Answer]) sendSafely(ctx context.Context, requests []Request) (answers []Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return b.send(ctx, requests)
}
