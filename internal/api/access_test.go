package api_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"orderprocessor/internal/access"
	"orderprocessor/internal/api"

	"orderprocessor/internal/programtest"
)

const (
	typeUnauthorized = "tag:orderprocessor,2026:unauthorized"
	typeForbidden    = "tag:orderprocessor,2026:forbidden"
)

// withKeys has a key for each scope, whose text is that of the scope with -key
// behind it, and one for all of them.
func withKeys(p *parts) {
	p.cfg.Keys = access.Keys{
		api.Scoped("shop", "submit-key", access.Submit),
		api.Scoped("viewer", "read-key", access.Read),
		api.Scoped("operator", "admin-key", access.Admin),
		api.Scoped("all", "all-key", access.Submit, access.Read, access.Admin),
		api.Scoped("shop", "second-key", access.Submit),
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// TestUnknownKeys answers 401 with a challenge for each way to send a key; the package
// access tests which keys are known.
func TestUnknownKeys(t *testing.T) {
	b := open(t, withKeys)
	for headers, code := range map[string]int{
		"Authorization: Bearer read-key\r\n":                     200,
		"authorization: BEARER   read-key  \r\n":                 200,
		"Authorization: " + basic("anyone", "read-key") + "\r\n": 200,
		"":                                    401,
		"Authorization: Bearer read-keys\r\n": 401,
		"Authorization: Bearer read-key\r\nauthorization: Bearer read-key\r\n": 401,
		"X-Api-Key: read-key\r\nProxy-Authorization: Bearer read-key\r\n":      401,
	} {
		all := b.say(t, "GET /queues HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+headers+"\r\n")
		if len(all) != 1 || all[0].code != code {
			t.Errorf("%q is answered %+v", headers, all)
			continue
		}
		if code == 200 {
			continue
		}
		p := all[0].problem(t, 401)
		want := []string{`Bearer realm="orders"`, `Basic realm="orders", charset="UTF-8"`}
		if diff := cmp.Diff(want, all[0].header.Values("Www-Authenticate")); diff != "" || p.Type != typeUnauthorized {
			t.Errorf("type %q, challenges %s", p.Type, diff)
		}
	}
}

// scopeOf returns the scope that a route needs; empty for none.
func scopeOf(method, path string) string {
	if method == "HEAD" {
		method = "GET"
	}
	for _, r := range requests() {
		if r.operation == method+" "+path {
			return r.scope
		}
	}
	switch {
	case path == "/health":
		return ""
	case method == "GET": // pages
		return "read"
	default: // of Asynqmon
		return "admin"
	}
}

// TestEveryRouteHasItsScope asks for every route that Fiber knows with no key and
// with a key of each scope.
func TestEveryRouteHasItsScope(t *testing.T) {
	b := open(t, withKeys)
	fill := strings.NewReplacer("{id}", "ord_1", "{name}", "low", "*", "x")
	routes := b.server.Routes()
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		want := scopeOf(method, path)
		t.Run(route, func(t *testing.T) {
			refused := b.ask(t, method, fill.Replace(path), "")
			if (refused.code == 401) != (want != "") {
				t.Errorf("without a key it is answered %d", refused.code)
			}
			for _, scope := range []string{"submit", "read", "admin"} {
				if route == "GET /events" && scope == want {
					continue // it has no end; HEAD passes the same steps
				}
				a := b.ask(t, method, fill.Replace(path), "", "Authorization", "Bearer "+scope+"-key")
				if want == "" || scope == want {
					if a.code == 401 || a.code == 403 {
						t.Errorf("with the scope %s it is answered %d", scope, a.code)
					}
					continue
				}
				challenge := fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s"`, want)
				if a.code != 403 || a.header.Get("Www-Authenticate") != challenge {
					t.Errorf("with the scope %s it is answered %d, %q", scope, a.code, a.header.Get("Www-Authenticate"))
				}
				if method == "HEAD" {
					continue
				}
				if p := a.problem(t, 403); p.Type != typeForbidden || !strings.Contains(p.Detail, "scope "+want) {
					t.Errorf("type %q, detail %q", p.Type, p.Detail)
				}
			}
		})
	}
	if len(routes) < 40 {
		t.Errorf("there are %d routes", len(routes))
	}
	for _, path := range b.server.Middleware() {
		if path != "/" {
			t.Errorf("%s has a handler before its route: is it a route without a scope?", path)
		}
	}
}

// TestSpecifiedScopes has the specification say of each operation what it needs.
func TestSpecifiedScopes(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths map[string]map[string]yaml.Node
	}
	if err := yaml.Unmarshal(api.Specification(), &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, node := range methods {
			if method == "parameters" {
				continue
			}
			var operation struct{ Security []map[string][]string }
			if err := node.Decode(&operation); err != nil {
				t.Fatal(err)
			}
			want := []map[string][]string{}
			if scope := scopeOf(strings.ToUpper(method), path); scope != "" {
				want = []map[string][]string{{"bearer": {scope}}, {"basic": {scope}}}
			}
			if diff := cmp.Diff(want, operation.Security); diff != "" {
				t.Errorf("%s %s: %s", method, path, diff)
			}
		}
	}
}

// TestAccessComesFirst refuses a request without a key whatever else is wrong with
// it, and before its body has come; and is no help to find out what exists.
func TestAccessComesFirst(t *testing.T) {
	b := open(t, withKeys, func(p *parts) { p.cfg.Ready = func() error { return errors.New("starting") } })
	rows := []struct{ name, method, path, body, media string }{
		{"unknown query", "GET", "/queues?x=1", "", ""},
		{"no JSON", "POST", "/orders", "{", ""},
		{"other media type", "POST", "/orders", "x", "text/plain"},
		{"an order that is there or not", "GET", "/orders/none", "", ""},
		{"no id", "GET", "/orders/%20", "", ""},
		{"no queue", "POST", "/queues/none/pause", "", ""},
		{"bad batch", "POST", "/orders/batch", "x", "text/plain"},
		{"a change in Asynqmon", "DELETE", "/monitoring/api/queues/default", "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b.ask(t, row.method, row.path, row.body, "Content-Type", row.media).problem(t, 401)
		})
	}
	for _, path := range []string{"/orders", "/orders/batch", "/orders/retry", "/monitoring/api/queues/low:pause"} {
		c := b.dial(t)
		// fasthttp reads 8 KiB ahead, and the rest never comes.
		head := "POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n"
		if _, err := io.WriteString(c, head+strings.Repeat(" ", 10_000)); err != nil {
			t.Fatal(err)
		}
		if all := answers(t, c); len(all) != 1 || all[0].code != 401 {
			t.Errorf("%s: %+v", path, all)
		}
	}
	b.ask(t, "GET", "/health", "").object(t, 503)
	b.empty(t)
}

// TestLog holds that requests of which there may be thousands a second stay out of the log,
// and that it names whose key was used and never shows a key.
func TestLog(t *testing.T) {
	b := open(t, withKeys)
	rows := []struct{ id, method, path, body, key, level, name string }{
		{"r-submit", "POST", "/orders", body(), "Bearer second-key", "DEBUG", "shop"},
		{"r-read", "GET", "/orders", "", "Bearer read-key", "DEBUG", "viewer"},
		{"r-invalid", "POST", "/orders", "{", "Bearer submit-key", "INFO", "shop"},
		{"r-pause", "POST", "/queues/low/pause", "", "Bearer admin-key", "INFO", "operator"},
		{"r-forbidden", "GET", "/stats", "", basic("me", "submit-key"), "INFO", "shop"},
		{"r-unknown", "GET", "/stats", "", "Bearer wrong-key", "INFO", ""},
	}
	for _, row := range rows {
		b.ask(t, row.method, row.path, row.body, "Authorization", row.key, "X-Request-Id", row.id)
		var line struct {
			Level string
			Key   string `json:"api_key"`
		}
		programtest.Until(t, row.id+" is in the log", func() bool {
			for text := range strings.Lines(b.log.String()) {
				if strings.Contains(text, `"msg":"request"`) && strings.Contains(text, `"request_id":"`+row.id+`"`) {
					return json.Unmarshal([]byte(text), &line) == nil
				}
			}
			return false
		})
		if line.Level != row.level || line.Key != row.name {
			t.Errorf("the line of %s is %+v", row.id, line)
		}
		if _, key, _ := strings.Cut(row.key, " "); strings.Contains(b.log.String(), key) {
			t.Errorf("the log shows %q", key)
		}
	}
}

// TestKeysOfOneName share their idempotency keys, and those of another name do
// not.
func TestKeysOfOneName(t *testing.T) {
	b := open(t, withKeys)
	text := body("id", "")
	as := func(key, sent string) answer {
		return b.ask(t, "POST", "/orders", sent, "Idempotency-Key", "k", "Authorization", "Bearer "+key)
	}
	batchAs := func(key string) verdict {
		return b.batch(t, text, "Idempotency-Key", "k", "Authorization", "Bearer "+key)[0]
	}
	first := as("submit-key", text)
	first.object(t, 201)
	wantReplay(t, first, as("second-key", text))
	as("second-key", body("id", "", "amount", "1")).problem(t, 422)
	if other := as("all-key", text).object(t, 201); other["id"] == first.object(t, 201)["id"] {
		t.Errorf("two names have the order %v", other["id"])
	}
	one, again, other := batchAs("submit-key"), batchAs("second-key"), batchAs("all-key")
	if one.Status != 201 || again.Status != 200 || other.Status != 201 || one.ID != again.ID || one.ID == other.ID {
		t.Errorf("verdicts are %+v, %+v, %+v", one, again, other)
	}
}
