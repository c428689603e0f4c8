// Package groupcommit lets concurrent callers share their journeys to Redis: while
// one group is on its way, the callers that come meanwhile form the next.
//
// It receives single requests and hands on groups of them, and owns nothing. A
// caller that comes alone goes at once, so that grouping costs no time when there
// is little to do; the more there is, the larger the groups and the cheaper each
// request. What is durable when Do returns is what the commit function says.
package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// slow is how old a group under way may be until the next sets out beside it: one
	// bad connection must not hold up everybody.
	slow = 100 * time.Millisecond
	// maxUnderWay bounds the groups that are under way at the same time.
	maxUnderWay = 4
)

// ErrFull is returned when too many requests wait already.
var ErrFull = errors.New("too many requests wait for their group")

// Config bounds a Committer. All bounds must be above zero.
type Config struct {
	// MaxGroup is how many requests one group may hold.
	MaxGroup int
	// MaxWaiting is how many requests may wait for their group.
	MaxWaiting int
	// Timeout bounds the commit of one group; a caller may give up sooner.
	Timeout time.Duration
}

// Commit does what a group of requests asks for and returns an answer for each, in
// turn; or an error, and then nobody knows what was done. Its requests must be
// repeatable.
type Commit[Request, Answer any] func(ctx context.Context, group []Request) ([]Answer, error)

// Committer gathers requests into groups, one of which is under way at a time, more
// only when that takes long. It is safe for concurrent use.
type Committer[Request, Answer any] struct {
	cfg    Config
	commit Commit[Request, Answer]

	mu      sync.Mutex
	waiting []*caller[Request, Answer]
	runners int
	setOut  time.Time // of the newest group
}

// caller is one that waits for the answer to its request.
type caller[Request, Answer any] struct {
	ctx     context.Context // asked whether anybody waits still
	request Request
	answer  Answer
	err     error
	done    chan struct{}
}

// New returns a committer, which needs no stopping: it runs only while somebody
// waits.
func New[Request, Answer any](cfg Config, commit Commit[Request, Answer]) *Committer[Request, Answer] {
	return &Committer[Request, Answer]{cfg: cfg, commit: commit}
}

// Do has the request done with the next group, and returns its answer. When ctx
// ends first it returns the error of ctx, and the request may or may not be done;
// one that has not left by then stays behind. It returns ErrFull when too many
// wait.
func (c *Committer[Request, Answer]) Do(ctx context.Context, r Request) (Answer, error) {
	own := &caller[Request, Answer]{ctx: ctx, request: r, done: make(chan struct{})}
	if err := c.join(own); err != nil {
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

func (c *Committer[Request, Answer]) join(own *caller[Request, Answer]) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) >= c.cfg.MaxWaiting {
		return ErrFull
	}
	c.waiting = append(c.waiting, own)
	if c.runners == 0 || c.runners < maxUnderWay && time.Since(c.setOut) > slow {
		c.runners++
		c.setOut = time.Now()
		go c.run()
	}
	return nil
}

// run commits group after group until nobody waits.
func (c *Committer[Request, Answer]) run() {
	for group := c.next(); len(group) > 0; group = c.next() {
		c.serve(group)
	}
}

// next takes the next group, without those who have given up.
func (c *Committer[Request, Answer]) next() []*caller[Request, Answer] {
	c.mu.Lock()
	defer c.mu.Unlock()
	var group []*caller[Request, Answer]
	taken := 0
	for _, own := range c.waiting {
		if len(group) == c.cfg.MaxGroup {
			break
		}
		taken++
		if own.ctx.Err() == nil {
			group = append(group, own)
		}
	}
	c.waiting = c.waiting[taken:]
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
	c.setOut = time.Now()
	if len(group) == 0 {
		c.runners--
	}
	return group
}

func (c *Committer[Request, Answer]) serve(group []*caller[Request, Answer]) {
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Timeout)
	defer cancel()
	requests := make([]Request, len(group))
	for i, own := range group {
		requests[i] = own.request
	}
	answers, err := c.guarded(ctx, requests)
	if err == nil && len(answers) != len(group) {
		err = fmt.Errorf("%d answers to a group of %d", len(answers), len(group))
	}
	for i, own := range group {
		if own.err = err; err == nil {
			own.answer = answers[i]
		}
		close(own.done)
	}
}

// guarded makes an error of a panic: the callers have recovered from those of their
// own, and this is nobody's goroutine.
func (c *Committer[Request, Answer]) guarded(ctx context.Context, requests []Request) (answers []Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.commit(ctx, requests)
}
