package spectest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Transport returns a transport that sends requests through next, or through
// http.DefaultTransport if it is nil, and fails the test where the specification
// says something else. It never ends the test, and is safe for concurrent use.
//
//   - An answer has the headers, the media type and the body that its operation
//     specifies for its status.
//   - A request that is not valid is answered 4xx or 503. What a batch says in
//     its body is not looked at: it may hold orders that are not valid.
//   - What is not in the specification is answered 404 or 405, with a problem,
//     unless it lies below /monitoring, /docs/ or /page/; or 403, 408, 413 or 431 by a
//     server that did not get as far as the path.
//   - HEAD and OPTIONS are left alone.
//
// Bodies are looked at as they pass by. A request's body is known if it has been
// sent whole when the answer begins and is no longer than a mebibyte; of others,
// only the media type is judged. The body of an answer is judged once it has
// been read to its end, or closed early if its length is known; not one that was
// cut off, and not beyond 64 MiB.
func Transport(tb testing.TB, next http.RoundTripper) http.RoundTripper {
	tb.Helper()
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{spec: Load(tb), next: next, reports: reports{tb: tb}}
}

type transport struct {
	spec    *Spec
	next    http.RoundTripper
	reports reports
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := send(req)
	resp, err := t.next.RoundTrip(sent.request)
	if err != nil || req.Method == http.MethodHead || req.Method == http.MethodOptions {
		return resp, err
	}
	resp.Request = req
	op, values, ok := t.spec.find(req.Method, req.URL)
	if !ok {
		t.checkUnknown(resp)
		return resp, nil
	}
	if !refused(resp.StatusCode) {
		q := question{Request: req, pathValues: values}
		q.data, q.known = sent.body()
		if err := op.checkRequest(q); err != nil {
			t.reports.add(resp, fmt.Errorf("the request is not valid: %w", err), q.data)
		}
	}
	want, ok := op.response(strconv.Itoa(resp.StatusCode))
	if !ok {
		t.refute(resp, errors.New("the status is not specified"))
		return resp, nil
	}
	t.check(resp, want)
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach next.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// checkUnknown is for what is not in the specification.
func (t *transport) checkUnknown(resp *http.Response) {
	path := resp.Request.URL.Path
	if path == "/monitoring" || strings.HasPrefix(path, "/monitoring/") || strings.HasPrefix(path, "/docs/") || strings.HasPrefix(path, "/page/") {
		return
	}
	refusals := []int{
		http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge,
	}
	if !slices.Contains(refusals, resp.StatusCode) {
		t.refute(resp, errors.New("it is not in the specification"))
		return
	}
	t.check(resp, t.spec.problem)
}

// check judges an answer when its body has been read.
func (t *transport) check(resp *http.Response, want response) {
	if err := want.checkHead(resp.Header); err != nil {
		t.refute(resp, err)
		return
	}
	resp.Body = watch(resp, func(data []byte, whole bool) {
		if !whole {
			return
		}
		if err := want.checkBody(resp.Header, data); err != nil {
			t.reports.add(resp, err, data)
		}
	})
}

// refute reports an answer that is wrong whatever its body is, when there is a
// body to show.
func (t *transport) refute(resp *http.Response, reason error) {
	resp.Body = watch(resp, func(data []byte, _ bool) { t.reports.add(resp, reason, data) })
}

// refused says whether a status is one that a request may have that is not
// valid.
func refused(status int) bool {
	return status >= 400 && status < 500 || status == http.StatusServiceUnavailable
}
