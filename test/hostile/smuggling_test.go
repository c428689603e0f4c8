package hostile_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A smuggling message hides a second request: one reading finds it, and another reads it as
// a part of the first. In the messages below, %s is the hidden request, %d its length, and
// %x its length in hexadecimal digits.
const (
	post    = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	get     = "GET /stats HTTP/1.1\r\nHost: a\r\n"
	chunked = "Transfer-Encoding: chunked\r\n\r\n"
	hidden  = "%s"
	// within is the length of a body that consists of the hidden request.
	within = "Content-Length: %d\r\n"
)

// TestSmuggling sends each message. The hidden request submits an order, which must not be
// accepted.
func TestSmuggling(t *testing.T) {
	s := start(t)
	messages := slices.Concat(lengths(), encodings(), chunks(), heads(), unread(), endings())
	t.Run("all", func(t *testing.T) {
		for k, message := range messages {
			t.Run(fmt.Sprintf("%.80q", message), func(t *testing.T) {
				t.Parallel()
				for _, code := range s.sendRaw(t, fillIn(message, fmt.Sprintf("smuggled-%d", k))) {
					if code != http.StatusContinue && (code < 200 || code >= 500) {
						t.Errorf("answered %d", code)
					}
				}
			})
		}
	})
	for _, id := range s.ids(t) {
		k, _ := strconv.Atoi(strings.TrimPrefix(id, "smuggled-"))
		t.Errorf("the hidden request was executed: %.300q", messages[k])
	}
	t.Logf("%d messages", len(messages))
}

// TestPipelined sends two requests in succession that every reading separates. It shows that
// a hidden request would be found.
func TestPipelined(t *testing.T) {
	s := start(t)
	messages := []string{
		post + "Content-Length: 2\r\n\r\n{}" + hidden,
		post + "Content-Length: 0002\r\n\r\n{}" + hidden,
		get + "\r\n" + hidden,
		"GET http://a/stats HTTP/1.1\r\nHost: a\r\n\r\n" + hidden,
		strings.Repeat("GET /queues HTTP/1.1\r\nHost: a\r\n\r\n", 100) + hidden,
	}
	for k, message := range messages {
		if codes := s.sendRaw(t, fillIn(message, fmt.Sprintf("second-%d", k))); len(codes) < 2 || codes[len(codes)-1] != http.StatusCreated {
			t.Errorf("%.100q is answered %v", message, codes)
		}
	}
	if got := s.ids(t); len(got) != len(messages) {
		t.Errorf("orders %v are accepted, want %d", got, len(messages))
	}
}

// fillIn replaces the placeholders of a message.
func fillIn(message, id string) string {
	body := strings.ReplaceAll(plain, anyID, id)
	second := post + fmt.Sprintf("Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
	return strings.NewReplacer("%d", strconv.Itoa(len(second)), "%x", fmt.Sprintf("%x", len(second)), "%s", second).Replace(message)
}

// lengths declare the length of the body in more than one way, or in a wrong one.
func lengths() []string {
	all := []string{
		post + "Content-Length: 0\r\n" + within + "\r\n" + hidden,
		post + within + "Content-Length: 0\r\n\r\n" + hidden,
		post + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + hidden,
		post + "Content-Length: 0\r\nX-A: b\r\ncontent-length: 2\r\n\r\n" + hidden,
		post + "Content-Length:\r\n 0\r\n\r\n" + hidden,
		post + "X-A: b\r\n Content-Length: 0\r\n" + within + "\r\n" + hidden,
		post + "X-A: b\rContent-Length: 0\r\n" + within + "\r\n" + hidden,
		post + "Content-Length\x00: 0\r\n\r\n" + hidden,
		post + "Content-Length\t: 0\r\n\r\n" + hidden,
		post + "Content Length: 0\r\n" + within + "\r\n" + hidden,
	}
	for _, length := range []string{
		"+0", "-0", "-1", "-2147483648", "0x0", "0b0", "0.0", "0e0", "0,0", "0, 0", "0,", ",0", "0;", "0 0", "0 1", "0\x00", "\x000", "0\v", "\v0", "0\f", "0\u00a0",
		"'0'", `"0"`, "zero", "\u0660", "\uff10", "", " ", "NaN", "18446744073709551616", "36893488147419103232", "9223372036854775808",
		"1" + strings.Repeat("0", 100), "4294967296", "0_0", "00 00", "0#", "0/0",
	} {
		all = append(all, post+"Content-Length: "+length+"\r\n\r\n"+hidden)
	}
	return all
}

// encodings name a transfer encoding that one reader follows and another does not.
func encodings() []string {
	var all []string
	for _, header := range []string{
		"Transfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx", "Transfer-Encoding: chunked, chunked",
		"Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked",
		"Transfer-Encoding: gzip", "Transfer-Encoding: chunked;q=1", `Transfer-Encoding: "chunked"`, "Transfer-Encoding: 'chunked'", "Transfer-Encoding: ,chunked",
		"Transfer-Encoding: chunked,", "Transfer-Encoding:\tchunked", "Transfer-Encoding:chunked", "Transfer-Encoding: chunked ", "Transfer-Encoding: chunked\t",
		"Transfer-Encoding: \vchunked", "Transfer-Encoding: chunked\v", "Transfer-Encoding: \x00chunked", "Transfer-Encoding: chunked\x00", "Transfer-Encoding : chunked",
		"Transfer-Encoding\t: chunked", "Transfer-Encoding\x00: chunked", " Transfer-Encoding: chunked", "\tTransfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked",
		"Transfer-Encoding:\n chunked", "Transfer-Encoding:\r\n\tchunked", "X-A: b\r\n Transfer-Encoding: chunked", "X-A: b\nTransfer-Encoding: chunked",
		"X-A: b\rTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
		"Transfer_Encoding: chunked", "Transfer-Encoding: Ch\u00fcnked", "Transfer-Encoding: chun\u212aed", "TrAnSfEr-EnCoDiNg: cHuNkEd", "Transfer-Encoding", "Transfer-Encoding:",
		"Transfer-Encoding: chunked\r\nTE: trailers, deflate", "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", "Connection: Content-Length",
	} {
		all = append(all, post+within+header+"\r\n\r\n"+hidden, post+header+"\r\n"+within+"\r\n"+hidden,
			// Chunks that end before the hidden request, which the length includes.
			post+"Content-Length: 5%d\r\n"+header+"\r\n\r\n0\r\n\r\n"+hidden)
	}
	for _, name := range []string{"chunked", "xchunked", "chunked, chunked", "identity", "gzip, chunked", "chunked, identity", "identity, chunked", "\vchunked", "chunked\x00"} {
		// A chunk that includes the hidden request, which a short length does not.
		all = append(all, post+"Content-Length: 0\r\nTransfer-Encoding: "+name+"\r\n\r\n%x\r\n"+hidden+"\r\n0\r\n\r\n")
		if name != "chunked" {
			all = append(all, post+"Transfer-Encoding: "+name+"\r\n\r\n0\r\n\r\n"+hidden)
		}
	}
	return all
}

// chunks are chunked bodies whose end only a careless reader sees.
func chunks() []string {
	old := strings.Replace(post, "1.1", "1.0", 1)
	all := []string{ // the first chunk, its extension or the trailer contains the hidden request
		post + chunked + "%x\r\n" + hidden + "\r\n0\r\n\r\n",
		post + chunked + "%x;a\n" + hidden + "\r\n0\r\n\r\n",
		post + chunked + "%x\r" + hidden + "\r\n0\r\n\r\n",
		post + chunked + "0\r\nX-A: \n\n" + hidden + "\r\n\r\n",
		old + chunked + "0\r\n\r\n" + hidden,
		old + "Connection: keep-alive\r\n" + chunked + "0\r\n\r\n" + hidden,
		old + within + chunked + "0\r\n\r\n" + hidden,
	}
	for _, last := range []string{
		"+0", "-0", "-1", "0x0", "0X0", " 0", "\t0", "0\x00", "\x000", "g", "", ";", ";0", "zz", "0g", "0 0", "0,0", "0_0", "\uff10", "\u0660", "0\v", "0\f", "0\r", "0\n0", "0.0",
		"10000000000000000", "100000000000000000", "20000000000000000", "fffffffffffffffff", "8000000000000000", strings.Repeat("f", 100), "-" + strings.Repeat("0", 30),
		"0;a\nb", "0;\n", "0;a\rb", "0;a=\"\n\"", "0 ;\na",
	} {
		all = append(all, post+chunked+last+"\r\n\r\n"+hidden)
	}
	for _, body := range []string{
		"0\n\n", "0\r\n\n", "0\n\r\n", "0\r\r", "0\r\r\n\r\n", // other line breaks
		"5\r\n{}\r\n0\r\n\r\n", "2\r\n{}xyz\r\n0\r\n\r\n", "2\r\n{}\n0\r\n\r\n", "2\r\n{}XX0\r\n\r\n", "2\r\n{}0\r\n\r\n", "2\r\n{}\r0\r\n\r\n", "2{}\r\n0\r\n\r\n", // other sizes and ends
		"0\r\nabc\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nA: b\x00c\r\n\r\n", "0\r\n A: b\r\n\r\n", // malformed trailers
		"0\r\nContent-Length: %d\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nHost: b\r\n\r\n", // trailers that replace headers
		strings.Repeat("0", 40_000) + "\r\n\r\n", strings.Repeat("1\r\n \r\n", 5000) + "x\r\n",
	} {
		all = append(all, post+chunked+body+hidden)
	}
	return all
}
