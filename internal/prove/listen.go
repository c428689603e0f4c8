package prove

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
)

const (
	// connectWithin bounds the wait for the first connections of the subscribers, and
	// eventsWithin that for the last events.
	connectWithin = 5 * time.Second
	eventsWithin  = 10 * time.Second
	// eventsPerConnection is how many events of own orders the second subscriber reads
	// until it connects again.
	eventsPerConnection = 25
)

// listener is a subscriber to the events of all orders, which keeps those of the own ones.
type listener struct {
	r      *run
	stream *history.Stream
	// restarts makes it connect again and again, where it was.
	restarts bool

	mu       sync.Mutex
	position string
	unread   int // own events until it connects again
	last     map[string]int
	err      error // why it has ended
}

// listen starts two subscribers, of which one connects again and again, and waits until
// they are connected. The function that it returns waits for their end.
func (r *run) listen(ctx context.Context) (ended func()) {
	var listening sync.WaitGroup
	for _, restarts := range []bool{false, true} {
		l := &listener{r: r, stream: history.NewStream(r.recorder), restarts: restarts, unread: eventsPerConnection, last: map[string]int{}}
		r.streams = append(r.streams, l)
		listening.Go(func() { l.run(ctx) })
	}
	for deadline := time.Now().Add(connectWithin); time.Now().Before(deadline) && !r.connected(); {
		if client.Wait(ctx, pause) != nil {
			break
		}
	}
	return listening.Wait
}

// connected reports whether each subscriber is connected, or has ended.
func (r *run) connected() bool {
	for _, l := range r.streams {
		if _, _, connections := l.stream.Counts(); connections == 0 && l.failure() == nil {
			return false
		}
	}
	return true
}

func (l *listener) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// errAgain ends a connection to make another.
var errAgain = errors.New("again")

// run keeps the subscriber connected until ctx ends or the API refuses for good.
func (l *listener) run(ctx context.Context) {
	for ctx.Err() == nil {
		l.mu.Lock()
		after := l.position
		l.mu.Unlock()
		err := l.r.API.Subscribe(ctx, nil, after, l.receive)
		switch {
		case errors.Is(err, errAgain):
		case errors.Is(err, client.ErrInterrupted):
			return
		case client.Temporary(err):
			_ = client.Wait(ctx, afterFailure)
		default:
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
			return
		}
	}
}

// receive keeps a message. It is a client.Subscriber.
func (l *listener) receive(message any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, isEvent := message.(client.Event)
	own := isEvent && strings.HasPrefix(e.OrderID, l.r.Prefix())
	if own && l.restarts && l.unread == 0 {
		l.unread = eventsPerConnection
		return errAgain // the message comes again
	}
	if own {
		l.unread--
		l.last[e.OrderID] = max(l.last[e.OrderID], e.Sequence)
	}
	if isEvent {
		l.position = e.Position
	}
	if own || !isEvent {
		return l.stream.Receive(message)
	}
	return nil
}

// awaitEvents waits until each subscriber has the last event of each own order.
func (r *run) awaitEvents(ctx context.Context) {
	for deadline := time.Now().Add(eventsWithin); time.Now().Before(deadline); {
		late := false
		for _, l := range r.streams {
			late = late || l.failure() == nil && len(l.lacks(r.called())) > 0
		}
		if !late || client.Wait(ctx, pause) != nil {
			return
		}
	}
}

// lacks returns the orders whose last event has not come.
func (l *listener) lacks(targets []*target) (all []*target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range targets {
		if n := len(t.timeline); t.kind != byKey && n > 0 && l.last[t.id] < t.timeline[n-1].Sequence {
			all = append(all, t)
		}
	}
	return all
}
