package cli

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"orderprocessor/internal/order"
)

const (
	// keptRates bounds the throughputs that are kept, one a look: what fits beside
	// each other on a wide terminal.
	keptRates = 200
	// keptEvents bounds the events that are kept: what fits on a high one.
	keptEvents = 200
	// followAgain is the time until events are asked for again that the API has no
	// room to tell of.
	followAgain = 5 * time.Second
)

// picture is what is known at one moment.
type picture struct {
	stats  snapshot // the last one that was had; its time is zero before the first
	err    error    // why there is no newer one; nil if there is none to miss
	rates  []float64
	events []eventView // newest last
	// silent says why no events come; empty if they do.
	silent string
}

// feed gathers what is to be shown. It is safe for concurrent use.
type feed struct {
	client   *Client
	interval time.Duration
	mu       sync.Mutex
	now      picture
}

func newFeed(client *Client, interval time.Duration) *feed {
	return &feed{client: client, interval: interval, now: picture{silent: "connecting"}}
}

// picture returns what is known now. Nobody else changes it.
func (f *feed) picture() picture {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.now
	p.rates, p.events = slices.Clone(p.rates), slices.Clone(p.events)
	return p
}

func (f *feed) change(how func(p *picture)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(&f.now)
}

// poll asks for the statistics until ctx ends.
func (f *feed) poll(ctx context.Context) {
	for ctx.Err() == nil {
		s, err := look(ctx, f.client)
		f.change(func(p *picture) {
			if p.err = err; err != nil {
				return
			}
			p.stats, p.rates = s, last(append(p.rates, s.stats.ThroughputPerSecond), keptRates)
		})
		_ = wait(ctx, f.interval)
	}
}

// last returns the last n values.
func last[T any](values []T, n int) []T { return values[max(0, len(values)-n):] }

// follow listens to events until ctx ends, or there is no use in it.
func (f *feed) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := (&follower{client: f.client, told: f}).run(ctx)
		f.change(func(p *picture) { p.silent = order.Printable(oneLine(err)) })
		if !passing(err) {
			<-ctx.Done()
			return
		}
		_ = wait(ctx, followAgain)
	}
}

func (f *feed) connected() { f.change(func(p *picture) { p.silent = "" }) }

func (f *feed) event(v eventView, _ json.RawMessage) error {
	f.change(func(p *picture) { p.events = last(append(p.events, v), keptEvents) })
	return nil
}

func (f *feed) gap(string) { f.change(func(p *picture) { p.events = nil }) }

func (f *feed) lost(err error, _ time.Duration) {
	f.change(func(p *picture) { p.silent = order.Printable(oneLine(err)) })
}

// away says in a few words why there are no figures.
func away(err error) string {
	var none *UnreachableError
	var answer *AnswerError
	switch {
	case errors.As(err, &none):
		return "no answer from the API"
	case errors.As(err, &answer):
		return answer.Error()
	default:
		return order.Printable(oneLine(err))
	}
}
