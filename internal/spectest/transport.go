package spectest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi-validator/router"
)

const (
	// maxRest is how many bytes of an answer are read when the test closes it early.
	maxRest = 1 << 20
	// maxShown is how many bytes of a body and of the reasons a failure shows.
	maxShown = 2000
)

var (
	// unspecified are the paths that the specification leaves to others.
	unspecified = regexp.MustCompile(`^/(monitoring$|monitoring/|docs/|page/)`)
	// general are the headers that the specification does not list, or not for each answer.
	general = regexp.MustCompile(`^(Content-(Type|Length|Security-Policy)|Date|Connection|Transfer-Encoding|Vary|Allow|Cache-Control|Etag|Last-Modified|` +
		`X-Request-Id|Ratelimit|Ratelimit-Policy|X-Content-Type-Options|X-Frame-Options|X-Accel-Buffering|Referrer-Policy|Cross-Origin-Resource-Policy|Server)$`)
)

// Transport returns a transport that sends requests through next, or through
// http.DefaultTransport if next is nil. It calls tb.Errorf where an exchange differs from
// the specification, and is safe for concurrent use.
//
//   - An answer has a status, headers, media type and body that its operation specifies.
//   - A request that is not valid is answered 4xx or 503. Its body is checked if it can be
//     read again (http.Request.GetBody) and is not a batch.
//   - A path or method that is not specified is answered by a problem, with 404, 405 or a
//     refusal of the whole request; paths below /monitoring, /docs/ and /page/ by anything.
//   - HEAD, OPTIONS and compressed bodies are not checked.
//
// The body of an answer is checked when the test has read it to its end, or closed it.
func Transport(tb testing.TB, next http.RoundTripper) http.RoundTripper {
	tb.Helper()
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{tb: tb, spec: Load(tb), next: next}
}

type transport struct {
	tb   testing.TB
	spec *Spec
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || req.Method == http.MethodHead || req.Method == http.MethodOptions || unspecified.MatchString(req.URL.Path) {
		return resp, err
	}
	check := func(body []byte) {
		if err := t.spec.check(req, resp, body); err != nil {
			t.tb.Errorf("spectest: %s %s was answered %d: %.*s\nbody: %.*s", req.Method, req.URL.RequestURI(), resp.StatusCode,
				maxShown, err.Error(), maxShown, body)
		}
	}
	switch {
	case resp.Header.Get("Content-Encoding") != "":
	case strings.Contains(resp.Header.Get("Content-Type"), "json"):
		resp.Body = &checkedBody{ReadCloser: resp.Body, length: resp.ContentLength, check: check}
	default: // the body is any text, and may be a stream without an end
		check(nil)
	}
	return resp, nil
}

// CloseIdleConnections implements what http.Client.CloseIdleConnections calls.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// check returns an error unless the specification allows the exchange.
func (s *Spec) check(req *http.Request, resp *http.Response, body []byte) error {
	answer := *resp
	answer.Body = io.NopCloser(bytes.NewReader(body))
	route, err := s.router.FindRoute(req)
	if err != nil {
		if !slices.Contains([]int{403, 404, 405, 408, 413, 431}, resp.StatusCode) {
			return errors.New("it is not in the specification")
		}
		// Any operation without a 404 of its own shows the problem that answers it.
		req, _ = http.NewRequestWithContext(req.Context(), http.MethodGet, "/docs", http.NoBody) // it is well-formed
		answer.StatusCode = http.StatusNotFound
		if route, err = s.router.FindRoute(req); err != nil {
			return err
		}
	}
	if refused := resp.StatusCode/100 == 4 || resp.StatusCode == http.StatusServiceUnavailable; !refused {
		err = s.checkSent(req)
	}
	_, found := s.validator.ValidateHttpResponse(req, &answer)
	return errors.Join(err, join(found), checkHeaders(route, &answer))
}

// checkSent checks a request that was sent, if its body can be read again.
func (s *Spec) checkSent(req *http.Request) error {
	var body []byte
	if req.GetBody != nil {
		again, err := req.GetBody()
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(again); err != nil {
			return err
		}
	} else if req.Body != nil && req.Body != http.NoBody {
		return nil
	}
	if err := s.CheckRequest(req, body); err != nil {
		return fmt.Errorf("the request is not valid: %w", err)
	}
	return nil
}

// checkHeaders refuses a header that neither the answer's specification nor general lists.
func checkHeaders(route *router.Route, resp *http.Response) error {
	want := route.Operation.Responses.Codes.GetOrZero(strconv.Itoa(resp.StatusCode))
	if want == nil {
		want = route.Operation.Responses.Default
	}
	if want == nil {
		return nil // the status is reported
	}
	listed := map[string]bool{}
	for name := range want.Headers.FromOldest() {
		listed[http.CanonicalHeaderKey(name)] = true
	}
	for name := range resp.Header {
		if !listed[name] && !general.MatchString(name) {
			return fmt.Errorf("header %s is not specified", name)
		}
	}
	return nil
}

// checkedBody is the body of an answer, which is checked once at its end.
type checkedBody struct {
	io.ReadCloser

	length int64 // -1 if it is unknown
	data   []byte
	check  func(body []byte) // nil once called
}

// Read implements io.Reader.
func (b *checkedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.check != nil {
		b.data = append(b.data, p[:n]...)
		if errors.Is(err, io.EOF) {
			b.check(b.data)
			b.check = nil
		}
	}
	return n, err
}

// Close implements io.Closer. It first reads the rest of a body of known length.
func (b *checkedBody) Close() error {
	if b.check != nil && b.length >= 0 {
		_, _ = io.CopyN(io.Discard, b, maxRest) // Read sees how it ends
	}
	return b.ReadCloser.Close()
}
