package ctl

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
	"time"

	"github.com/spf13/cobra"
)

const (
	// apiVariable is the environment variable with the address of the API.
	apiVariable = "ORDERCTL_API"
	// defaultAPI is where the API listens unless configured otherwise.
	defaultAPI = "http://127.0.0.1:8080"
	// requestTimeout bounds one request. The API answers within two seconds
	// whatever happens to Redis; networks get the rest.
	requestTimeout = 15 * time.Second
	// maxAnswerBytes bounds what is read of an answer: a record with the most
	// items and attempts has some 2 MiB.
	maxAnswerBytes = 8 << 20
)

// addAPIFlag adds the flag that says where the API is.
func addAPIFlag(cmd *cobra.Command, w *World, api *string) {
	from := w.env(apiVariable)
	if from == "" {
		from = defaultAPI
	}
	cmd.Flags().StringVar(api, "api", from, "address of the API; "+apiVariable+" sets the default")
}

// Client talks to the API. It is safe for concurrent use.
type Client struct {
	base *url.URL
	http *http.Client
}

// NewClient returns a client of the API at the address, an http or https URL. It
// keeps up to conns connections open.
func NewClient(address string, conns int) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, usagef("the address of the API must look like %s, not %q", defaultAPI, address)
	}
	return &Client{base: base, http: &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConns: conns, MaxIdleConnsPerHost: conns,
			IdleConnTimeout: requestTimeout, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Submit sends one order, once. It says whether the API had the order already.
func (c *Client) Submit(ctx context.Context, body []byte) (replayed bool, err error) {
	answer, err := c.do(ctx, http.MethodPost, body, "orders")
	if err != nil {
		return false, err
	}
	return answer.Get("Idempotency-Replayed") == "true", nil
}

// Order returns the record of an order as the API wrote it.
func (c *Client) Order(ctx context.Context, id string) (json.RawMessage, error) {
	return c.get(ctx, "orders", id)
}

// Stats returns the statistics as the API wrote them.
func (c *Client) Stats(ctx context.Context) (json.RawMessage, error) { return c.get(ctx, "stats") }

// Health returns nil when orders are taken and worked.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.get(ctx, "health")
	return err
}

func (c *Client) get(ctx context.Context, path ...string) (json.RawMessage, error) {
	var body json.RawMessage
	_, err := c.request(ctx, http.MethodGet, nil, &body, path...)
	return body, err
}

func (c *Client) do(ctx context.Context, method string, body []byte, path ...string) (http.Header, error) {
	var ignored json.RawMessage
	return c.request(ctx, method, body, &ignored, path...)
}

// request returns an *AnswerError for every answer but 2xx, and an
// *UnreachableError without one.
func (c *Client) request(
	ctx context.Context, method string, body []byte, into *json.RawMessage, path ...string,
) (http.Header, error) {
	for i := range path {
		path[i] = url.PathEscape(path[i])
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path...).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	*into, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, newAnswerError(resp, *into)
	}
	return resp.Header, nil
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
