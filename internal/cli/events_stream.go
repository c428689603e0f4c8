package cli

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
	// streamSilence is how long the API may say nothing until a connection counts
	// as lost: three of its heartbeats.
	streamSilence = 30 * time.Second
	// maxEventBytes bounds one event: an order's id, a worker's name, and a reason
	// of 1 KiB, six bytes for each of its own where JSON escapes all of them.
	maxEventBytes = 16 << 10
)

// The ways in which a connection to the stream of events ends.
var (
	errStreamEnded  = errors.New("the API ended the connection")
	errStreamSilent = errors.New("nothing was heard for too long")
)

// stream is one connection to the events of the API.
type stream struct {
	body    io.ReadCloser
	silence time.Duration // ends the connection
	timer   *time.Timer
	cancel  context.CancelCauseFunc
}

// openStream asks for the events that the query chooses, from now on or after the
// event that is named. It returns an *AnswerError for an answer without events, and
// an *UnreachableError without an answer. The connection ends when nothing comes for
// the time of silence. The caller closes the stream.
func (c *Client) openStream(ctx context.Context, query url.Values, after string, silence time.Duration) (*stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{cancel: cancel, silence: silence, timer: time.AfterFunc(silence, func() { cancel(errStreamSilent) })}
	if err := s.open(ctx, c, query, after); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func (s *stream) open(ctx context.Context, c *Client, query url.Values, after string) error {
	req, err := c.streamRequest(ctx, query, after)
	if err != nil {
		return err
	}
	unbounded := *c.http // the silence bounds it
	unbounded.Timeout = 0
	resp, err := unbounded.Do(req)
	if err != nil {
		return c.lost(ctx, err)
	}
	if err := c.checkStream(resp); err != nil {
		_ = resp.Body.Close()
		return err
	}
	s.body = resp.Body
	return nil
}

func (c *Client) streamRequest(ctx context.Context, query url.Values, after string) (*http.Request, error) {
	at := c.at(request{path: []string{"events"}, query: query})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return req, nil
}

// checkStream returns an error for an answer that holds no events.
func (c *Client) checkStream(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
		return newAnswerError(resp, answer, c.key != "")
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		return errNotTheAPI
	}
	return nil
}

// lost is why there is no connection: the silence, rather than what it led to.
func (c *Client) lost(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errStreamSilent) {
		return &UnreachableError{API: c.base.Redacted(), Err: cause}
	}
	return c.unreachable(ctx, err)
}

// message is what the API has sent: an event of its type, or no more than a place
// in the stream.
type message struct {
	kind, id string
	data     json.RawMessage
}

// read hands on what comes until the connection ends, and returns why it has ended;
// an error of take ends it as well. It may be called once.
func (s *stream) read(ctx context.Context, take func(message) error) error {
	for event, err := range sse.Read(s, &sse.ReadConfig{MaxEventSize: maxEventBytes}) {
		if err != nil {
			return s.why(ctx, err)
		}
		if err := take(message{kind: event.Type, id: event.LastEventID, data: json.RawMessage(event.Data)}); err != nil {
			return err
		}
	}
	return s.why(ctx, errStreamEnded)
}

func (s *stream) why(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, context.Canceled): // by the silence
		return &brokenError{errStreamSilent}
	default:
		return &brokenError{err}
	}
}

// brokenError is a connection that was there and is no longer.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }

func (e *brokenError) Unwrap() error { return e.err }

// Read implements io.Reader. Each byte ends the silence.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.timer.Reset(s.silence)
	}
	return n, err
}

// close ends the connection.
func (s *stream) close() {
	s.end()
	_ = s.body.Close()
}

func (s *stream) end() {
	s.timer.Stop()
	s.cancel(nil)
}
