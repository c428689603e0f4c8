package history_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderprocessor/internal/client"
	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

const body = `{"amount": 12.50, "items": ["tea"], "customer": "ada", "address": "1 Main Street", "priority": 2}`

// open returns a client of an API that gives one answer, and the requests that it has.
func open(t *testing.T, answer http.HandlerFunc) (api *client.Client, requests func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		mu.Lock()
		all = append(all, fmt.Sprintf("%s %s %q %s", r.Method, r.URL.Path, r.Header.Get("Idempotency-Key"), text))
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	api, err := client.New(server.URL, client.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	return api, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// TestCalls makes each call once, and records it.
func TestCalls(t *testing.T) {
	t.Parallel()
	api, requests := open(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"id": "i", "status": "retrying", "attempts": [{"number": 7}, {"number": 8}], %s`, body[1:])
	})
	recorder := history.NewRecorder()
	caller := history.Caller{Number: 3, Recorder: recorder}
	var content string
	for _, call := range []history.Call{
		{Op: history.Submit, Order: "i", ID: "i"},
		{Op: history.Submit, Order: "key"},
		{Op: history.Get, Order: "key", ID: "i"},
		{Op: history.Cancel, Order: "key", ID: "i"},
		{Op: history.Retry, Order: "key", ID: "i"},
		{Op: history.Release, Order: "key", ID: "i"},
		{Op: history.Reject, Order: "key", ID: "i"},
	} {
		var sent []byte
		if call.Op == history.Submit {
			sent = []byte(body)
		}
		a := caller.Do(t.Context(), api, call, sent)
		all := recorder.Operations()
		last := all[len(all)-1]
		if call.Op == history.Submit {
			content, call.Content = last.Call.Content, last.Call.Content
		}
		if diff := cmp.Diff(history.Operation{Client: 3, Call: call, Answer: a}, last, cmpopts.IgnoreFields(history.Operation{}, "From", "To")); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
		if a.ID != "i" || a.Status != order.StatusRetrying || a.Attempts != 8 || a.Content != content || last.To <= last.From {
			t.Errorf("recorded %+v", last)
		}
	}
	want := []string{
		`POST /orders "" ` + body, `POST /orders "key" ` + body, `GET /orders/i "" `, `POST /orders/i/cancel "" {"reason":"history"}`, `POST /orders/i/retry "" `,
		`POST /orders/i/release "" {"reason":"history"}`, `POST /orders/i/reject "" {"reason":"history"}`,
	}
	if diff := cmp.Diff(want, requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestAnswers reads each kind of answer. None makes the caller repeat the call.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		status int
		header string
		body   string
		want   history.Answer
	}{
		{"a new order", 201, "", `{"id": "i", "status": "pending"}`, history.Answer{Result: history.Created, Status: pending}},
		{"a known order", 200, "true", `{"id": "i", "status": "held"}`, history.Answer{Result: history.Replayed, Status: held}},
		{"another order", 409, "", `{"type": "x:order-id-conflict"}`, history.Answer{Result: history.OtherContent}},
		{"another key", 422, "", `{"type": "x:idempotency-key-reused"}`, history.Answer{Result: history.OtherContent}},
		{"the status", 409, "", `{"type": "x:order-status-conflict", "order_status": "failed"}`, history.Answer{Result: history.Conflict, Status: failed}},
		{"a doubt", 409, "", `{"type": "x:order-outcome-unknown", "order_status": "retrying"}`, history.Answer{Result: history.InDoubt, Status: retrying}},
		{"no order", 404, "", `{"type": "about:blank"}`, history.Answer{Result: history.NotFound}},
		{"no room", 503, "", `{"type": "x:no-room"}`, history.Answer{Result: history.Refused}},
		{"the rate limit", 429, "", `{"type": "x:rate-limited"}`, history.Answer{Result: history.Refused}},
		{"no key", 401, "", `{"type": "x:unauthorized"}`, history.Answer{Result: history.Refused}},
		{"another scope", 403, "", `{"type": "x:forbidden"}`, history.Answer{Result: history.Refused}},
		{"no Redis", 503, "", `{"type": "x:redis-unavailable"}`, history.Answer{Result: history.Unknown}},
		{"a defect", 500, "", `{"type": "about:blank"}`, history.Answer{Result: history.Unknown}},
		{"a forgotten order", 409, "", `{"type": "x:order-forgotten"}`, history.Answer{Result: history.Unexpected}},
		{"a bad request", 400, "", `{"type": "x:invalid-order"}`, history.Answer{Result: history.Unexpected}},
		{"something else", 200, "", `hello`, history.Answer{Result: history.Unexpected}},
		{"no answer", 0, "", "", history.Answer{Result: history.Unknown}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			api, requests := open(t, func(w http.ResponseWriter, _ *http.Request) {
				if row.status == 0 {
					panic(http.ErrAbortHandler)
				}
				if row.header != "" {
					w.Header().Set("Idempotency-Replayed", row.header)
				}
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			})
			caller := history.Caller{Recorder: history.NewRecorder()}
			got := caller.Do(t.Context(), api, history.Call{Op: history.Submit, Order: "i", ID: "i"}, []byte(body))
			if diff := cmp.Diff(row.want, got, cmpopts.IgnoreFields(history.Answer{}, "ID", "Content", "Detail")); diff != "" {
				t.Errorf("the answer is (-want +got):\n%s", diff)
			}
			if described := got.Detail != ""; described != slices.Contains([]history.Result{history.Unknown, history.Refused, history.Unexpected}, got.Result) {
				t.Errorf("the detail is %q", got.Detail)
			}
			if len(requests()) != 1 {
				t.Errorf("the requests are %q", requests())
			}
		})
	}
}

// TestSentAgain does not count a request as refused that was sent, and then again by net/http
// when the API was gone.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	var server *httptest.Server
	var calls atomic.Int32
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) > 1 {
			_ = server.Listener.Close()
			panic(http.ErrAbortHandler)
		}
		_, _ = fmt.Fprintf(w, `{"id": "i", "status": "pending", %s`, body[1:])
	}))
	t.Cleanup(server.Close)
	api, err := client.New(server.URL, client.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	caller := history.Caller{Recorder: history.NewRecorder()}
	for n, want := range []history.Result{history.Created, history.Unknown, history.Refused} {
		a := caller.Do(t.Context(), api, history.Call{Op: history.Submit, Order: "key"}, []byte(body))
		if a.Result != want {
			t.Errorf("call %d: %+v", n, a)
		}
	}
}

// TestNeverSent counts a request that found no API as refused.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	api, err := client.New(server.URL, client.Options{Once: true})
	if err != nil {
		t.Fatal(err)
	}
	caller := history.Caller{Recorder: history.NewRecorder()}
	if a := caller.Do(t.Context(), api, history.Call{Op: history.Cancel, Order: "i", ID: "i"}, nil); a.Result != history.Refused {
		t.Errorf("the answer is %+v", a)
	}
}
