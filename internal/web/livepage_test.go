package web

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// maxPageBytes bounds all files of the live page together, as they are sent, so that it
// opens quickly on a telephone.
const maxPageBytes = 200_000

// TestLivePageFiles checks that the live page interprets no text as markup or code, and that
// it loads every file.
func TestLivePageFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	index := s.ask(t, "GET", "/")
	if found := regexp.MustCompile(`<script>|<style|\son[a-z]+=|\sstyle=|javascript:`).FindString(index.body); found != "" {
		t.Errorf("the page has %q inline", found)
	}
	loaded := map[string]bool{}
	for next := index.loads(t, "/"); len(next) > 0; next = next[1:] {
		if loaded[path.Base(next[0])] {
			continue
		}
		loaded[path.Base(next[0])] = true
		next = append(next, s.ask(t, "GET", next[0]).loads(t, next[0])...)
	}
	files, version, err := readPageFiles()
	if err != nil {
		t.Fatal(err)
	}
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.on[a-z]+ *= *"`)
	size, base := 0, LivePageFiles+version+"/"
	for name, file := range files {
		size += len(file.content)
		if name != pageIndex && !loaded[name] {
			t.Errorf("nothing loads %s", name)
		}
		if found := markup.Find(file.content); found != nil {
			t.Errorf("%s has %q, which would read a text as markup or code", name, found)
		}
		if served := s.ask(t, "GET", base+name); strings.Contains(served.body, "{{") || served.code == 200 && served.header.Get("Content-Type") != file.mediaType {
			t.Errorf("%s is %d %s %s", name, served.code, served.header.Get("Content-Type"), served.body)
		}
	}
	if size > maxPageBytes {
		t.Errorf("the files have %d bytes; want at most %d", size, maxPageBytes)
	}
	for _, target := range []string{
		"/page/", "/page/main.js", "/page/000000000000/main.js", base, base + "none.js", base + "index.html",
		base + "../main.js", base + "%6dain.js", base + "..%2f..%2fpage.go",
	} {
		if a := s.ask(t, "GET", target); a.code != 404 {
			t.Errorf("%s is %d", target, a.code)
		}
	}
}
