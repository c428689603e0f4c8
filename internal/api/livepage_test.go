package api_test

import (
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// maxPageBytes bounds all files of the live page together: it opens at once, on a
// telephone as well.
const maxPageBytes = 100_000

// pageAddress is what a file of the live page is loaded by.
var pageAddress = regexp.MustCompile(`/page/[0-9a-f]{12}/[a-z.]+`)

// page returns the live page.
func (s *site) page(t *testing.T) answer {
	t.Helper()
	a := s.ask(t, "GET", "/", "")
	if a.code != http.StatusOK {
		t.Fatalf("the page is %d %s", a.code, a.body)
	}
	return a
}

// loaded requests everything that the page loads, and returns the answers by file name.
func (s *site) loaded(t *testing.T) map[string]answer {
	t.Helper()
	files := map[string]answer{}
	next := pageAddress.FindAllString(string(s.page(t).body), -1)
	for len(next) > 0 {
		address := next[0]
		next = next[1:]
		name := path.Base(address)
		if _, seen := files[name]; seen {
			continue
		}
		a := s.ask(t, "GET", address, "")
		if a.code != http.StatusOK {
			t.Errorf("%s is %d %s", address, a.code, a.body)
		}
		files[name] = a
		for _, found := range regexp.MustCompile(`from "\./([a-z.]+)"`).FindAllSubmatch(a.body, -1) {
			next = append(next, path.Dir(address)+"/"+string(found[1]))
		}
	}
	return files
}

// TestPage is served with all that it loads, and nothing from anywhere else: no file
// is missing and none is there in vain.
func TestPage(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	index := s.page(t)
	if got := index.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	if got := index.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	if got := index.header.Get("Content-Security-Policy"); got != policy {
		t.Errorf("Content-Security-Policy is %q", got)
	}
	files := s.loaded(t)
	files["index.html"] = index
	entries, err := os.ReadDir("../web/page")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	size := 0
	for _, entry := range entries {
		want = append(want, entry.Name())
		info, err := fs.Stat(os.DirFS("../web/page"), entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		size += int(info.Size())
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("loaded is not what is there: %s", diff)
	}
	if size > maxPageBytes {
		t.Errorf("the files have %d bytes; want at most %d", size, maxPageBytes)
	}
}

// TestPageAssets have the types that browsers insist on, and may be kept for as long
// as the program is the same.
func TestPageAssets(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.on[a-z]+ *= *"`)
	for name, a := range s.loaded(t) {
		if got := a.header.Get("Content-Type"); got != types[path.Ext(name)] {
			t.Errorf("%s is of the type %q", name, got)
		}
		if got := a.header.Get("Cache-Control"); got != "private, max-age=3600" {
			t.Errorf("%s has Cache-Control %q", name, got)
		}
		if others := hosts(string(a.body)); len(others) > 0 {
			t.Errorf("%s names %q", name, others)
		}
		if found := markup.FindString(string(a.body)); found != "" {
			t.Errorf("%s has %q, which would read a text as markup or code", name, found)
		}
		if strings.Contains(string(a.body), "{{") {
			t.Errorf("%s still has a mark in it", name)
		}
	}
	index := string(s.page(t).body)
	if others := hosts(index); len(others) > 0 {
		t.Errorf("the page names %q", others)
	}
	if found := regexp.MustCompile(`<script>|<style|\son[a-z]+=|\sstyle=|javascript:`).FindString(index); found != "" {
		t.Errorf("the page has %q inline", found)
	}
}

// TestPageHead answers HEAD as GET, without the body.
func TestPageHead(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	for _, target := range []string{"/", pageAddress.FindString(string(s.page(t).body))} {
		get, head := s.ask(t, "GET", target, ""), s.ask(t, "HEAD", target, "")
		if head.code != http.StatusOK || len(head.body) != 0 {
			t.Errorf("HEAD %s is %d with %d bytes", target, head.code, len(head.body))
		}
		for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control", "Content-Security-Policy"} {
			if got, want := head.header.Get(name), get.header.Get(name); got != want || got == "" {
				t.Errorf("HEAD %s has %s %q; GET has %q", target, name, got, want)
			}
		}
	}
}

// TestPageOfOthers is not here: files that there are not, and those of another
// version.
func TestPageOfOthers(t *testing.T) {
	t.Parallel()
	s := serve(t, parts{})
	asset := pageAddress.FindString(string(s.page(t).body))
	here, other := path.Dir(asset), "/page/000000000000"
	for _, target := range []string{
		"/page/", "/page/main.js", other + "/main.js", here + "/", here + "/none.js", here + "/index.html",
		here + "/../" + path.Base(here) + "/main.js", here + "/%6dain.js", here + "/..%2f..%2fpage.go", "/index.html",
	} {
		s.ask(t, "GET", target, "").problem(t, http.StatusNotFound)
	}
	s.ask(t, "POST", "/", "{}").problem(t, http.StatusMethodNotAllowed)
}

// TestPageWantsAKey shows nothing to those who may not read, where there are keys.
func TestPageWantsAKey(t *testing.T) {
	t.Parallel()
	p := parts{}
	withKeys(&p)
	s := serve(t, p)
	for _, target := range []string{"/", "/page/000000000000/main.js"} {
		if a := s.ask(t, "GET", target, ""); a.code != http.StatusUnauthorized || len(a.header.Values("Www-Authenticate")) != 2 {
			t.Errorf("%s without a key is %d, %v", target, a.code, a.header)
		}
		s.ask(t, "GET", target, "", "Authorization", "Bearer submit-key").problem(t, http.StatusForbidden)
	}
	if a := s.ask(t, "GET", "/", "", "Authorization", basic("me", "read-key")); a.code != http.StatusOK {
		t.Errorf("with a key that reads it is %d", a.code)
	}
}
