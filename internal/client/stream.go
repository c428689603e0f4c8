package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/tmaxmax/go-sse"
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

// stream is one connection to GET /events.
type stream struct {
	body    io.ReadCloser
	silence time.Duration
	timer   *time.Timer
	cancel  context.CancelCauseFunc
}

// openStream asks for events from now on, or after the event that is named. The
// connection ends when nothing arrives for the time of silence. The caller closes
// the stream.
func (c *Client) openStream(ctx context.Context, query url.Values, after string, silence time.Duration) (*stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{cancel: cancel, silence: silence, timer: time.AfterFunc(silence, func() { cancel(errSilent) })}
	resp, err := c.requestEvents(ctx, query, after) //nolint:bodyclose // close closes it
	if err != nil {
		s.close()
		return nil, err
	}
	s.body = resp.Body
	return s, nil
}

func (c *Client) requestEvents(ctx context.Context, query url.Values, after string) (*http.Response, error) {
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
	return resp, nil
}

// message is one message of the stream. Without a kind it only carries an id to
// continue from.
type message struct {
	kind, id string
	data     json.RawMessage
}

// read calls handle for each message until the connection ends or handle fails,
// and returns why. It may be called once.
func (s *stream) read(ctx context.Context, handle func(message) error) error {
	end := errEnded
	for event, err := range sse.Read(s, &sse.ReadConfig{MaxEventSize: maxEventBytes}) {
		if err != nil {
			end = err
			break
		}
		if err := handle(message{kind: event.Type, id: event.LastEventID, data: json.RawMessage(event.Data)}); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case errors.Is(end, context.Canceled): // by the silence
		return &brokenError{errSilent}
	default:
		return &brokenError{end}
	}
}

// Read implements io.Reader. Each byte restarts the time of silence.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.timer.Reset(s.silence)
	}
	return n, err
}

// close ends the connection.
func (s *stream) close() {
	s.timer.Stop()
	s.cancel(nil)
	if s.body != nil {
		_ = s.body.Close()
	}
}
