package cli_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newKeyedAPI returns an API that knows one key.
func newKeyedAPI(t *testing.T) *fakeAPI {
	t.Helper()
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := reply{body: `{"queues":[]}`}
		if r.Header.Get("Authorization") != "Bearer ok_right" {
			answer = reply{status: 401, body: problem(401, "This takes a key.", "")}
		}
		answer.write(w, r)
	}))
}

// keys returns the keys that were sent.
func (f *fakeAPI) keys() (keys []string) {
	for _, r := range f.requests() {
		if r.key != "" {
			keys = append(keys, r.key)
		}
	}
	return keys
}

func TestKeyIsSent(t *testing.T) {
	t.Parallel()
	const right, wrong, unknown = "ORDERCTL_API_KEY=ok_right", "ORDERCTL_API_KEY=ok_wrong", `401: .* the API requires a key`
	accepted := []string{"Bearer ok_right"}
	for _, tt := range []struct {
		name    string
		environ string
		file    string // the content of the file of --key-file; empty for none
		status  int
		want    string
		sent    []string
	}{
		{"environment", right, "", 0, ``, accepted},
		{"a mark in the environment", "ORDERCTL_API_KEY=\ufeffok_right\n", "", 0, ``, accepted},
		{"file with a line end", "", " ok_right\r\n", 0, ``, accepted},
		{"file in UTF-16", "", "\xff\xfeo\x00k\x00_\x00r\x00i\x00g\x00h\x00t\x00\n\x00", 0, ``, accepted},
		{"file before environment", wrong, "ok_right\n", 0, ``, accepted},
		{"none", "", "", 1, `401: This takes a key; the API requires a key: set ORDERCTL_API_KEY, or name a file .* --key-file`, nil},
		{"empty environment", "ORDERCTL_API_KEY=", "", 1, unknown, nil},
		{"wrong", wrong, "", 1, `401: .*; the API does not know this key: is ORDERCTL_API_KEY or --key-file right\?`, []string{"Bearer ok_wrong"}},
		{"empty file", right, "\ufeff \n", 2, `key is empty; it should hold the key to the API`, nil},
		{"two words", "", "ok_secret ok_word\n", 2, `key holds no key: one word of at most 256 characters`, nil},
		{"line break in the environment", "ORDERCTL_API_KEY=ok_secret\r\nX: y", "", 2, `ORDERCTL_API_KEY holds no key`, nil},
		{"too long", "", strings.Repeat("ok_secret", 30), 2, `holds no key`, nil},
		{"endless file", "", strings.Repeat("ok_secret", 10_000), 2, `holds no key`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newKeyedAPI(t)
			args := []string{"queues", "--api", "\t" + api.URL + " \n"}
			if tt.file != "" {
				args = append(args, "--key-file", keyFile(t, tt.file))
			}
			c := orderctlIn(t, world{environ: []string{tt.environ}}, args...)
			c.mustExit(t, tt.status, tt.want)
			if diff := cmp.Diff(tt.sent, api.keys()); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
			if out := c.stdout.String() + c.stderr.String(); strings.Contains(out, "ok_") {
				t.Errorf("the key is shown: %s", out)
			}
		})
	}
	orderctl(t, "stats", "--key-file", "/nowhere/key").mustExit(t, 1, `^orderctl: read the key: open /nowhere/key: no such file`)
}

// TestMissingScope checks that a missing scope is reported once and ends the command.
func TestMissingScope(t *testing.T) {
	t.Parallel()
	const want = "403: The key lacks the scope admin; this key may not do that: orderctl keys new makes one with other scopes\n"
	answer := problem(403, "The key lacks the scope admin.", "")
	runScripted(t, scripted{
		"retry", "ORDERCTL_API_KEY=ok_read retry a b c",
		[]exchange{{"POST /orders/a/retry", 403, answer}},
		1, "", "orderctl: a was not retried, nor were the 2 after it: " + want,
	})
	api := newScript(t, exchange{"GET /health", 200, `{}`}, exchange{`POST /orders ` + withID("a"), 403, answer})
	in := world{environ: []string{"ORDERCTL_API_KEY=ok_read"}, stdin: strings.NewReader(withID("a") + "\n" + withID("b") + "\n")}
	orderctlIn(t, in, "submit", "--concurrency", "1", "--api", api.URL).mustExit(t, 1,
		`accepted +0\n`, `refused +1\n`, `not sent +1 \(from line 2 on\)\n`, `line 1: 403: `, `stopped at line 1: `+want+"$")
}

// TestRateLimitIsReported checks that a command reports when it may be repeated.
func TestRateLimitIsReported(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, routes{"/": {{
		status: 429, headers: "Date: Sun, 01 Mar 2026 12:00:00 GMT\nRetry-After: Sun, 01 Mar 2026 12:00:07 GMT",
	}}})
	orderctl(t, "stats", "--api", api.URL).mustExit(t, 1,
		`^orderctl: get stats: 429: Too Many Requests; the API accepts no more requests with this key for 7s\n$`)
}

// TestDevWithKeys runs an API that wants keys, and the sample with one of them.
func TestDevWithKeys(t *testing.T) {
	t.Parallel()
	key := newKey(t, "--name", "sample", "--scope", "submit+read")
	in := world{lookPath: notFound, environ: []string{"REDIS_URL=", "ORDERS_API_KEYS=" + key.Line}}
	args := []string{"dev", "--sample", "5", "--http", anyPort}
	orderctlIn(t, in, args...).mustExit(t, 1, `401: .*; the API requires a key: set ORDERCTL_API_KEY`)
	in.environ = append(in.environ, "ORDERCTL_API_KEY="+key.Key)
	orderctlIn(t, in, args...).mustExit(t, 0, `Every order ended as the rules say`)
}

// TestAddressOfTheAPI checks that a wrong address names what is missing in it, or how it
// is written, and shows no password.
func TestAddressOfTheAPI(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"localhost:8080":             `"localhost:8080": http:// is missing: http://localhost:8080\n`,
		"[::1]:8080":                 `http:// is missing: http://\[::1\]:8080\n`,
		"localhost":                  `must look like http://127\.0\.0\.1:8080, not "localhost": http:// is missing: http://localhost\n`,
		"orders.example.com/base":    `http:// is missing: http://orders\.example\.com/base\n`,
		"user:secret@host:80":        `http:// is missing: http://user:xxxxx@host:80\n`,
		"ftp://host":                 `must look like http://127\.0\.0\.1:8080, not "ftp://host"\n`,
		"http://:8080":               `must look like`,
		":8080":                      `must look like http://127\.0\.0\.1:8080`,
		"http://bücher.example:8080": `punycode: xn--bcher-kva\.example\n`,
	} {
		c := orderctl(t, "stats", "--api", address)
		c.mustExit(t, 2, want)
		if text := c.stderr.String(); strings.Contains(text, "secret") {
			t.Errorf("the password is shown: %s", text)
		}
	}
	orderctl(t, "stats", "--api", "http://xn--bcher-kva.invalid").mustExit(t, 1, `no answer from the API`)
}

// TestEnvironmentNamesTheAPI checks that --api has precedence over the environment.
func TestEnvironmentNamesTheAPI(t *testing.T) {
	t.Parallel()
	in := world{environ: []string{"ORDERCTL_API=\ufeff http://127.0.0.1:1\n"}}
	orderctlIn(t, in, "stats").mustExit(t, 1, `^orderctl: get stats: no answer from the API at http://127.0.0.1:1: .*refused.*\n$`)
	orderctlIn(t, in, "stats", "--api", "http://127.0.0.1:2").mustExit(t, 1, `http://127.0.0.1:2: `)
	in.environ = []string{"ORDERCTL_API= \n", "ORDERCTL_API_KEY=ok_secret"}
	c := orderctlIn(t, in, "stats", "--help")
	c.mustExit(t, 0, `default "http://127.0.0.1:8080"`, `--key-file string +file with the key to the API, instead of ORDERCTL_API_KEY`)
	if strings.Contains(c.stdout.String(), "ok_secret") {
		t.Error("the key is shown as a default")
	}
}
