package history

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"orderprocessor/internal/client"
)

// Caller calls the API for one client, and records each call. Its calls must not be
// concurrent.
type Caller struct {
	// Number is that of the client.
	Number int
	// Recorder keeps the calls.
	Recorder *Recorder
	// Reason is given with cancels, releases and rejections; empty is "history".
	Reason string
}

// Do makes a call, once, and records it. The API must be a client that sends each request
// once. The body is that of a submission; other calls have none. Do sets the content of
// the call from the body.
func (c *Caller) Do(ctx context.Context, api *client.Client, call Call, body []byte) Answer {
	if call.Op == Submit {
		call.Content = contentOf(body)
	}
	// Without a connection nothing was sent. The error alone does not say so: net/http sends
	// a request with an Idempotency-Key again when its connection breaks.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	op := Operation{Client: c.Number, Call: call, From: c.Recorder.Now()}
	o, replayed, err := c.send(ctx, api, call, body)
	op.To = c.Recorder.Now()
	op.Answer = answer(call.Op, o, replayed, err)
	if op.Result == Unknown && !connected.Load() {
		op.Result = Refused
	}
	c.Recorder.Add(op)
	return op.Answer
}

func (c *Caller) send(ctx context.Context, api *client.Client, call Call, body []byte) (o client.Order, replayed bool, err error) {
	reason := cmp.Or(c.Reason, "history")
	switch call.Op {
	case Submit:
		key := ""
		if call.ID == "" {
			key = call.Order
		}
		return api.SubmitKeyed(ctx, body, key)
	case Cancel:
		o, err = api.Cancel(ctx, call.ID, reason)
	case Retry:
		o, err = api.Retry(ctx, call.ID)
	case Release:
		o, err = api.Release(ctx, call.ID, reason)
	case Reject:
		o, err = api.Reject(ctx, call.ID, reason)
	default:
		o, err = api.Order(ctx, call.ID)
	}
	return o, false, err
}

// contentOf identifies the content of a submission. It must name its priority, and write
// amounts with the decimals of their currency, as an answer shows them.
func contentOf(body []byte) string {
	var o client.Order
	if err := json.Unmarshal(body, &o); err != nil {
		return err.Error()
	}
	return identity(o)
}

// identityChars is how much of a fingerprint tells the contents of one order apart.
const identityChars = 6

func identity(o client.Order) string { return o.Fingerprint()[:identityChars] }

// answer reads what the API answered.
func answer(op Op, o client.Order, replayed bool, err error) Answer {
	var refused *client.ResponseError
	switch {
	case err == nil:
		return shown(op, o, replayed)
	case errors.As(err, &refused):
		a := Answer{Result: resultOf(refused), Status: refused.OrderStatus}
		if a.Result == Unknown || a.Result == Unexpected || a.Result == Refused {
			a.Detail = refused.Error()
		}
		return a
	case errors.Is(err, client.ErrNotAPI):
		return Answer{Result: Unexpected, Detail: err.Error()}
	default:
		return Answer{Result: Unknown, Detail: err.Error()}
	}
}

// shown reads an answer of 2xx.
func shown(op Op, o client.Order, replayed bool) Answer {
	a := Answer{Result: Done, ID: o.ID, Content: identity(o), Status: o.Status}
	if n := len(o.Attempts); n > 0 {
		a.Attempts = o.Attempts[n-1].Number
	}
	if op == Submit {
		a.Result = Created
		if replayed {
			a.Result = Replayed
		}
	}
	return a
}

// resultOf reads an answer other than 2xx, by status and type as docs/API.md has them.
func resultOf(e *client.ResponseError) Result {
	switch {
	case e.Status == http.StatusNotFound:
		return NotFound
	case strings.HasSuffix(e.Type, ":order-id-conflict"), strings.HasSuffix(e.Type, ":idempotency-key-reused"):
		return OtherContent
	case strings.HasSuffix(e.Type, ":order-status-conflict"):
		return Conflict
	case strings.HasSuffix(e.Type, ":order-outcome-unknown"):
		return InDoubt
	case client.RateLimited(e), client.NoRoom(e), client.Denied(e):
		return Refused
	case e.Status >= http.StatusInternalServerError:
		return Unknown
	default:
		return Unexpected
	}
}
