package api_test

import (
	"net/http"
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
					if crossSite != row.refused || crossSite && a.problem(t, 403).Type != typeCrossSite {
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
