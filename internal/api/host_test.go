package api_test

import "testing"

// TestForeignHost refuses, where only this machine may connect, browsers that come
// by a name that somebody may have let point here.
func TestForeignHost(t *testing.T) {
	b := open(t, func(p *parts) { p.cfg.LocalOnly = true })
	rows := []struct {
		name, host string
		headers    []string
		code       int
	}{
		{"a program by address", "127.0.0.1:8080", nil, 200},
		{"a program by any name", "orders.example", nil, 200},
		{"a browser by address", "127.0.0.1:8080", []string{"Accept-Language", "en"}, 200},
		{"a browser by IPv6 address", "[::1]:8080", []string{"Accept-Language", "en"}, 200},
		{"a browser by localhost", "LocalHost:8080", []string{"User-Agent", "Mozilla/5.0"}, 200},
		{"a browser by another name", "evil.example:8080", []string{"User-Agent", "Mozilla/5.0"}, 421},
		{"a page that changed its browser's name", "evil.example", []string{"User-Agent", "x", "Accept-Language", "x"}, 421},
		{"a page that names its origin", "evil.example", []string{"Origin", "http://evil.example"}, 421},
		{"a page that names its site", "evil.example", []string{"Sec-Fetch-Site", "same-origin"}, 421},
		{"a name that begins like an address", "127.0.0.1.evil.example", []string{"Referer", "http://127.0.0.1.evil.example/"}, 421},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := b.ask(t, "GET", "/health", "", append([]string{"Host", row.host}, row.headers...)...)
			if row.code == 421 {
				a.problem(t, 421)
				return
			}
			if a.code == 421 {
				t.Errorf("it is answered %d %s", a.code, a.body)
			}
		})
	}
	open := serve(t, parts{Parts: b.parts})
	if a := open.ask(t, "GET", "/stats", "", "Host", "orders.example", "User-Agent", "Mozilla/5.0"); a.code != 200 {
		t.Errorf("where others may connect it is answered %d", a.code)
	}
}
