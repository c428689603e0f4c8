package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// request is one request to the API.
type request struct {
	method string
	path   []string // unescaped segments
	query  url.Values
	body   []byte // or nil
	// mediaType is that of the body; empty for JSON.
	mediaType string
	// export makes the path that of the export, and not of the order with that id.
	export bool
	// idempotencyKey makes it safe to repeat; empty for none.
	idempotencyKey string
	// lastEventID is the position after which to continue; empty for none.
	lastEventID string
}

func get(path ...string) request  { return request{method: http.MethodGet, path: path} }
func post(path ...string) request { return request{method: http.MethodPost, path: path} }

var (
	// ErrNotAPI is an answer that the API of this service would not give.
	ErrNotAPI = errors.New("the answer is not that of an order API; is the address right?")
	// ErrInterrupted means that the context ended before the call did.
	ErrInterrupted = errors.New("interrupted")

	errLongAnswer = fmt.Errorf("the answer is longer than %d MiB", maxAnswerBytes>>20)
)

// send makes the request, once. It returns a *ResponseError for every status but
// 2xx, and an *UnreachableError without an answer.
func (c *Client) send(ctx context.Context, r request) (json.RawMessage, http.Header, error) {
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, c.unreachable(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return nil, nil, c.unreachable(ctx, err)
	case resp.StatusCode/100 != 2:
		return nil, nil, c.responseError(resp, answer)
	case len(answer) > maxAnswerBytes:
		return nil, nil, errLongAnswer
	}
	return answer, resp.Header, nil
}

func (c *Client) sendOnce(ctx context.Context, r request) (json.RawMessage, error) {
	answer, _, err := c.send(ctx, r)
	return answer, err
}

// sendRepeatedly makes a request that is safe to repeat.
func (c *Client) sendRepeatedly(ctx context.Context, r request) (answer json.RawMessage, err error) {
	if c.options.Once {
		return c.sendOnce(ctx, r)
	}
	err = RetryPolicy{Attempts: requestAttempts}.run(ctx, func() (err error) {
		answer, err = c.sendOnce(ctx, r)
		return err
	})
	return answer, err
}

func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	segments := make([]string, len(r.path))
	for i, text := range r.path {
		segments[i] = url.PathEscape(text)
	}
	if len(r.path) == 2 && r.path[1] == exportSegment && !r.export {
		segments[1] = "%65xport" // the order with this id
	}
	u := c.base.JoinPath(segments...)
	if len(r.query) > 0 {
		u.RawQuery = r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", cmp.Or(r.mediaType, "application/json"))
	}
	if r.idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", r.idempotencyKey)
	}
	if r.lastEventID != "" {
		req.Header.Set("Last-Event-ID", r.lastEventID)
	}
	if c.options.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.options.Key)
	}
	return req, nil
}

// unreachable removes the URL that http.Client puts in front of an error.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errSilent) {
		return ErrInterrupted
	} else if cause != nil {
		err = cause
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return &UnreachableError{API: strings.TrimSuffix(c.Address(), "/"), Err: err}
}
