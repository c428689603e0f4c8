package api_test

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const typeCrossSite = "tag:orderprocessor,2026:cross-site"

// secured wants what keeps an answer from pages of other sites, each header once.
func secured(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q; want %q", name, got, want)
		}
	}
	if got := h.Values("Content-Security-Policy"); len(got) != 1 || !strings.HasPrefix(got[0], "default-src '") ||
		!strings.Contains(got[0], "; frame-ancestors 'none'") || strings.Contains(got[0], "//") {
		t.Errorf("Content-Security-Policy is %q", got)
	}
	if got := h.Values("Cache-Control"); len(got) != 1 || !slices.Contains([]string{"no-store", "private, max-age=3600", "no-cache, no-store, no-transform"}, got[0]) {
		t.Errorf("Cache-Control is %q", got)
	}
}

// TestCaching keeps nothing but what pages load.
func TestCaching(t *testing.T) {
	b := open(t)
	b.ask(t, "POST", "/orders", body()).object(t, 201)
	page := string(b.ask(t, "GET", "/monitoring", "").body)
	script := regexp.MustCompile(`/monitoring/static/js/main[^"]+\.js`).FindString(page)
	for target, asset := range map[string]bool{
		"/orders/ord_1": false, "/stats": false, "/health": false, "/openapi.json": false, "/nothing": false,
		"/docs": false, "/docs/swagger-ui.css": true, "/docs/none.css": false,
		"/monitoring": false, "/monitoring/queues/default": false, "/monitoring/api/queues": false,
		"/monitoring/api/queues/default/pending_tasks": false, "/monitoring/api/none": false,
		script: true, "/monitoring/favicon.ico": true, "/monitoring/manifest.json": true,
	} {
		a := b.ask(t, "GET", target, "")
		if got := a.header.Get("Cache-Control") != "no-store"; got != asset {
			t.Errorf("%s is answered %d with %q", target, a.code, a.header.Get("Cache-Control"))
		}
	}
}

// TestCrossSite refuses what a page of another site has a browser send, before the
// user's key is looked at; and nothing that programs or our own pages send.
func TestCrossSite(t *testing.T) {
	b := open(t, withKeys, func(p *parts) { p.cfg.MonitoringWritable = true })
	own := "http://" + b.addr
	rows := []struct {
		name    string
		headers []string
		refused bool
	}{
		{"curl", nil, false},
		{"own page", []string{"Sec-Fetch-Site", "same-origin", "Origin", own}, false},
		{"typed in", []string{"Sec-Fetch-Site", "none"}, false},
		{"own page in an old browser", []string{"Origin", own}, false},
		{"other site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, true},
		{"other host of the site", []string{"Sec-Fetch-Site", "same-site"}, true},
		{"other site that says it is ours", []string{"Sec-Fetch-Site", "cross-site", "Origin", own}, true},
		{"other site in an old browser", []string{"Origin", "https://evil.example"}, true},
		{"other port in an old browser", []string{"Origin", "http://127.0.0.1:1"}, true},
		{"sandbox", []string{"Origin", "null"}, true},
	}
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
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for _, key := range []string{"", "Bearer all-key"} {
				for _, r := range routes {
					a := b.ask(t, r.method, r.path, r.body, append([]string{"Authorization", key}, row.headers...)...)
					crossSite := a.code == 403 && strings.Contains(string(a.body), typeCrossSite)
					if crossSite != row.refused {
						t.Errorf("%s %s is answered %d %.200s", r.method, r.path, a.code, a.body)
					}
				}
				for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
					if a := b.ask(t, method, "/stats", "", append([]string{"Authorization", key}, row.headers...)...); a.code == 403 {
						t.Errorf("%s is answered %d", method, a.code)
					}
				}
			}
		})
	}
}

// TestCrossSiteStoresNothing leaves no trace of what it refuses.
func TestCrossSiteStoresNothing(t *testing.T) {
	b := open(t)
	if p := b.ask(t, "POST", "/orders", body(), "Origin", "https://evil.example").problem(t, 403); p.Type != typeCrossSite {
		t.Errorf("type is %q", p.Type)
	}
	b.ask(t, "POST", "/queues/low/pause", "", "Sec-Fetch-Site", "cross-site").problem(t, 403)
	b.empty(t)
}

// TestMonitoringLoadsNothingFromElsewhere requests everything that Asynqmon's page loads:
// it comes from here, and its policy forbids the rest.
func TestMonitoringLoadsNothingFromElsewhere(t *testing.T) {
	b := open(t)
	for _, start := range []string{"/monitoring", "/monitoring/", "/monitoring/queues/default", "/monitoring/none/of/these"} {
		page := b.ask(t, "GET", start, "")
		policy := page.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'self'; script-src 'self' 'sha256-") || strings.Contains(policy, "script-src 'self' 'unsafe") {
			t.Errorf("%s has the policy %q", start, policy)
		}
		if scripts := strings.Count(string(page.body), "<script>"); scripts != 2 || strings.Count(policy, "'sha256-") != scripts {
			t.Errorf("%s has %d scripts and the policy %q", start, scripts, policy)
		}
		if others := hosts(string(page.body)); len(others) > 0 {
			t.Errorf("%s names %q", start, others)
		}
		loaded := 0
		for _, to := range targets(string(page.body)) {
			u, err := url.Parse(to)
			if err != nil || u.Host != "" || u.Scheme != "" {
				t.Errorf("%s loads %q, %v", start, to, err)
				continue
			}
			if !path.IsAbs(u.Path) {
				t.Errorf("%s loads %q", start, to)
			}
			a := b.ask(t, "GET", u.Path, "")
			if a.code != 200 || len(a.body) == 0 || strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s is %d, %s", to, a.code, a.header.Get("Content-Type"))
			}
			loaded++
		}
		if loaded != 6 || !strings.Contains(string(page.body), `window.FLAG_READ_ONLY="true"`) {
			t.Errorf("%s loads %d files: %s", start, loaded, page.body)
		}
		if head := b.ask(t, "HEAD", start, ""); head.header.Get("Content-Security-Policy") != policy {
			t.Errorf("HEAD has the policy %q", head.header.Get("Content-Security-Policy"))
		}
	}
}

// TestNothingForOperators is on this address: it has one of its own.
func TestNothingForOperators(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	for _, target := range []string{"/metrics", "/metrics/", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/livez", "/readyz"} {
		s.ask(t, "GET", target, "").problem(t, 404)
	}
}
