package hostile_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// smuggling is a message that hides a second request: one reading finds it, and
// another takes it for a part of the first. Every %s of it is the hidden request,
// and %d before it the hidden request's length.
type smuggling struct{ name, wire string }

// TestSmuggling sends each of them. The hidden request submits an order, which
// must not be there afterwards.
func TestSmuggling(t *testing.T) {
	s := start(t)
	var rows []smuggling
	for _, family := range [][]smuggling{lengths(), encodings(), chunks(), heads(), unread(), endings()} {
		rows = append(rows, family...)
	}
	t.Run("all", func(t *testing.T) {
		for k, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				for _, code := range s.say(t, row.with(fmt.Sprintf("smuggled-%d", k))) {
					if code != http.StatusContinue && (code < 200 || code >= 500) {
						t.Errorf("answered %d", code)
					}
				}
			})
		}
	})
	for _, id := range s.ids(t) {
		row := rows[number(id)]
		t.Errorf("%s: the hidden request was executed: %.300q", row.name, row.wire)
	}
	t.Logf("%d messages", len(rows))
}

func number(id string) (k int) {
	_, _ = fmt.Sscanf(id, "smuggled-%d", &k)
	return k
}

// TestPipelined sends what the others must not: two requests one behind the other,
// told apart by any reading. It shows that a hidden request would be found.
func TestPipelined(t *testing.T) {
	s := start(t)
	rows := []smuggling{
		{"length", post + "Content-Length: 2\r\n\r\n{}" + hidden},
		{"length with zeros", post + "Content-Length: 0002\r\n\r\n{}" + hidden},
		{"nothing", "GET /stats HTTP/1.1\r\nHost: a\r\n\r\n" + hidden},
		{"absolute form", "GET http://a/stats HTTP/1.1\r\nHost: a\r\n\r\n" + hidden},
		{"a hundred others before", strings.Repeat("GET /queues HTTP/1.1\r\nHost: a\r\n\r\n", 100) + hidden},
	}
	var want []string
	for k, row := range rows {
		id := fmt.Sprintf("behind-%d", k)
		want = append(want, id)
		if codes := s.say(t, row.with(id)); len(codes) < 2 || codes[len(codes)-1] != http.StatusCreated {
			t.Errorf("%s: answered %v", row.name, codes)
		}
	}
	if got := s.ids(t); len(got) != len(want) {
		t.Errorf("orders %v are there, want %v", got, want)
	}
}

const (
	post    = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	get     = "GET /stats HTTP/1.1\r\nHost: a\r\n"
	chunked = "Transfer-Encoding: chunked\r\n\r\n"
	hidden  = "%s"
	// within is a length that takes in the hidden request, where nothing else is in
	// the body.
	within = "Content-Length: %d\r\n"
)

// with fills in the hidden request.
func (r smuggling) with(id string) string {
	body := plain(id)
	second := post + fmt.Sprintf("Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
	wire := strings.ReplaceAll(r.wire, "%d", strconv.Itoa(len(second)))
	wire = strings.ReplaceAll(wire, "%x", fmt.Sprintf("%x", len(second)))
	return strings.ReplaceAll(wire, "%s", second)
}

// lengths say how long the body is in more than one way, or in a wrong one.
func lengths() []smuggling {
	all := []smuggling{
		{"two lengths, the second one longer", post + "Content-Length: 0\r\n" + within + "\r\n" + hidden},
		{"two lengths, the first one longer", post + within + "Content-Length: 0\r\n\r\n" + hidden},
		{"two equal lengths", post + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + hidden},
		{"two lengths apart", post + "Content-Length: 0\r\nX-A: b\r\ncontent-length: 2\r\n\r\n" + hidden},
		{"length on two lines", post + "Content-Length:\r\n 0\r\n\r\n" + hidden},
		{"length on a folded line", post + "X-A: b\r\n Content-Length: 0\r\n" + within + "\r\n" + hidden},
		{"length behind a bare CR", post + "X-A: b\rContent-Length: 0\r\n" + within + "\r\n" + hidden},
		{"name with a NUL", post + "Content-Length\x00: 0\r\n\r\n" + hidden},
		{"name with a tab", post + "Content-Length\t: 0\r\n\r\n" + hidden},
		{"name with a space", post + "Content Length: 0\r\n" + within + "\r\n" + hidden},
	}
	for _, length := range []string{
		"+0", "-0", "-1", "-2147483648", "0x0", "0b0", "0.0", "0e0", "0,0", "0, 0", "0,", ",0", "0;", "0 0", "0 1", "0\x00", "\x000", "0\v", "\v0", "0\f", "0\u00a0",
		"'0'", `"0"`, "zero", "\u0660", "\uff10", "", " ", "NaN", "18446744073709551616", "36893488147419103232", "9223372036854775808",
		"1" + strings.Repeat("0", 100), "4294967296", "0_0", "00 00", "0#", "0/0",
	} {
		all = append(all, smuggling{fmt.Sprintf("length %.30q", length), post + "Content-Length: " + length + "\r\n\r\n" + hidden})
	}
	return all
}

// encodings name a transfer encoding that one reader follows and another does
// not: beside a length that takes in the hidden request, and the other way round.
func encodings() []smuggling {
	var all []smuggling
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
		name := fmt.Sprintf("%q", header)
		all = append(all, smuggling{name + " behind a length", post + "Content-Length: %d\r\n" + header + "\r\n\r\n" + hidden},
			smuggling{name + " in front of a length", post + header + "\r\n" + within + "\r\n" + hidden},
			// Chunks that end before the hidden request, which the length takes in.
			smuggling{name + ", ended early", post + "Content-Length: 5%d\r\n" + header + "\r\n\r\n0\r\n\r\n" + hidden})
	}
	for _, name := range []string{"chunked", "xchunked", "chunked, chunked", "identity", "gzip, chunked", "chunked, identity", "identity, chunked", "\vchunked", "chunked\x00"} {
		// A chunk that takes in the hidden request, which a short length does not.
		all = append(all, smuggling{fmt.Sprintf("%q, length ends early", name), post + "Content-Length: 0\r\nTransfer-Encoding: " + name + "\r\n\r\n%x\r\n" + hidden + "\r\n0\r\n\r\n"})
		if name != "chunked" {
			all = append(all, smuggling{fmt.Sprintf("%q without a length", name), post + "Transfer-Encoding: " + name + "\r\n\r\n0\r\n\r\n" + hidden})
		}
	}
	return all
}

// chunks are bodies in chunks that end where only a sloppy reader sees their end.
func chunks() []smuggling {
	var all []smuggling
	for _, last := range []string{
		"+0", "-0", "-1", "0x0", "0X0", " 0", "\t0", "0\x00", "\x000", "g", "", ";", ";0", "zz", "0g", "0 0", "0,0", "0_0", "\uff10", "\u0660", "0\v", "0\f", "0\r", "0\n0", "0.0",
		"10000000000000000", "100000000000000000", "20000000000000000", "fffffffffffffffff", "8000000000000000", strings.Repeat("f", 100), "-" + strings.Repeat("0", 30),
		"0;a\nb", "0;\n", "0;a\rb", "0;a=\"\n\"", "0 ;\na",
	} {
		all = append(all, smuggling{fmt.Sprintf("last chunk %.30q", last), post + chunked + last + "\r\n\r\n" + hidden})
	}
	for name, body := range map[string]string{
		"line feeds":                   "0\n\n",
		"line feed behind the last":    "0\r\n\n",
		"line feed behind its size":    "0\n\r\n",
		"carriage returns":             "0\r\r",
		"carriage return too many":     "0\r\r\n\r\n",
		"data too short":               "5\r\n{}\r\n0\r\n\r\n",
		"data too long":                "2\r\n{}xyz\r\n0\r\n\r\n",
		"data ends with a line feed":   "2\r\n{}\n0\r\n\r\n",
		"data ends with other bytes":   "2\r\n{}XX0\r\n\r\n",
		"data ends with nothing":       "2\r\n{}0\r\n\r\n",
		"data ends with CR":            "2\r\n{}\r0\r\n\r\n",
		"size without an end":          "2{}\r\n0\r\n\r\n",
		"trailer without a colon":      "0\r\nabc\r\n\r\n",
		"trailer with a line feed":     "0\r\nA: b\n\r\n",
		"trailer with a NUL":           "0\r\nA: b\x00c\r\n\r\n",
		"trailer begins with a space":  "0\r\n A: b\r\n\r\n",
		"trailer gives another length": "0\r\nContent-Length: %d\r\n\r\n",
		"trailer gives an encoding":    "0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"trailer gives a host":         "0\r\nHost: b\r\n\r\n",
		"zeros without an end":         strings.Repeat("0", 40_000) + "\r\n\r\n",
		"thousands of tiny ones":       strings.Repeat("1\r\n \r\n", 5000) + "x\r\n",
	} {
		all = append(all, smuggling{"chunks: " + name, post + chunked + body + hidden})
	}
	// The hidden request is what the first chunk or its extension holds.
	return append(all,
		smuggling{"hidden in a chunk", post + chunked + "%x\r\n" + hidden + "\r\n0\r\n\r\n"},
		smuggling{"hidden behind a line feed in an extension", post + chunked + "%x;a\n" + hidden + "\r\n0\r\n\r\n"},
		smuggling{"hidden behind a bare carriage return", post + chunked + "%x\r" + hidden + "\r\n0\r\n\r\n"},
		smuggling{"hidden in a trailer", post + chunked + "0\r\nX-A: \n\n" + hidden + "\r\n\r\n"},
		smuggling{"chunks of an HTTP/1.0 client", strings.Replace(post, "1.1", "1.0", 1) + chunked + "0\r\n\r\n" + hidden},
		smuggling{"chunks of an HTTP/1.0 client that stays", strings.Replace(post, "1.1", "1.0", 1) + "Connection: keep-alive\r\n" + chunked + "0\r\n\r\n" + hidden},
		smuggling{"chunks and a length of an HTTP/1.0 client", strings.Replace(post, "1.1", "1.0", 1) + within + chunked + "0\r\n\r\n" + hidden},
	)
}
