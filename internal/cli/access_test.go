package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// guarded is an API that takes one key, and keeps what it was shown.
type guarded struct {
	*httptest.Server
	mu    sync.Mutex
	shown []string
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.shown = append(g.shown, r.Header.Values("Authorization")...)
		g.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer ok_right" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, problem(401, "This takes a key.", ""))
			return
		}
		_, _ = io.WriteString(w, `{"queues":[]}`)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *guarded) keys() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.shown)
}

func TestKeyIsSent(t *testing.T) {
	t.Parallel()
	right, wrong := "ORDERCTL_API_KEY=ok_right", "ORDERCTL_API_KEY=ok_wrong"
	for _, tt := range []struct {
		name    string
		environ []string
		file    string // what --key-file holds; none without
		status  int
		says    string
		shown   []string
	}{
		{"environment", []string{right}, "", 0, ``, []string{"Bearer ok_right"}},
		{"file", nil, "ok_right", 0, ``, []string{"Bearer ok_right"}},
		{"file with a line end", nil, " ok_right\r\n", 0, ``, []string{"Bearer ok_right"}},
		{"file before environment", []string{wrong}, "ok_right\n", 0, ``, []string{"Bearer ok_right"}},
		{"none", nil, "", 1, `401: This takes a key; the API requires a key: set ORDERCTL_API_KEY, or name a file .* --key-file`, nil},
		{"empty environment", []string{"ORDERCTL_API_KEY="}, "", 1, `401: .* the API requires a key`, nil},
		{"wrong", []string{wrong}, "", 1, `401: .*; the API does not know this key: is ORDERCTL_API_KEY or --key-file right\?`, []string{"Bearer ok_wrong"}},
		{"empty file", []string{right}, "\n", 2, `key is empty; it should hold the key to the API`, nil},
		{"two words", nil, "ok_secret ok_word\n", 2, `key holds no key: one word of at most 256 characters`, nil},
		{"line break in the environment", []string{"ORDERCTL_API_KEY=ok_secret\r\nX: y"}, "", 2, `ORDERCTL_API_KEY holds no key`, nil},
		{"too long", nil, strings.Repeat("ok_secret", 30), 2, `holds no key`, nil},
		{"endless file", nil, strings.Repeat("ok_secret", 10_000), 2, `holds no key`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newGuarded(t)
			args := []string{"queues", "--api", api.URL}
			if tt.file != "" {
				args = append(args, "--key-file", keyFile(t, tt.file))
			}
			c := orderctlIn(t, world{environ: tt.environ}, args...)
			c.mustEnd(t, tt.status, tt.says)
			if diff := cmp.Diff(tt.shown, api.keys()); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
			if out := c.stdout.String() + c.stderr.String(); strings.Contains(out, "ok_") {
				t.Errorf("the key is shown: %s", out)
			}
		})
	}
}

func TestKeyFileIsMissing(t *testing.T) {
	t.Parallel()
	orderctl(t, "stats", "--key-file", "/nowhere/key").mustEnd(t, 1, `^orderctl: read the key: open /nowhere/key: no such file`)
}

// TestHelpShowsNoKey checks that the environment's key is no flag's default.
func TestHelpShowsNoKey(t *testing.T) {
	t.Parallel()
	c := orderctlIn(t, world{environ: []string{"ORDERCTL_API_KEY=ok_secret"}}, "stats", "--help")
	c.mustEnd(t, 0, `--key-file string +file with the key to the API, instead of ORDERCTL_API_KEY`)
	if strings.Contains(c.stdout.String(), "ok_secret") {
		t.Error("the key is shown")
	}
}

// TestRedirectGetsNoKey sends the key to the API that was named, and nowhere
// else.
func TestRedirectGetsNoKey(t *testing.T) {
	t.Parallel()
	elsewhere := newGuarded(t)
	api := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(api.Close)
	in := world{environ: []string{"ORDERCTL_API_KEY=ok_right"}}
	orderctlIn(t, in, "stats", "--api", api.URL).mustEnd(t, 1, `307: `)
	if got := elsewhere.keys(); got != nil {
		t.Errorf("another server was shown %q", got)
	}
}

// TestBarred tells of a missing scope once, and sends nothing more.
func TestBarred(t *testing.T) {
	t.Parallel()
	const forbidden = 403
	in := world{environ: []string{"ORDERCTL_API_KEY=ok_read"}}
	says := `403: The key lacks the scope admin; this key may not do that: orderctl keys new makes one with other scopes\n$`
	answer := problem(forbidden, "The key lacks the scope admin.", "")

	api := newScript(t, exchange{"POST /orders/a/retry", forbidden, answer})
	orderctlIn(t, in, "retry", "a", "b", "c", "--api", api.URL).mustEnd(t, 1, `orderctl: a was not retried, nor were the 2 after it: `+says)

	api = newScript(t,
		exchange{"GET /health", 200, `{}`},
		exchange{`POST /orders ` + withID("a"), forbidden, answer})
	in.stdin = strings.NewReader(withID("a") + "\n" + withID("b") + "\n")
	orderctlIn(t, in, "submit", "--concurrency", "1", "--api", api.URL).mustEnd(t, 1,
		`accepted +0\n`, `refused +1\n`, `not sent +1 \(from line 2 on\)\n`, `line 1: 403: `, `stopped at line 1: `+says)
}

// TestOverTheRateLimit waits as long as it is told, however often that is.
func TestOverTheRateLimit(t *testing.T) {
	t.Parallel()
	const refusals = 2
	api := newFake(t, func(n int, w http.ResponseWriter) {
		if n > refusals {
			w.WriteHeader(http.StatusCreated)
			return
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, problem(429, "Too many requests.", ""))
	})
	in := world{stdin: strings.NewReader(valid)}
	orderctlIn(t, in, "submit", "--tries", "1", "--api", api.URL).mustEnd(t, 0, `accepted +1\n`)
	if n := len(api.bodies); n != refusals+1 {
		t.Errorf("the order was sent %d times, want %d", n, refusals+1)
	}
}

// TestRateLimitIsReported checks that a command says when it may be repeated, whichever
// form the answer says it in and whatever its clock shows.
func TestRateLimitIsReported(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct{ date, retryAfter string }{
		"seconds":  {"", "7"},
		"decimals": {"", "6.25"},
		"date":     {"Sun, 01 Mar 2026 12:00:00 GMT", "Sun, 01 Mar 2026 12:00:07 GMT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if answer.date != "" {
					w.Header().Set("Date", answer.date)
				}
				w.Header().Set("Retry-After", answer.retryAfter)
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = fmt.Fprint(w, problem(429, "Too many requests.", ""))
			}))
			t.Cleanup(api.Close)
			orderctl(t, "stats", "--api", api.URL).mustEnd(t, 1,
				`^orderctl: get stats: 429: Too many requests; the API accepts no more requests with this key for 7s\n$`)
		})
	}
}

// TestDevWithKeys runs an API that wants keys, and the sample with one of them.
func TestDevWithKeys(t *testing.T) {
	t.Parallel()
	key := newKey(t, "--name", "sample", "--scope", "submit+read")
	in := world{noRedisServer: true, environ: []string{"REDIS_URL=", "ORDERS_API_KEYS=" + key.Line}}
	args := []string{"dev", "--sample", "5", "--http", anyPort}
	orderctlIn(t, in, args...).mustEnd(t, 1, `401: .*; the API requires a key: set ORDERCTL_API_KEY`)
	in.environ = append(in.environ, "ORDERCTL_API_KEY="+key.Key)
	orderctlIn(t, in, args...).mustEnd(t, 0, `Every order ended as the rules say`)
}
