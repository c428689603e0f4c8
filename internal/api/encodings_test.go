package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// TestNamesOfUTF8 reads a body under every name that UTF-8 has, and says what is
// wrong with others.
func TestNamesOfUTF8(t *testing.T) {
	b := open(t)
	for i, charset := range []string{
		"utf-8", "UTF-8", "utf8", "UTF8", "Utf8", `"utf-8"`, `"UTF8"`, `" utf-8 "`, "unicode-1-1-utf-8", "unicode11utf8",
		"unicode20utf8", "X-Unicode20UTF8",
	} {
		id := fmt.Sprintf("o%d", i)
		b.ask(t, "POST", "/orders", body("id", `"`+id+`"`), "Content-Type", "application/json; charset="+charset).object(t, 201)
		b.ask(t, "POST", "/orders/"+id+"/cancel", `{"reason":"x"}`, "Content-Type", "Application/JSON;charset="+charset).object(t, 200)
		for _, media := range []string{"application/json", "application/x-ndjson"} {
			a := b.ask(t, "POST", "/orders/batch", "["+body("id", `"`+id+`"`)+"]", "Content-Type", media+" ; CHARSET="+charset)
			if a.code != 200 {
				t.Errorf("%s in %s is answered %d %s", media, charset, a.code, a.body)
			}
		}
	}
	for _, charset := range []string{"utf-16", "iso-8859-1", "us-ascii", "windows-1252", "utf-80", "utf", `"latin\u202e"`} {
		p := b.ask(t, "POST", "/orders", body(), "Content-Type", "application/json; charset="+charset).problem(t, 415)
		if !strings.HasPrefix(p.Detail, "The charset must be utf-8, not ") {
			t.Errorf("%s is refused with %q", charset, p.Detail)
		}
	}
}

// TestByteOrderMarks reads bodies that begin with the mark of UTF-8, and names the
// reason when it is another's.
func TestByteOrderMarks(t *testing.T) {
	b := open(t)
	const ndjson, array = "application/x-ndjson", "application/json"
	b.reach(t, "failed", order.StatusFailed)
	for _, row := range []struct {
		path, media, text string
		code              int
	}{
		{"/orders", array, body("id", `"single"`), 201},
		{"/orders/single/cancel", array, `{"reason":"twice"}`, 200},
		{"/orders/retry", array, `{"status":"failed","dry_run":true}`, 200},
		{"/orders/batch", array, "[" + body("id", `"in-array"`) + "]", 200},
		{"/orders/batch", ndjson, body("id", `"line-1"`) + "\n\ufeff" + body("id", `"line-2"`) + "\n", 200},
	} {
		a := b.ask(t, "POST", row.path, "\ufeff"+row.text, "Content-Type", row.media)
		if a.code != row.code || strings.Contains(string(a.body), "problem") {
			t.Errorf("%s of %s is answered %d %s", row.path, row.media, a.code, a.body)
		}
		for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff", "\xff\xfe\x00\x00"} {
			p := b.ask(t, "POST", row.path, mark+row.text, "Content-Type", row.media).problem(t, 400)
			if !strings.Contains(p.Detail, "byte order mark") {
				t.Errorf("%s with %q is refused with %q", row.path, mark, p.Detail)
			}
		}
	}
	for _, id := range []string{"in-array", "line-1", "line-2"} {
		b.ask(t, "GET", "/orders/"+id, "").object(t, 200)
	}
	if all := b.say(t, "POST /orders/line-2/cancel HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\ufeff"); all[0].code != 200 {
		t.Errorf("a mark alone is answered %+v", all)
	}
	b.ask(t, "POST", "/orders", "\ufeff\ufeff"+body("id", `"two-marks"`)).problem(t, 400)
}

// TestBodiesLeftOut wants no type of a body that may be left out and is, however its
// length is declared.
func TestBodiesLeftOut(t *testing.T) {
	b := open(t)
	for n, framing := range []string{"Content-Length: 0\r\n\r\n", "\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"} {
		for _, media := range []string{"", "Content-Type: \r\n", "Content-Type: application/json\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"} {
			id := fmt.Sprintf("o%d.%d", n, len(media))
			b.reach(t, id+".pending", order.StatusPending)
			b.reach(t, id+".failed", order.StatusFailed)
			for path, code := range map[string]int{
				"/orders/" + id + ".pending/cancel": http.StatusOK, "/orders/" + id + ".failed/retry": http.StatusAccepted,
				"/queues/low/pause": http.StatusOK, "/queues/low/resume": http.StatusOK,
			} {
				request := "POST " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + media + framing
				if a := b.sayOne(t, request); a.code != code {
					t.Errorf("%q is answered %d %s", request, a.code, a.body)
				}
			}
		}
	}
	b.reach(t, "kept", order.StatusPending)
	for _, framing := range []string{"Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"} {
		b.sayOne(t, "POST /orders/kept/cancel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+framing).problem(t, 415)
	}
}
