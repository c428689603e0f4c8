package fulfilment

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// ending is what a caller can see of a call.
type ending struct {
	Kind  string // done, retry or permanent
	After time.Duration
	Note  string
	Error string
}

func endingOf(note string, err error) ending {
	e := ending{Kind: "done", Note: note, Error: text(err)}
	var retry *order.RetryError
	var permanent *order.PermanentError
	switch {
	case errors.As(err, &retry):
		e.Kind, e.After = "retry", retry.After
	case errors.As(err, &permanent):
		e.Kind = "permanent"
	case err != nil:
		e.Kind = "neither"
	}
	return e
}

func TestVerdictOfAStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code       int
		retryAfter string // "absent" sends none
		want       ending
	}{
		{101, "absent", ending{"permanent", 0, "", "fulfilment answered 101 Switching Protocols"}},
		{200, "absent", ending{"done", 0, "note", ""}},
		{201, "60", ending{"done", 0, "note", ""}},
		{204, "absent", ending{"done", 0, "", ""}},
		{299, "absent", ending{"done", 0, "note", ""}},
		{300, "absent", ending{"permanent", 0, "note", "fulfilment answered 300 Multiple Choices"}},
		{304, "absent", ending{"permanent", 0, "", "fulfilment answered 304 Not Modified"}},
		{305, "absent", ending{"permanent", 0, "note", "fulfilment answered 305 Use Proxy"}},
		{308, "5", ending{"permanent", 0, "note", "fulfilment answered 308 Permanent Redirect: redirects are refused"}},
		{400, "absent", ending{"permanent", 0, "note", "fulfilment answered 400 Bad Request"}},
		{401, "absent", ending{"permanent", 0, "note", "fulfilment answered 401 Unauthorized"}},
		{404, "absent", ending{"permanent", 0, "note", "fulfilment answered 404 Not Found"}},
		{403, "30", ending{"retry", 30 * time.Second, "note", "fulfilment answered 403 Forbidden"}},
		{404, "30", ending{"retry", 30 * time.Second, "note", "fulfilment answered 404 Not Found"}},
		{404, "0", ending{"retry", 0, "note", "fulfilment answered 404 Not Found"}},
		{404, "soon", ending{"permanent", 0, "note", "fulfilment answered 404 Not Found"}},
		{404, "-1", ending{"permanent", 0, "note", "fulfilment answered 404 Not Found"}},
		{408, "absent", ending{"retry", 0, "note", "fulfilment answered 408 Request Timeout"}},
		{409, "absent", ending{"permanent", 0, "note", "fulfilment answered 409 Conflict"}},
		{409, "7", ending{"retry", 7 * time.Second, "note", "fulfilment answered 409 Conflict"}},
		{409, "soon", ending{"retry", 0, "note", "fulfilment answered 409 Conflict"}},
		{410, "absent", ending{"permanent", 0, "note", "fulfilment answered 410 Gone"}},
		{413, "2.5", ending{"retry", 3 * time.Second, "note", "fulfilment answered 413 Request Entity Too Large"}},
		{413, "absent", ending{"permanent", 0, "note", "fulfilment answered 413 Request Entity Too Large"}},
		{422, "absent", ending{"permanent", 0, "note", "fulfilment answered 422 Unprocessable Entity"}},
		{423, "5", ending{"retry", 5 * time.Second, "note", "fulfilment answered 423 Locked"}},
		{423, "absent", ending{"permanent", 0, "note", "fulfilment answered 423 Locked"}},
		{425, "absent", ending{"retry", 0, "note", "fulfilment answered 425 Too Early"}},
		{429, "120", ending{"retry", 2 * time.Minute, "note", "fulfilment answered 429 Too Many Requests"}},
		{451, "Fri, 31 Dec 9999 23:59:59 GMT", ending{"retry", 24 * time.Hour, "note", "fulfilment answered 451 Unavailable For Legal Reasons"}},
		{499, "absent", ending{"permanent", 0, "note", "fulfilment answered 499"}},
		{500, "absent", ending{"retry", 0, "note", "fulfilment answered 500 Internal Server Error"}},
		{503, "999999", ending{"retry", 24 * time.Hour, "note", "fulfilment answered 503 Service Unavailable"}},
		{599, "-1", ending{"retry", 0, "note", "fulfilment answered 599"}},
		{600, "5", ending{"permanent", 0, "note", "fulfilment answered 600"}},
		{999, "absent", ending{"permanent", 0, "note", "fulfilment answered 999"}},
	}
	for _, tt := range tests {
		t.Run(strconv.Itoa(tt.code)+" Retry-After "+tt.retryAfter, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				if tt.retryAfter != "absent" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.WriteHeader(tt.code)
				io.WriteString(w, "note") //nolint:errcheck // some statuses allow no body
			})
			shop.Start()
			c := newClient(t, Config{URL: shop.URL, Secret: testSecret, MaxConns: 1})
			for range 2 { // the second call waits for good if the first leaks the connection
				if diff := cmp.Diff(tt.want, endingOf(fulfil(c))); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// Whatever form the wait has, and whatever the shop's clock shows: nobody waits
// an hour for four seconds.
func TestRetryAfterInEveryForm(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		off        time.Duration // of the shop's clock
		retryAfter func(date time.Time) string
		want       time.Duration
	}{
		"a decimal":              {0, func(time.Time) string { return "2.0" }, 2 * time.Second},
		"a decimal, rounded up":  {0, func(time.Time) string { return "3.25" }, 4 * time.Second},
		"too long, as a decimal": {0, func(time.Time) string { return "86400.5" }, maxRetryAfter},
		"a date":                 {0, in(4*time.Second, http.TimeFormat), 4 * time.Second},
		"clock an hour ahead":    {time.Hour, in(4*time.Second, http.TimeFormat), 4 * time.Second},
		"clock an hour behind":   {-time.Hour, in(4*time.Second, time.ANSIC), 4 * time.Second},
		"clock of last year":     {-365 * 24 * time.Hour, in(time.Hour, "Monday, 02-Jan-06 15:04:05 GMT"), time.Hour},
		"too far":                {0, in(48*time.Hour, http.TimeFormat), maxRetryAfter},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				date := time.Now().Add(tt.off).UTC()
				w.Header().Set("Date", date.Format(http.TimeFormat))
				w.Header().Set("Retry-After", tt.retryAfter(date.Truncate(time.Second)))
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			shop.Start()
			want := ending{Kind: "retry", After: tt.want, Error: "fulfilment answered 503 Service Unavailable"}
			if diff := cmp.Diff(want, endingOf(fulfil(newClient(t, Config{URL: shop.URL})))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// in is a date that is so far from another.
func in(d time.Duration, form string) func(time.Time) string {
	return func(date time.Time) string { return date.Add(d).Format(form) }
}

func TestRetryAfterDateWithoutADate(t *testing.T) {
	t.Parallel()
	shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header()["Date"] = nil
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	shop.Start()
	got := endingOf(fulfil(newClient(t, Config{URL: shop.URL})))
	if got.Kind != "retry" || got.After < 50*time.Minute || got.After > time.Hour {
		t.Errorf("got %+v, want a retry after about an hour", got)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			var reached, called atomic.Int64
			target := newShop(t, func(http.ResponseWriter, *http.Request, []byte) { reached.Add(1) })
			target.Start()
			shop := newShop(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
				called.Add(1)
				http.Redirect(w, r, target.URL, code)
			})
			shop.Start()
			got := endingOf(fulfil(newClient(t, Config{URL: shop.URL})))
			if got.Kind != "permanent" || !strings.HasSuffix(got.Error, "redirects are refused") {
				t.Errorf("got %+v", got)
			}
			if reached.Load() != 0 || called.Load() != 1 {
				t.Errorf("shop was called %d times, the redirect's target %d times", called.Load(), reached.Load())
			}
		})
	}
}

// TestRedirectNamesItsTarget holds what of it is told, and what may be secret.
func TestRedirectNamesItsTarget(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3000)
	for location, want := range map[string]string{
		"https://shop.example/orders":                       " to https://shop.example/orders",
		"https://joe:s3cr3t@shop.example:8443/a?k=s3cr3t#z": " to https://shop.example:8443/a",
		"//shop.example/orders?":                            " to //shop.example/orders",
		"/login?next=s3cr3t":                                " to /login",
		"orders/":                                           " to orders/",
		"/a%2Fb%20c":                                        " to /a%2Fb%20c",
		"/k\xc3\xa4se\x80":                                  " to /k%C3%A4se%80",
		"http:joe:s3cr3t@shop.example":                      " to http:",
		"https://shop.example/" + long:                      " to https://shop.example/" + long[:maxTargetBytes-len("https://shop.example/")],
		"?k=s3cr3t":                                         "",
		"":                                                  "",
		"http://joe:s3cr3t@shop.example:port/":              "",
	} {
		t.Run(location[:min(len(location), 60)], func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusFound)
			})
			shop.Start()
			want := ending{Kind: "permanent", Error: "fulfilment answered 302 Found" + want + ": redirects are refused"}
			if diff := cmp.Diff(want, endingOf(fulfil(newClient(t, Config{URL: shop.URL})))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A Location that is no URL must not pass for a broken connection.
func TestMalformedRedirectIsPermanent(t *testing.T) {
	t.Parallel()
	shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Location", "http://%zz")
		w.WriteHeader(http.StatusFound)
	})
	shop.Start()
	want := ending{Kind: "permanent", Error: "fulfilment answered 302 Found: redirects are refused"}
	if diff := cmp.Diff(want, endingOf(fulfil(newClient(t, Config{URL: shop.URL})))); diff != "" {
		t.Error(diff)
	}
}

func TestConnectionRefusedIsTransient(t *testing.T) {
	t.Parallel()
	address := closedURL(t)
	note, err := fulfil(newClient(t, Config{URL: address}))
	want := ending{
		Kind:  "retry",
		Error: "fulfilment did not answer: dial tcp " + strings.TrimPrefix(address, "http://") + ": connect: connection refused",
	}
	if diff := cmp.Diff(want, endingOf(note, err)); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the cause is lost: %v", err)
	}
}

// closedURL is an address that nobody listens on: the port stays taken, by a
// socket that is bound to it and not listening.
func closedURL(t *testing.T) string {
	t.Helper()
	_, name := bound(t)
	return "http://127.0.0.1:" + strconv.Itoa(name.Port)
}

// bound is a socket that does not listen yet, and its address.
func bound(t *testing.T) (fd int, name *syscall.SockaddrInet4) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) }) //nolint:errcheck // the test is over
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	got, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, got.(*syscall.SockaddrInet4)
}

func TestBrokenAnswersAreTransient(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 600)
	tests := map[string]struct{ answer, note, wantError string }{
		"nothing":          {"", "", "fulfilment did not answer: EOF"},
		"not HTTP":         {"SSH-2.0-" + long + "\r\n\r\n", "", `fulfilment did not answer: net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-`},
		"headers too many": {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHeaderBytes) + "\r\n\r\n", "", "fulfilment did not answer: net/http: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) { sayRaw(t, w, tt.answer) })
			shop.Start()
			got := endingOf(fulfil(newClient(t, Config{URL: shop.URL})))
			if got.Kind != "retry" || got.Note != tt.note || !strings.HasPrefix(got.Error, tt.wantError) {
				t.Errorf("got %+v, want a retry with %q and %q", got, tt.note, tt.wantError)
			}
			if len(got.Error) > maxCauseBytes+100 {
				t.Errorf("error of %d bytes", len(got.Error))
			}
		})
	}
}

// sayRaw answers with exactly these bytes and hangs up.
func sayRaw(t *testing.T, w http.ResponseWriter, answer string) {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Errorf("hijack: %v", err)
		return
	}
	defer hangUp(t, conn)
	if _, err := io.WriteString(conn, answer); err != nil {
		t.Logf("answer: %v", err) // the client may hang up first
	}
}

func hangUp(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("hang up: %v", err)
	}
}
