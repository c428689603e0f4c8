package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"
)

// sample submits orders as any client does, and checks what becomes of them.
type sample struct {
	client *Client
	limits limits
	run    string // tells this run's ids from all others
	size   int
	bar    *progressbar.ProgressBar

	stalled *time.Timer // puts an end to waiting

	mu       sync.Mutex
	kinds    map[expectation]kindCount
	failures []string // one for each order that did not
}

// kindCount says how many orders of one kind there were.
type kindCount struct{ sent, right int }

// runSample returns nil when every order ended as it should.
func (d *dev) runSample(ctx context.Context, c *Client) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &sample{
		client: c, limits: limitsOf(d.apiConfig.Common), run: newRunName(), size: d.sample,
		bar: newProgress(d.Stderr, int64(d.sample), "settled"), kinds: map[expectation]kindCount{},
		stalled: time.AfterFunc(stallTimeout, func() { cancel(errStalled) }),
	}
	defer s.stalled.Stop()
	d.printf("\nSubmitting %d sample orders and waiting until all are settled …\n", s.size)
	began := time.Now()
	err := s.sendAndWatch(ctx)
	took := time.Since(began)
	_ = s.bar.Finish()
	switch {
	case err == nil:
	case errors.Is(context.Cause(ctx), errStalled):
		return errStalled
	case errors.Is(err, errInterrupted):
		return errInterrupted
	default:
		return fmt.Errorf("sample: %w", err)
	}
	answer, err := c.Stats(ctx)
	if err != nil {
		return fmt.Errorf("get stats: %w", err)
	}
	stats, err := decodeStats(answer)
	if err != nil {
		return err
	}
	return s.report(d.World, stats, took)
}

var errStalled = fmt.Errorf("no order was settled for %v; the log may say why", stallTimeout)

// newRunName is unique, and sorts by time.
func newRunName() string {
	return time.Now().UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:8])
}

// sendAndWatch submits all orders, and looks at each until it is settled.
func (s *sample) sendAndWatch(ctx context.Context) error {
	numbers := make(chan int, s.size)
	for i := range s.size {
		numbers <- i
	}
	close(numbers)
	accepted := make(chan sampleOrder, s.size) // a slow watcher holds up no sender
	running, ctx := errgroup.WithContext(ctx)
	var sending sync.WaitGroup
	for range sampleConcurrency {
		sending.Add(1)
		running.Go(func() error {
			defer sending.Done()
			return s.send(ctx, numbers, accepted)
		})
		running.Go(func() error { return s.watch(ctx, accepted) })
	}
	sending.Wait()
	close(accepted)
	return running.Wait()
}

// sampleTries is how often a sample order is sent while the API is busy.
const sampleTries = 8

func (s *sample) send(ctx context.Context, numbers <-chan int, accepted chan<- sampleOrder) error {
	for i := range numbers {
		o := newSample(s.run, i, s.limits)
		body, err := json.Marshal(o)
		if err != nil {
			return err
		}
		if _, err := s.client.SubmitPatiently(ctx, body, patience{tries: sampleTries, limited: limitedTries}); err != nil {
			return fmt.Errorf("submit order %s: %w", o.ID, err)
		}
		accepted <- o
	}
	return nil
}

func (s *sample) watch(ctx context.Context, accepted <-chan sampleOrder) error {
	for o := range accepted {
		v, err := s.await(ctx, o.ID)
		if err != nil {
			return fmt.Errorf("watch order %s: %w", o.ID, err)
		}
		s.settled(o, v)
	}
	return nil
}

// await returns the order once it is settled.
func (s *sample) await(ctx context.Context, id string) (v orderView, err error) {
	for {
		answer, err := s.client.Order(ctx, id)
		if err == nil {
			err = json.Unmarshal(answer, &v)
		}
		if err == nil && v.Status.Settled() {
			return v, nil
		}
		if err != nil && !passing(err) {
			return v, err
		}
		if err := wait(ctx, watchInterval); err != nil {
			return v, err
		}
	}
}

// settled writes down one more order, and whether it ended as it should.
func (s *sample) settled(o sampleOrder, got orderView) {
	s.stalled.Reset(stallTimeout)
	_ = s.bar.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := s.limits.expect(o)
	n := s.kinds[kind]
	n.sent++
	if wrong := s.limits.differs(o, got); wrong != "" {
		s.failures = append(s.failures, o.ID+": "+wrong)
	} else {
		n.right++
	}
	s.kinds[kind] = n
}
