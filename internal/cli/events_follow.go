package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"
)

// steadyAfter is how long a connection must have lasted for the next one to be
// tried without the wait that has grown with those before.
const steadyAfter = 5 * time.Second

// listener hears what a follower meets. Its methods are called one after the other.
type listener interface {
	// connected is called when events come, and again after each lost.
	connected()
	// event is called for each event. An error ends the following.
	event(v eventView, data json.RawMessage) error
	// gap says that events after the one that is named are not kept any more.
	gap(after string)
	// lost says that no events come, why, and when that is tried again.
	lost(err error, again time.Duration)
}

// follower follows the events of the API over as many connections as it takes, and
// misses none that is kept.
type follower struct {
	client *Client
	query  url.Values
	after  string // the last place in the stream
	told   listener

	reached bool // there was a connection
}

// run follows until ctx ends, the listener does not want any more, or the API says
// that it never will; it returns why. A first connection that does not come about is
// tried a few times, a later one for as long as it takes.
func (f *follower) run(ctx context.Context) error {
	for failures := 1; ; failures++ {
		began := time.Now()
		err := f.connect(ctx)
		if time.Since(began) > steadyAfter {
			failures = 1
		}
		if f.hopeless(err, failures) {
			return err
		}
		again := delay(failures, err)
		if f.reached {
			f.told.lost(err, again)
		}
		if err := wait(ctx, again); err != nil {
			return err
		}
	}
}

// hopeless says whether another connection would not help.
func (f *follower) hopeless(err error, failures int) bool {
	var broken *brokenError
	if errors.As(err, &broken) {
		return false
	}
	return !passing(err) || !f.reached && failures >= commandTries
}

// connect follows one connection, and returns why it ended.
func (f *follower) connect(ctx context.Context) error {
	s, err := f.client.openStream(ctx, f.query, f.after, streamSilence)
	if err != nil {
		return err
	}
	defer s.close()
	f.reached = true
	f.told.connected()
	return s.read(ctx, f.take)
}

func (f *follower) take(m message) error {
	switch m.kind {
	case "order":
		v, err := decodeEvent(m.data)
		if err != nil {
			return err
		}
		if err := f.told.event(v, m.data); err != nil {
			return err
		}
	case "gap":
		var at struct {
			After string `json:"after"`
		}
		if json.Unmarshal(m.data, &at) != nil {
			return errNotTheAPI
		}
		f.told.gap(at.After)
	}
	if m.id != "" {
		f.after = m.id
	}
	return nil
}
