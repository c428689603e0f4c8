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

// openEvents asks for events from now on, or after the event that is named. The
// caller closes the answer.
func (c *Client) openEvents(ctx context.Context, query url.Values, after string) (io.ReadCloser, error) {
	req, err := c.newRequest(ctx, request{method: http.MethodGet, path: []string{"events"}, query: query})
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
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
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		_ = resp.Body.Close()
		return nil, ErrNotAPI
	}
	return resp.Body, nil
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
