package clients

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxLine bounds a line of the stream of events, in bytes: far above what an event
// has.
const maxLine = 16 << 10

// Subscribers are subscribers to every event of every order. They are safe for
// concurrent use.
type Subscribers struct {
	end     context.CancelFunc
	all     []*subscriber
	reading sync.WaitGroup
}

// subscriber is one of them. Its delays and err are read once it has ended.
type subscriber struct {
	lines  *bufio.Scanner
	close  func() error
	seen   atomic.Int64
	delays []time.Duration // from each event to its arrival here
	err    error
}

// Subscribe opens so many streams, and returns when each has shown a sign of life. They
// stay open until Stop.
func Subscribe(ctx context.Context, addr string, clients int) (*Subscribers, error) {
	ctx, end := context.WithCancel(ctx)
	f := &Subscribers{end: end}
	for range clients {
		one, err := subscribe(ctx, addr)
		if err != nil {
			_, _ = f.Stop()
			return nil, err
		}
		f.all = append(f.all, one)
		f.reading.Go(one.read)
	}
	return f, nil
}

func subscribe(ctx context.Context, addr string) (*subscriber, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/events", nil)
	if err != nil {
		return nil, fmt.Errorf("subscribe to events: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("subscribe to events: %w", err)
	}
	f := &subscriber{lines: bufio.NewScanner(resp.Body), close: resp.Body.Close}
	f.lines.Buffer(nil, maxLine)
	if resp.StatusCode != http.StatusOK || !f.lines.Scan() {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("subscribe to events: answered %s", resp.Status)
	}
	return f, nil
}

// read reads events until the stream ends.
func (f *subscriber) read() {
	defer func() { _ = f.close() }()
	for f.lines.Scan() {
		switch line := f.lines.Bytes(); {
		case bytes.HasPrefix(line, []byte("event: gap")):
			f.err = errors.New("events were lost: there is a gap")
			return
		case bytes.HasPrefix(line, []byte("data: ")):
			now := time.Now()
			at, err := eventTime(line)
			if err != nil {
				f.err = err
				return
			}
			f.delays = append(f.delays, now.Sub(at))
			f.seen.Add(1)
		}
	}
	f.err = cmp.Or(f.lines.Err(), io.ErrUnexpectedEOF)
}

// eventTime finds the time of an event in its line, without the cost of
// decoding the whole: the clients share the machine with what is measured.
func eventTime(line []byte) (time.Time, error) {
	_, rest, _ := bytes.Cut(line, []byte(`"time":"`))
	text, _, _ := bytes.Cut(rest, []byte(`"`))
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return time.Time{}, fmt.Errorf("read the time of an event: %w", err)
	}
	return at, nil
}

// Seen is the least number of events that one of them has received.
func (f *Subscribers) Seen() int {
	least := int64(0)
	for i, one := range f.all {
		if n := one.seen.Load(); i == 0 || n < least {
			least = n
		}
	}
	return int(least)
}

// Stop ends all streams and returns, for every event and subscriber, the time from the
// event, by the clock of Redis, to its arrival. A stream that the server ended, or
// that had a gap, is an error.
func (f *Subscribers) Stop() ([]time.Duration, error) {
	f.end()
	f.reading.Wait()
	var all []time.Duration
	var errs []error
	for _, one := range f.all {
		all = append(all, one.delays...)
		if !errors.Is(one.err, context.Canceled) {
			errs = append(errs, fmt.Errorf("a stream of events has ended: %w", one.err))
		}
	}
	return all, errors.Join(errs...)
}
