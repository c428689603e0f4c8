package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// request is what is asked of the API.
type request struct {
	method string
	path   []string // one text a segment
	query  url.Values
	body   []byte // JSON, or nil
}

// errLongAnswer is an answer of which only a part was read.
var errLongAnswer = fmt.Errorf("the answer is longer than %d MiB", maxAnswerBytes>>20)

// send makes the request, once. It returns an *AnswerError for every answer but
// 2xx, and an *UnreachableError without one.
func (c *Client) send(ctx context.Context, r request) (json.RawMessage, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.at(r), bytes.NewReader(r.body))
	if err != nil {
		return nil, nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
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
		return nil, nil, newAnswerError(resp, answer, c.key != "")
	case len(answer) > maxAnswerBytes:
		return nil, nil, errLongAnswer
	}
	return answer, resp.Header, nil
}

// at is the URL of a request.
func (c *Client) at(r request) string {
	path := make([]string, len(r.path))
	for i, text := range r.path {
		path[i] = segment(text)
	}
	u := c.base.JoinPath(path...)
	if len(r.query) > 0 {
		u.RawQuery = r.query.Encode()
	}
	return u.String()
}

// segment escapes one segment of a path. The ids . and .. would lead to another
// path as they are.
func segment(text string) string {
	if text == "." || text == ".." {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return url.PathEscape(text)
}

// UnreachableError is a request that got no answer: whether it was applied is
// unknown.
type UnreachableError struct {
	// API is the address that was asked.
	API string
	// Err is why there is no answer.
	Err error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from the API at %s: %v; is it running, and is --api right?", e.API, e.Err)
}

// Unwrap returns why there is no answer.
func (e *UnreachableError) Unwrap() error { return e.Err }

// unreachable leaves out of an error the URL that http.Client puts in front.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return &UnreachableError{API: strings.TrimSuffix(c.base.Redacted(), "/"), Err: err}
}
