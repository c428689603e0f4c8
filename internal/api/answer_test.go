package api_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// The types of problems, as the specification lists them.
const (
	typeBlank        = "about:blank"
	typeInvalid      = "tag:orderprocessor,2026:invalid-order"
	typeRequest      = "tag:orderprocessor,2026:invalid-request"
	typeMalformed    = "tag:orderprocessor,2026:malformed-json"
	typeConflict     = "tag:orderprocessor,2026:order-id-conflict"
	typeForgotten    = "tag:orderprocessor,2026:order-forgotten"
	typeReused       = "tag:orderprocessor,2026:idempotency-key-reused"
	typeStatus       = "tag:orderprocessor,2026:order-status-conflict"
	typeUnknown      = "tag:orderprocessor,2026:order-outcome-unknown"
	typeNoRoom       = "tag:orderprocessor,2026:no-room"
	typeUnavailable  = "tag:orderprocessor,2026:redis-unavailable"
	typeUnauthorized = "tag:orderprocessor,2026:unauthorized"
	typeForbidden    = "tag:orderprocessor,2026:forbidden"
	typeCrossSite    = "tag:orderprocessor,2026:cross-site"
	typeLimited      = "tag:orderprocessor,2026:rate-limited"
)

const (
	ndjson    = "application/x-ndjson"
	jsonMedia = "application/json"
)

// answer is the answer to one request.
type answer struct {
	code   int
	header http.Header
	body   []byte
	took   time.Duration
}

// ask sends a request; headers alternate names and values. A body is JSON unless a header
// gives another type.
func (s *site) ask(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
	must(t, err)
	if body != "" || method == http.MethodPost {
		req.Header.Set("Content-Type", jsonMedia)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return send(t, s.client, req)
}

// asset matches the paths of the files that pages load, which browsers may keep.
var asset = regexp.MustCompile(`^/(docs/|page/|monitoring/static/|monitoring/[a-z]+\.[a-z]+$)`)

func send(t *testing.T, c *http.Client, req *http.Request) answer {
	t.Helper()
	start := time.Now()
	resp, err := c.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	checkSecured(t, resp.Header)
	if kept := strings.HasPrefix(resp.Header.Get("Cache-Control"), "private"); kept && !asset.MatchString(req.URL.Path) {
		t.Errorf("browsers may keep %s", req.URL.Path)
	}
	if !strings.HasPrefix(req.URL.Path, "/monitoring") { // Asynqmon writes its own
		checkTimes(t, body)
	}
	return answer{code: resp.StatusCode, header: resp.Header, body: body, took: time.Since(start)}
}

// dial opens a bare connection to the site.
func (s *site) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	return c.(*net.TCPConn)
}

// sendRaw sends bytes as they are and returns all answers until the server closes the
// connection.
func (s *site) sendRaw(t *testing.T, request string) []answer {
	t.Helper()
	c := s.dial(t)
	_, err := io.WriteString(c, request)
	must(t, errors.Join(err, c.CloseWrite()))
	return readAnswers(t, c)
}

// askRaw sends one request as it is.
func (s *site) askRaw(t *testing.T, request string) answer {
	t.Helper()
	all := s.sendRaw(t, request)
	if len(all) != 1 {
		t.Fatalf("%d answers to %q", len(all), request)
	}
	return all[0]
}

func readAnswers(t *testing.T, c net.Conn) []answer {
	t.Helper()
	var all []answer
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		must(t, err)
		text, err := io.ReadAll(resp.Body)
		must(t, errors.Join(err, resp.Body.Close()))
		checkSecured(t, resp.Header)
		all = append(all, answer{code: resp.StatusCode, header: resp.Header, body: text})
	}
}

// decode decodes the body of an answer that must have the status.
func decode[T any](t *testing.T, a answer, code int) (v T) {
	t.Helper()
	if a.code != code {
		t.Fatalf("answered %d %s; want %d", a.code, a.body, code)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	return v
}

// object decodes the body of an answer that must have the status.
func (a answer) object(t *testing.T, code int) map[string]any {
	t.Helper()
	return decode[map[string]any](t, a, code)
}

// problem is the body of an error.
type problem struct {
	Type, Title, Detail, Instance string
	Status                        int
	RequestID                     string       `json:"request_id"`
	OrderID                       string       `json:"order_id"`
	OrderStatus                   order.Status `json:"order_status"`
	Errors                        []order.FieldError
}

// fields lists the errors as "field code".
func (p problem) fields() []string {
	var all []string
	for _, e := range p.Errors {
		all = append(all, e.Field+" "+string(e.Code))
	}
	return all
}

// problem checks that an answer has the form of every error, and decodes it.
func (a answer) problem(t *testing.T, code int) problem {
	t.Helper()
	p := decode[problem](t, a, code)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type is %q", got)
	}
	if got := a.header.Get("Content-Security-Policy"); got != "default-src 'none'; frame-ancestors 'none'" {
		t.Errorf("Content-Security-Policy is %q", got)
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Instance == "" || p.Status != code {
		t.Errorf("problem %s is not complete", a.body)
	}
	if id := a.header.Get("X-Request-Id"); id == "" || id != p.RequestID {
		t.Errorf("X-Request-Id is %q, request_id is %q", id, p.RequestID)
	}
	if strings.ContainsFunc(string(a.body), unicode.IsControl) || strings.Contains(string(a.body), "<script") {
		t.Errorf("the answer is not fit to print: %q", a.body)
	}
	for _, e := range p.Errors {
		if e.Code == "" || e.Message == "" {
			t.Errorf("problem %+v is not complete", e)
		}
	}
	return p
}

// checkRefused sends a request and checks that it is refused with these fields, or, without
// any, as a body that is not a JSON object.
func (s *site) checkRefused(t *testing.T, method, path, body string, fields ...string) problem {
	t.Helper()
	p := s.ask(t, method, path, body).problem(t, 400)
	want := typeRequest
	if len(fields) == 0 {
		want = typeMalformed
	}
	if diff := cmp.Diff(fields, p.fields()); diff != "" || p.Type != want {
		t.Errorf("%s %.200s %.200s: type is %q, want %q: %s", method, path, body, p.Type, want, diff)
	}
	return p
}

// checkSecured checks the headers that protect an answer from pages of other sites, each of
// which must occur once.
func checkSecured(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := h.Values(name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q; want %q", name, got, want)
		}
	}
	if got := h.Values("Content-Security-Policy"); len(got) != 1 || !strings.HasPrefix(got[0], "default-src '") ||
		!strings.Contains(got[0], "; frame-ancestors 'none'") || strings.Contains(got[0], "//") {
		t.Errorf("Content-Security-Policy is %q", got)
	}
	if got := h.Values("Cache-Control"); len(got) != 1 || !slices.Contains([]string{"no-store", "private, max-age=3600", cacheStream}, got[0]) {
		t.Errorf("Cache-Control is %q", got)
	}
}

var (
	anyTime   = regexp.MustCompile(`"\d{4}-\d\d-\d\d[Tt][^"]*"`)
	sixDigits = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"$`)
)

// checkTimes checks that every time in an answer is in UTC with six digits of its fraction.
func checkTimes(t *testing.T, body []byte) {
	t.Helper()
	for _, text := range anyTime.FindAll(body, -1) {
		if !sixDigits.Match(text) {
			t.Errorf("the time %s is not in UTC with six digits: %s", text, body)
		}
	}
}

// checkNothingInternal checks that an answer reveals nothing of the server.
func checkNothingInternal(t *testing.T, a answer) {
	t.Helper()
	for _, inside := range []string{"secret", "dsn", "goroutine", ".go:", "panic", "runtime", "nil pointer"} {
		if strings.Contains(string(a.body), inside) {
			t.Errorf("the answer shows %q: %s", inside, a.body)
		}
	}
}
