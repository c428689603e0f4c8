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

// withKeys configures a key for each scope, whose text is the scope and "-key", one with
// all scopes, and a second one of the same name.
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

// TestUnauthorized answers 401 with a challenge for each way to send a key. Package access
// tests which keys are known.
func TestUnauthorized(t *testing.T) {
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
		a := b.askRaw(t, "GET /queues HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+headers+"\r\n")
		if a.object(t, code); code == 200 {
			continue
		}
		p := a.problem(t, 401)
		want := []string{`Bearer realm="orders"`, `Basic realm="orders", charset="UTF-8"`}
		if diff := cmp.Diff(want, a.header.Values("Www-Authenticate")); diff != "" || p.Type != typeUnauthorized {
			t.Errorf("type %q, challenges %s", p.Type, diff)
		}
	}
}

// scopeOf returns the scope that a route needs, or an empty string for none.
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

// TestEveryRouteHasItsScope requests every route that Fiber knows without a key and with a
// key of each scope.
func TestEveryRouteHasItsScope(t *testing.T) {
	b := open(t, withKeys)
	fill := strings.NewReplacer("{id}", "ord_1", "{name}", "low", "*", "x")
	routes := b.server.Routes()
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		want := scopeOf(method, path)
		refused := b.ask(t, method, fill.Replace(path), "")
		if (refused.code == 401) != (want != "") {
			t.Errorf("%s without a key is answered %d", route, refused.code)
		}
		for _, scope := range []string{"submit", "read", "admin"} {
			if route == "GET /events" && scope == want {
				continue // it has no end; HEAD passes the same steps
			}
			a := b.ask(t, method, fill.Replace(path), "", "Authorization", "Bearer "+scope+"-key")
			if want == "" || scope == want {
				if a.code == 401 || a.code == 403 {
					t.Errorf("%s with the scope %s is answered %d", route, scope, a.code)
				}
				continue
			}
			challenge := fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s"`, want)
			if a.code != 403 || a.header.Get("Www-Authenticate") != challenge {
				t.Errorf("%s with the scope %s is answered %d, %q", route, scope, a.code, a.header.Get("Www-Authenticate"))
			}
			if method == "HEAD" {
				continue
			}
			if p := a.problem(t, 403); p.Type != typeForbidden || !strings.Contains(p.Detail, "scope "+want) {
				t.Errorf("%s: type %q, detail %q", route, p.Type, p.Detail)
			}
		}
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

// TestSpecifiedScopes checks that the specification has the scope of each operation.
func TestSpecifiedScopes(t *testing.T) {
	t.Parallel()
	var doc struct{ Paths map[string]map[string]any }
	must(t, yaml.Unmarshal(api.Specification(), &doc))
	for path, methods := range doc.Paths {
		for method, node := range methods {
			operation, ok := node.(map[string]any)
			if !ok {
				continue // the parameters of the path
			}
			want := []any{}
			if scope := scopeOf(strings.ToUpper(method), path); scope != "" {
				want = []any{map[string]any{"bearer": []any{scope}}, map[string]any{"basic": []any{scope}}}
			}
			if diff := cmp.Diff(any(want), operation["security"]); diff != "" {
				t.Errorf("%s %s: %s", method, path, diff)
			}
		}
	}
}

// TestAccessComesFirst refuses a request without a key whatever else is wrong with it, and
// before its body has arrived. The answer does not reveal what exists.
func TestAccessComesFirst(t *testing.T) {
	b := open(t, withKeys, func(p *parts) { p.cfg.Ready = func() error { return errors.New("starting") } })
	for _, row := range []struct{ method, path, body, media string }{
		{"GET", "/queues?x=1", "", ""},
		{"POST", "/orders", "{", ""},
		{"POST", "/orders", "x", "text/plain"},
		{"GET", "/orders/none", "", ""},
		{"GET", "/orders/%20", "", ""},
		{"POST", "/queues/none/pause", "", ""},
		{"POST", "/orders/batch", "x", "text/plain"},
		{"DELETE", "/monitoring/api/queues/default", "", ""},
	} {
		b.ask(t, row.method, row.path, row.body, "Content-Type", row.media).problem(t, 401)
	}
	for _, path := range []string{"/orders", "/orders/batch", "/orders/retry", "/monitoring/api/queues/low:pause"} {
		c := b.dial(t)
		// fasthttp reads 8 KiB in advance, and the rest never arrives.
		head := "POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n"
		_, err := io.WriteString(c, head+strings.Repeat(" ", 10_000))
		must(t, err)
		if all := readAnswers(t, c); len(all) != 1 || all[0].code != 401 {
			t.Errorf("%s: %+v", path, all)
		}
	}
	b.ask(t, "GET", "/health", "").object(t, 503)
	b.checkEmpty(t)
}

// TestLog checks that requests of which there may be thousands a second are logged at the
// level debug, and that the log has the names of keys and never a key.
func TestLog(t *testing.T) {
	b := open(t, withKeys)
	for _, row := range []struct{ id, method, path, body, key, level, name string }{
		{"r-submit", "POST", "/orders", body(), "Bearer second-key", "DEBUG", "shop"},
		{"r-read", "GET", "/orders", "", "Bearer read-key", "DEBUG", "viewer"},
		{"r-invalid", "POST", "/orders", "{", "Bearer submit-key", "INFO", "shop"},
		{"r-pause", "POST", "/queues/low/pause", "", "Bearer admin-key", "INFO", "operator"},
		{"r-forbidden", "GET", "/stats", "", basic("me", "submit-key"), "INFO", "shop"},
		{"r-unknown", "GET", "/stats", "", "Bearer wrong-key", "INFO", ""},
	} {
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
	const inPath = "ok_canary-canary-canary-canary-canary-canary-ca" // somebody took it for an id
	a := b.ask(t, "GET", "/orders/"+inPath, "", "Authorization", "Bearer read-key")
	if a.problem(t, 404); strings.Contains(string(a.body)+b.log.String(), "canary") {
		t.Errorf("the answer is %s, the log is %s", a.body, b.log)
	}
}

// TestKeysOfOneName checks that API keys of one name share their idempotency keys, and
// those of different names do not.
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
	checkReplay(t, first, as("second-key", text))
	as("second-key", body("id", "", "amount", "1")).problem(t, 422)
	if other := as("all-key", text).object(t, 201); other["id"] == first.object(t, 201)["id"] {
		t.Errorf("two names have the order %v", other["id"])
	}
	one, again, other := batchAs("submit-key"), batchAs("second-key"), batchAs("all-key")
	if one.Status != 201 || again.Status != 200 || other.Status != 201 || one.ID != again.ID || one.ID == other.ID {
		t.Errorf("verdicts are %+v, %+v, %+v", one, again, other)
	}
}

// TestCrossSite refuses changes that a browser sends for a page of another site, before it
// checks the key, and nothing that programs or our own pages send.
func TestCrossSite(t *testing.T) {
	b := open(t, withKeys, func(p *parts) { p.cfg.MonitoringWritable = true })
	own := "http://" + b.addr
	routes := []struct{ method, path, body string }{
		{"POST", "/orders", body()},
		{"POST", "/orders/batch", "[" + body() + "]"},
		{"POST", "/orders/ord_1/cancel", ""},
		{"POST", "/orders/retry", `{"status":"failed"}`},
		{"POST", "/queues/low/pause", ""},
		{"POST", "/monitoring/api/queues/low:pause", ""},
		{"DELETE", "/monitoring/api/queues/low", ""},
		{"PUT", "/orders", ""},
		{"PATCH", "/monitoring", ""},
		{"POST", "/nothing", ""},
		{"POST", "/health", ""},
		{"POST", "/docs", ""},
	}
	for _, row := range []struct {
		headers []string
		refused bool
	}{
		{nil, false},
		{[]string{"Sec-Fetch-Site", "same-origin", "Origin", own}, false},
		{[]string{"Sec-Fetch-Site", "none"}, false},
		{[]string{"Origin", own}, false},
		{[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, true},
		{[]string{"Sec-Fetch-Site", "same-site"}, true},
		{[]string{"Sec-Fetch-Site", "cross-site", "Origin", own}, true},
		{[]string{"Origin", "https://evil.example"}, true},
		{[]string{"Origin", "http://127.0.0.1:1"}, true},
		{[]string{"Origin", "null"}, true},
	} {
		for _, key := range []string{"", "Bearer all-key"} {
			headers := append([]string{"Authorization", key}, row.headers...)
			for _, r := range routes {
				a := b.ask(t, r.method, r.path, r.body, headers...)
				crossSite := a.code == 403 && strings.Contains(string(a.body), typeCrossSite)
				if crossSite != row.refused || crossSite && a.problem(t, 403).Type != typeCrossSite {
					t.Errorf("%s %s with %q is answered %d %.200s", r.method, r.path, headers, a.code, a.body)
				}
			}
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				if a := b.ask(t, method, "/stats", "", headers...); a.code == 403 {
					t.Errorf("%s with %q is answered %d", method, headers, a.code)
				}
			}
		}
	}
	events := b.ask(t, "GET", "/events", "", "Authorization", "Bearer all-key", "Sec-Fetch-Site", "cross-site")
	if p := events.problem(t, 403); p.Type != typeCrossSite {
		t.Errorf("a subscription of another site's page is answered %+v", p)
	}
}
