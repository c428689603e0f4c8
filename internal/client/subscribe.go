package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/tmaxmax/go-sse"
)

// stableAfter is how long a connection must last for the back-off to start again.
const stableAfter = 5 * time.Second

// Subscriber handles a message of a subscription: an Event, a Gap, Connected or
// Disconnected. It is called with one message at a time. An error ends the
// subscription.
type Subscriber func(message any) error

type (
	// Gap means that events after the named one are no longer kept.
	Gap struct {
		After string `json:"after"`
	}
	// Connected means that events arrive, for the first time or after Disconnected.
	Connected struct{}
	// Disconnected means that the connection is lost and will be made again.
	Disconnected struct {
		Err   error
		Again time.Duration
	}
)

// subscription reads events over as many connections as it takes, and misses none
// that the API still keeps.
type subscription struct {
	client     *Client
	filter     url.Values
	after      string // the id to continue from
	subscriber Subscriber
	silence    time.Duration // after which a connection counts as lost
	connected  bool          // at least once
}

// Subscribe reads events from now on, or after a position, which is that of an event or a
// gap. The filter
// is query parameters of GET /events. It blocks until ctx ends, the subscriber
// returns an error, or the API refuses for good, and returns why. The first
// connection is tried a few times, later ones until ctx ends.
func (c *Client) Subscribe(ctx context.Context, filter url.Values, after string, s Subscriber) error {
	sub := &subscription{client: c, filter: filter, after: after, subscriber: s, silence: maxSilence}
	for failures := 1; ; failures++ {
		began := time.Now()
		err := sub.connect(ctx)
		if time.Since(began) > stableAfter {
			failures = 1
		}
		if sub.hopeless(err, failures) {
			return err
		}
		again := backoff(failures, err)
		if sub.connected {
			if err := s(Disconnected{err, again}); err != nil {
				return err
			}
		}
		if err := Wait(ctx, again); err != nil {
			return err
		}
	}
}

// hopeless reports whether another connection would not help.
func (s *subscription) hopeless(err error, failures int) bool {
	if errors.As(err, new(*brokenError)) {
		return false
	}
	return !Temporary(err) || !s.connected && failures >= requestAttempts
}

// connect reads one connection until it ends or nothing arrives for the time of
// silence, and returns why it ended.
func (s *subscription) connect(parent context.Context) error {
	ctx, timer, end := timed(parent, s.silence)
	defer end()
	stream, err := s.client.openEvents(ctx, s.filter, s.after)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	s.connected = true
	if err := s.subscriber(Connected{}); err != nil {
		return err
	}
	ended := errEnded
	for event, err := range sse.Read(timedReader{stream, timer, s.silence}, &sse.ReadConfig{MaxEventSize: maxEventBytes}) {
		if err != nil {
			ended = err
			break
		}
		if err := s.handle(event); err != nil {
			return err
		}
	}
	switch {
	case parent.Err() != nil:
		return ErrInterrupted
	case ctx.Err() != nil:
		ended = errSilent
	}
	return &brokenError{ended}
}

// handle passes on what the API sent. Without a type it is only an id to continue
// from.
func (s *subscription) handle(message sse.Event) error {
	data := json.RawMessage(message.Data)
	switch message.Type {
	case "order":
		e, err := decode[Event](data, nil)
		if e.Position = message.LastEventID; err == nil {
			err = s.subscriber(e)
		}
		if err != nil {
			return err
		}
	case "gap":
		var gap Gap
		if json.Unmarshal(data, &gap) != nil {
			return ErrNotAPI
		}
		if err := s.subscriber(gap); err != nil {
			return err
		}
	}
	if message.LastEventID != "" {
		s.after = message.LastEventID
	}
	return nil
}
