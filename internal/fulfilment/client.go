// Package fulfilment is the signed HTTP call to the shop that tells it about an
// approved order.
//
// It receives an order with the handling that the rules decided, and hands on
// the shop's answer: a note, and a verdict in the returned error. It owns the
// pool of connections to the shop and nothing else. Durable after it is only
// the shop's side, keyed by the order id: a call may be repeated any number of
// times, always with the same key, and the shop takes the order once.
package fulfilment

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"orderprocessor/internal/order"
	"orderprocessor/internal/traces"
)

// Config says where the shop listens and how much a call may cost.
type Config struct {
	// URL is where calls are sent: absolute, http or https. A user and password
	// in it are sent as basic authentication.
	URL string
	// Secret signs the calls after the Standard Webhooks specification: base64,
	// with or without "whsec_" in front. Without a secret calls are unsigned:
	// they carry no webhook-signature, and the shop cannot tell who sent them.
	Secret string
	// Timeout bounds one call, from waiting for a connection to the last byte of
	// the answer; above zero.
	Timeout time.Duration
	// MaxConns bounds the connections to the shop, in use and idle together;
	// above zero. A call that finds them all in use waits, within its Timeout.
	MaxConns int
	// Traces makes a span for each call; nil makes none.
	Traces trace.TracerProvider
}

// Client calls the shop. It is safe for concurrent use.
type Client struct {
	endpoint  string        // without user and fragment
	user      *url.Userinfo // nil without
	signer    *standardwebhooks.Webhook
	timeout   time.Duration
	bodyTime  time.Duration
	transport *http.Transport
	tracer    trace.Tracer         // nil while traces are off
	server    []attribute.KeyValue // of each span
}

// New checks the configuration and returns a client that has not connected
// yet. Its errors never quote the URL or the secret.
func New(cfg Config) (*Client, error) {
	endpoint, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(cfg.Secret)
	if err != nil {
		return nil, err
	}
	if cfg.Timeout <= 0 {
		return nil, errors.New("fulfilment timeout must be above zero")
	}
	if cfg.MaxConns <= 0 {
		return nil, errors.New("fulfilment connections must be above zero")
	}
	user := endpoint.User
	endpoint.User, endpoint.Fragment = nil, ""
	return &Client{
		endpoint: endpoint.String(), user: user, signer: signer,
		timeout: cfg.Timeout, bodyTime: bodyTime, transport: newTransport(cfg),
		tracer: traces.Tracer(cfg.Traces), server: serverOf(endpoint),
	}, nil
}

// parseURL leaves out url.Parse's own errors: they quote the text, and with it
// a password.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("fulfilment URL is malformed")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("fulfilment URL must begin with http:// or https://")
	}
	if u.Hostname() == "" {
		return nil, errors.New("fulfilment URL must name a host")
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && err != nil {
		return nil, errors.New("fulfilment URL has a port out of range")
	}
	return u, nil
}

// newTransport honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as operators
// expect of any program that makes outgoing calls.
func newTransport(cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: min(dialTimeout, cfg.Timeout)}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    min(handshakeTimeout, cfg.Timeout),
		MaxConnsPerHost:        cfg.MaxConns,
		MaxIdleConns:           cfg.MaxConns,
		MaxIdleConnsPerHost:    cfg.MaxConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // bodies are small, and readNote bounds what they become
		ForceAttemptHTTP2:      true, // a transport with its own dialer has to ask for it
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}

// Fulfil tells the shop about an approved order and returns what it answered,
// up to order.MaxNoteBytes of printable text, with an error as well as without.
// The attempt counts from one. It takes at most Config.Timeout.
//
// Without an error the shop has taken the order: the headers of its answer said
// so, whatever became of the body. A *order.RetryError means that repeating the
// call is right: no complete headers came, ctx ended (its error is wrapped), or
// the shop asked to be called again, no sooner than After. Its Unknown is false
// only if the shop surely has not taken the order, because the call had no
// connection or the shop itself refused it. A *order.PermanentError means that
// the shop refused the order for good. Both have one line of text without
// secrets.
//
// It is safe to call again after any result or none, and a call may reach the
// shop twice by itself: the Idempotency-Key lets the transport repeat a request
// whose reused connection broke before the first byte of an answer.
func (c *Client) Fulfil(ctx context.Context, a order.Approval) (note string, err error) {
	ctx, span := c.start(ctx, a.Order.ID, a.Attempt)
	defer span.End()
	note, err = c.call(ctx, a)
	traces.Fail(span, err)
	return note, err
}

// call makes the call within its time. The shop learns of the span of ctx.
func (c *Client) call(ctx context.Context, a order.Approval) (note string, err error) {
	call, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var connected atomic.Bool // from here on the call may reach the shop
	req, err := c.request(httptrace.WithClientTrace(call, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), time.Now().UTC(), a)
	if err != nil {
		return "", &order.PermanentError{Err: err}
	}
	// The transport, unlike an http.Client, follows no redirects and keeps no
	// cookies.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return "", &order.RetryError{Unknown: connected.Load(), Err: c.unanswered(ctx, call, err)}
	}
	defer resp.Body.Close() //nolint:errcheck // the answer has been read
	tell(trace.SpanFromContext(ctx), resp.StatusCode)
	return c.readNote(resp, cancel), verdict(resp.StatusCode, resp.Header, time.Now())
}

// Close closes the connections that no call uses. Calls under way are not
// disturbed, later ones connect anew, and it is safe to call twice.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
