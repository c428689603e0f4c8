package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"orderprocessor/internal/api"
)

// TestSpecification serves the document as it is, and the same as JSON.
func TestSpecification(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	asYAML := s.ask(t, "GET", "/openapi.yaml", "")
	if asYAML.code != 200 || asYAML.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("answer is %d, %v", asYAML.code, asYAML.header)
	}
	file, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(api.Specification()), string(asYAML.body)); diff != "" || string(file) != string(asYAML.body) {
		t.Errorf("the document is another: %s", diff)
	}
	asJSON := s.ask(t, "GET", "/openapi.json", "")
	if got := asJSON.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
	var want any
	if err := yaml.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, any(asJSON.object(t, 200))); diff != "" {
		t.Error(diff)
	}
}

// targets lists what a page or a style sheet has others load.
func targets(text string) []string {
	var all []string
	for _, form := range []string{`(?:src|href)\s*=\s*["']?([^"'\s>]+)`, `url\(\s*["']?([^"')]+)`, `@import\s+["']([^"']+)`} {
		for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// hosts lists the other hosts that a text names, outside of comments and of the
// names of XML.
func hosts(text string) []string {
	for _, comment := range []string{`(?s)<!--.*?-->`, `(?s)/\*.*?\*/`} {
		text = regexp.MustCompile(comment).ReplaceAllString(text, "")
	}
	var all []string
	for _, found := range regexp.MustCompile(`(?:[a-z]+:)?//[\w-]+(?:\.[\w-]+)+`).FindAllString(text, -1) {
		if !strings.HasSuffix(found, "//www.w3.org") {
			all = append(all, found)
		}
	}
	return all
}

// plain reads a body that may be compressed.
func plain(t *testing.T, a answer) string {
	t.Helper()
	if a.header.Get("Content-Encoding") != "gzip" {
		return string(a.body)
	}
	r, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocumentation is served whole by this server: the pages, all that they
// load, and nothing from anywhere else.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	seen := map[string]bool{}
	kinds := map[string]int{}
	for next := []string{"/docs"}; len(next) > 0; {
		target := next[0]
		next = next[1:]
		if seen[target] {
			continue
		}
		seen[target] = true
		a := s.ask(t, "GET", target, "")
		kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
		if a.code != 200 || len(a.body) == 0 || err != nil {
			t.Errorf("%s is %d %.100s, %v", target, a.code, a.body, a.header)
			continue
		}
		kinds[kind[strings.Index(kind, "/")+1:]]++
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") || strings.Contains(policy, "http") {
			t.Errorf("%s has the policy %q", target, policy)
		}
		if text := plain(t, s.ask(t, "GET", target, "", "Accept-Encoding", "gzip, deflate, br, zstd")); text != string(a.body) {
			t.Errorf("%s is %d bytes, and %d to a browser", target, len(a.body), len(text))
		}
		if kind != "text/html" && kind != "text/css" {
			continue
		}
		if others := hosts(string(a.body)); len(others) > 0 {
			t.Errorf("%s refers to %q", target, others)
		}
		for _, to := range targets(string(a.body)) {
			if u, err := url.Parse(to); err != nil || u.Host != "" {
				t.Errorf("%s loads %q, %v", target, to, err)
			} else if u.Scheme == "" && u.Path != "" {
				next = append(next, path.Join(path.Dir(target), u.Path))
			}
		}
	}
	if kinds["html"] != 1 || kinds["css"] == 0 || kinds["javascript"] == 0 {
		t.Errorf("served are %v: %v", kinds, seen)
	}
	if page := string(s.ask(t, "GET", "/docs", "").body); !strings.Contains(page, "/openapi.json") {
		t.Errorf("the page does not show the specification: %s", page)
	}
}
