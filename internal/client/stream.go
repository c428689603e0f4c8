package client

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

const (
	// maxSilence is how long the API may send nothing until a connection counts
	// as lost: three of its heartbeats.
	maxSilence = 30 * time.Second
	// maxEventBytes bounds one event: an order's id, a worker's name, and a reason
	// of 1 KiB, each of whose bytes JSON may write as six.
	maxEventBytes = 16 << 10
)

var (
	errEnded  = errors.New("the API ended the connection")
	errSilent = errors.New("the API sent nothing for too long")
)

// brokenError is a connection that was open and is no longer.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }

func (e *brokenError) Unwrap() error { return e.err }

// openEvents asks for events from now on, or after the position that is named. The
// caller closes the answer.
func (c *Client) openEvents(ctx context.Context, query url.Values, after string) (io.ReadCloser, error) {
	r := get("events")
	r.query, r.lastEventID = query, after
	return c.open(ctx, r, "text/event-stream")
}

// open makes a request whose answer is a stream of a media type. The caller closes the
// answer, and bounds the time in which nothing arrives.
func (c *Client) open(ctx context.Context, r request, mediaType string) (io.ReadCloser, error) {
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", mediaType)
	unbounded := *c.http // the silence bounds it
	unbounded.Timeout = 0
	resp, err := unbounded.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
		return nil, c.responseError(resp, text)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != mediaType {
		_ = resp.Body.Close()
		return nil, ErrNotAPI
	}
	return resp.Body, nil
}

// timed returns a context that ends with errSilent unless the timer is reset in time. The
// caller calls end.
func timed(parent context.Context, silence time.Duration) (ctx context.Context, timer *time.Timer, end func()) {
	ctx, cancel := context.WithCancelCause(parent)
	timer = time.AfterFunc(silence, func() { cancel(errSilent) })
	return ctx, timer, func() {
		timer.Stop()
		cancel(nil)
	}
}

// timedReader is a stream of events that restarts a timer with each byte.
type timedReader struct {
	io.Reader
	timer   *time.Timer
	silence time.Duration
}

// Read implements io.Reader.
func (r timedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.timer.Reset(r.silence)
	}
	return n, err
}
