package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

// site serves all pages.
type site struct{ app *fiber.App }

// answer is what came back of one request.
type answer struct {
	code   int
	header http.Header
	body   string
}

func newSite(t *testing.T) site {
	t.Helper()
	page, err := LivePage()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := NewSpecification("openapi: 3.1.0")
	if err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}) // never connects
	t.Cleanup(func() { _ = rdb.Close() })
	s := site{fiber.New()}
	for target, handler := range map[string]fiber.Handler{
		LivePagePath: page, LivePageFiles + "*": page, ReaderPath: spec.Reader, ReaderPath + "/*": spec.Reader,
		AsynqmonPath: Asynqmon(rdb, false), AsynqmonPath + "/*": Asynqmon(rdb, false),
	} {
		s.app.Get(target, handler)
	}
	return s
}

func (s site) ask(t *testing.T, method, target string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://a"+target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Request-Id", "r-1")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var reader io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if reader, err = gzip.NewReader(reader); err != nil {
			t.Fatal(err)
		}
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(reader); err != nil {
		t.Fatal(err)
	}
	resp.Header.Del("Date") // answers are compared
	return answer{resp.StatusCode, resp.Header, body.String()}
}

// loads lists what a page, a style sheet or a module loads, as absolute paths.
func (a answer) loads(t *testing.T, from string) (all []string) {
	t.Helper()
	for _, form := range []string{
		`\bsrc\s*=\s*["']?([^"'\s>]+)`, `<link\b[^>]*\bhref\s*=\s*["']?([^"'\s>]+)`, `url\(\s*["']?([^"')]+)`, `@import\s+["']([^"']+)`, `from "(\./[a-z.]+)"`,
	} {
		for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(a.body, -1) {
			u, err := url.Parse(m[1])
			switch {
			case err != nil || u.Host != "":
				t.Errorf("%s loads %q, %v", from, m[1], err)
			case u.Scheme != "" || u.Path == "":
			case path.IsAbs(u.Path):
				all = append(all, u.Path)
			default:
				all = append(all, path.Join(path.Dir(from), u.Path))
			}
		}
	}
	return all
}

// comments are those of HTML and of scripts and style sheets.
var comments = regexp.MustCompile(`(?s)<!--.*?-->|/\*.*?\*/`)

// foreign lists the other hosts that a text names, outside of comments and of the names
// of XML.
func foreign(text string) (all []string) {
	for _, host := range regexp.MustCompile(`(?:[a-z]+:)?//[\w-]+(?:\.[\w-]+)+`).FindAllString(comments.ReplaceAllString(text, ""), -1) {
		if !strings.HasSuffix(host, "//www.w3.org") {
			all = append(all, host)
		}
	}
	return all
}

// TestPages requests each page and everything that it loads, as a browser does. Nothing
// comes from another host, nothing is missing, and the page's policy forbids the rest.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const others = "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	types := map[string]string{
		".html": "text/html", ".css": "text/css", ".js": "javascript", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/", "": "",
	}
	for _, row := range []struct {
		path    string
		scripts int
		loads   int
		has     string
	}{
		{"/", 0, 37, `<script type="module"`},
		{"/docs", 2, 5, "/openapi.json"},
		{"/monitoring", 2, 6, `window.FLAG_READ_ONLY="true"`},
		{"/monitoring/", 2, 6, `window.FLAG_READ_ONLY="true"`},
		{"/monitoring/queues/default", 2, 6, `window.FLAG_READ_ONLY="true"`},
		{"/monitoring/none/of/these", 2, 6, `window.FLAG_READ_ONLY="true"`},
	} {
		t.Run(row.path, func(t *testing.T) {
			page := s.ask(t, "GET", row.path)
			policy := page.header.Get("Content-Security-Policy")
			if want := "default-src 'self'; script-src 'self'" + scriptHashes([]byte(page.body)) + others; policy != want ||
				strings.Count(policy, "'sha256-") != row.scripts || strings.Count(page.body, "<script>") != row.scripts {
				t.Errorf("the policy is %q", policy)
			}
			if page.code != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || !strings.Contains(page.body, row.has) {
				t.Errorf("the page is %d %s %s", page.code, page.header.Get("Content-Type"), page.body)
			}
			if got := page.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q", got)
			}
			if hosts := foreign(page.body); len(hosts) > 0 {
				t.Errorf("the page names %q", hosts)
			}
			if head := s.ask(t, "HEAD", row.path); head.code != 200 || head.body != "" || cmp.Diff(page.header, head.header) != "" {
				t.Errorf("HEAD is %d with %d bytes: %s", head.code, len(head.body), cmp.Diff(page.header, head.header))
			}
			seen := map[string]bool{}
			for next := page.loads(t, row.path); len(next) > 0; next = next[1:] {
				if seen[next[0]] {
					continue
				}
				seen[next[0]] = true
				a := s.ask(t, "GET", next[0])
				if a.code != 200 || a.body == "" || !strings.Contains(a.header.Get("Content-Type"), types[path.Ext(next[0])]) {
					t.Errorf("%s is %d %s, %d bytes", next[0], a.code, a.header.Get("Content-Type"), len(a.body))
				}
				if got := a.header.Get("Cache-Control"); got != "private, max-age=3600" {
					t.Errorf("%s has Cache-Control %q", next[0], got)
				}
				if got := a.header.Get("Content-Security-Policy"); got != "default-src 'self'; script-src 'self'"+others {
					t.Errorf("%s has the policy %q", next[0], got)
				}
				if again := s.ask(t, "GET", next[0], "Accept-Encoding", "gzip, deflate, br, zstd"); again.body != a.body {
					t.Errorf("%s is %d bytes, and %d to a browser", next[0], len(a.body), len(again.body))
				}
				if strings.HasSuffix(next[0], ".css") || strings.HasPrefix(next[0], LivePageFiles) {
					if hosts := foreign(a.body); len(hosts) > 0 {
						t.Errorf("%s names %q", next[0], hosts)
					}
					next = append(next, a.loads(t, next[0])...)
				}
			}
			if len(seen) != row.loads {
				t.Errorf("%d files are loaded: %v", len(seen), seen)
			}
		})
	}
}
