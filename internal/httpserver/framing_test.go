package httpserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestSmuggling refuses requests that two servers in a row could read in different ways, and
// does not read on after them. test/hostile has the long list.
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
		"line feeds after the last header":    "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\n\n",
		"line feed in front of all headers":   "GET / HTTP/1.1\r\n\nHost: a\r\n\r\n",
		"folded line in front of all headers": "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n",
		"line folded with a space":            "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
		"line folded with a tab":              "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc\r\n\r\n",
		"garbage":                             "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
		"no last chunk":                       head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
	} {
		if all := s.sendRaw(t, request+"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"); !slices.Equal(all, []int{400}) {
			t.Errorf("%s: the answers are %v", name, all)
		}
	}
	if !looseLines([]byte("\nHost: a\r\n\r\n")) { // fasthttp would refuse it as well
		t.Error("a header that begins with a line feed is accepted")
	}
	if strings.Contains(s.log.String(), "canary") {
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
		if all := s.sendRaw(t, request); !slices.Equal(all, want) {
			t.Errorf("%.200q: the answers are %v, want %v", request, all, want)
		}
	}
}
