package load

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

// Followers are clients that follow every change of every order. They are safe for
// concurrent use.
type Followers struct {
	end     context.CancelFunc
	all     []*follower
	reading sync.WaitGroup
}

// follower is one of them. Its delays and err are read once it has ended.
type follower struct {
	lines  *bufio.Scanner
	close  func() error
	seen   atomic.Int64
	delays []time.Duration // from each change to its arrival here
	err    error
}

// Follow opens so many streams, and returns when each has shown a sign of life. They
// stay open until Stop.
func Follow(ctx context.Context, addr string, clients int) (*Followers, error) {
	ctx, end := context.WithCancel(ctx)
	f := &Followers{end: end}
	for range clients {
		one, err := follow(ctx, addr)
		if err != nil {
			_, _ = f.Stop()
			return nil, err
		}
		f.all = append(f.all, one)
		f.reading.Go(one.read)
	}
	return f, nil
}

func follow(ctx context.Context, addr string) (*follower, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/events", nil)
	if err != nil {
		return nil, fmt.Errorf("follow events: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("follow events: %w", err)
	}
	f := &follower{lines: bufio.NewScanner(resp.Body), close: resp.Body.Close}
	f.lines.Buffer(nil, maxLine)
	if resp.StatusCode != http.StatusOK || !f.lines.Scan() {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("follow events: answered %s", resp.Status)
	}
	return f, nil
}

// read takes events until the stream ends.
func (f *follower) read() {
	defer func() { _ = f.close() }()
	for f.lines.Scan() {
		switch line := f.lines.Bytes(); {
		case bytes.HasPrefix(line, []byte("event: gap")):
			f.err = errors.New("events were lost: there is a gap")
			return
		case bytes.HasPrefix(line, []byte("data: ")):
			now := time.Now()
			at, err := changedAt(line)
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

// changedAt finds the time of a change in the line that tells of it, without the cost of
// decoding the whole: the clients share the machine with what is measured.
func changedAt(line []byte) (time.Time, error) {
	_, rest, _ := bytes.Cut(line, []byte(`"time":"`))
	text, _, _ := bytes.Cut(rest, []byte(`"`))
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return time.Time{}, fmt.Errorf("read the time of a change: %w", err)
	}
	return at, nil
}

// Seen is how many changes the one has that has the fewest.
func (f *Followers) Seen() int {
	least := int64(0)
	for i, one := range f.all {
		if n := one.seen.Load(); i == 0 || n < least {
			least = n
		}
	}
	return int(least)
}

// Stop ends all streams and returns, for every change and client, the time from the
// change, by the clock of Redis, to its arrival. A stream that ended by itself, or
// had a gap, is an error.
func (f *Followers) Stop() ([]time.Duration, error) {
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
