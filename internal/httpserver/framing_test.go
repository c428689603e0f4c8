package httpserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestFraming recognises headers that other servers may read differently.
func TestFraming(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, header string
		loose, two   bool
	}{
		{"ordinary", "Host: a\r\nContent-Length: 2\r\n\r\n", false, false},
		{"bare line feed", "Host: a\nX-A: b\r\n\r\n", true, false},
		{"line feed first", "\nHost: a\r\n\r\n", true, false},
		{"line feeds at the end", "Host: a\r\nX-A: b\n\n", true, false},
		{"folded with a space", "X-A: b\r\n c\r\n\r\n", true, false},
		{"folded with a tab", "X-A: b\r\n\tc\r\n\r\n", true, false},
		{"length and chunks", "content-length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", false, true},
		{"chunks alone", "Transfer-Encoding: chunked\r\n\r\n", false, false},
	} {
		if got := looseLines([]byte(row.header)); got != row.loose {
			t.Errorf("%s: loose lines: %t", row.name, got)
		}
		if got := twoLengths([]byte(row.header)); got != row.two {
			t.Errorf("%s: two lengths: %t", row.name, got)
		}
	}
}

// TestSmuggling refuses requests that two servers in a row could read in different ways,
// and what follows them on the same connection. test/hostile has the long list.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const key = "Bearer ok_canary-canary-canary-canary"
	const head = "POST /small HTTP/1.1\r\nHost: a\r\nAuthorization: " + key + "\r\n"
	const chunk = "2\r\n{}\r\n0\r\n\r\n"
	for name, request := range map[string]string{
		"two lengths":                         head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
		"length and chunks":                   head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk,
		"chunks and length":                   head + "transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n" + chunk,
		"line feed in a chunk's extension":    head + "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n",
		"line feed after a chunk's size":      head + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
		"line feed after a header":            "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
		"folded line in front of all headers": "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n",
		"garbage":                             "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
		"no last chunk":                       head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if all := s.say(t, request+"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"); !slices.Equal(all, []int{400}) {
				t.Errorf("the answers are %v", all)
			}
		})
	}
	if s.log.contains("canary") {
		t.Error("the log shows the key")
	}
}

// TestConnections keeps the requests of one connection apart, and closes it after chunks,
// whatever the method: a request could hide in the trailer.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := serve(t)
	const chunks = "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\nGET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
	for request, want := range map[string][]int{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxxGET /none HTTP/1.1\r\nHost: a\r\n\r\n": {200, 200, 404},
		"POST /small HTTP/1.1\r\nHost: a\r\n" + chunks: {200},
		"FOO / HTTP/1.1\r\nHost: a\r\n" + chunks:       {405},
		"PUT / HTTP/1.1\r\nHost: a\r\n" + chunks:       {405},
		fmt.Sprintf("POST /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", MaxBodyBytes+1):                                                    {413},
		fmt.Sprintf("POST /large HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", largeBytes+1):                                                      {413},
		fmt.Sprintf("POST /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", largeBytes) + strings.Repeat("x", largeBytes): {100, 200},
		"GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + strings.Repeat("x", MaxHeaderBytes) + "\r\n\r\n":                                                                             {431},
		"GET /" + strings.Repeat("x", MaxHeaderBytes) + " HTTP/1.1\r\nHost: a\r\n\r\n":                                                                                          {431},
	} {
		if all := s.say(t, request); !slices.Equal(all, want) {
			t.Errorf("%.200q: the answers are %v, want %v", request, all, want)
		}
	}
}
