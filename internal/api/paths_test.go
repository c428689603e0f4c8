package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// spellings are the ways in which a client may write a segment of a path. All of them
// encode what would end the segment.
func spellings(id string) []string {
	var every, some strings.Builder
	for i, c := range []byte(id) {
		fmt.Fprintf(&every, "%%%02X", c)
		if i%2 == 0 {
			fmt.Fprintf(&some, "%%%02x", c)
			continue
		}
		some.WriteString(url.PathEscape(string(c)))
	}
	return []string{url.PathEscape(id), every.String(), strings.ToLower(every.String()), some.String()}
}

// askPath sends a request without a body as it is: Go's client would rewrite the path.
func (s *site) askPath(t *testing.T, method, path string) answer {
	t.Helper()
	return s.askRaw(t, method+" "+path+" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

// TestIDsInPaths finds an order by every valid id on every route, however a client encodes
// it, and at its Location.
func TestIDsInPaths(t *testing.T) {
	b := open(t)
	for _, id := range []string{
		"order-1", "...", "..a", ".a", "-", "_", "events", "cancel", "retry", "batch", "orders",
		"0199c5a0-7d7e-7c51-b7a4-5d0cf0a6a1b2", strings.Repeat("z", 128), strings.Repeat(".", 128),
		"a/b", "/", "//", "a/../b", "/events", "a/cancel", "../stats", "#", "a#b", "~", "a:b", ":id", "k=v", "@", "a+b", "+", strings.Repeat("/", 128),
	} {
		if a := b.ask(t, "POST", "/orders", withID(id)); a.header.Get("Location") != "/orders/"+url.PathEscape(id) {
			t.Errorf("%q is at %q", id, a.header.Get("Location"))
		}
		for _, spelt := range spellings(id) {
			for _, row := range []struct{ method, after, has string }{
				{"GET", "", fmt.Sprintf(`"id":%q`, id)},
				{"GET", "/events", `"sequence":1`},
				{"POST", "/cancel", fmt.Sprintf(`"id":%q`, id)},
			} {
				a := b.askPath(t, row.method, "/orders/"+spelt+row.after)
				if a.code != http.StatusOK || !strings.Contains(string(a.body), row.has) {
					t.Errorf("%s %s%s is answered %d %s", row.method, spelt, row.after, a.code, a.body)
				}
			}
		}
	}
	for n, spelt := range spellings("failed.") {
		id := fmt.Sprint("failed.", n)
		b.reach(t, id, order.StatusFailed)
		a := b.askPath(t, "POST", fmt.Sprintf("/orders/%s%d/retry", spelt, n))
		if a.code != http.StatusAccepted || a.header.Get("Location") != "/orders/"+id {
			t.Errorf("retry of %s is answered %d %s at %q", spelt, a.code, a.body, a.header.Get("Location"))
		}
	}
}

// TestUnknownNames answers 404 for orders and queues that do not exist, and for texts that
// are not ids, which Redis is not asked for.
func TestUnknownNames(t *testing.T) {
	b := open(t)
	breaker := &redistest.Breaker{}
	b.rdb.AddHook(breaker)
	for _, step := range []struct{ method, path string }{{"GET", ""}, {"GET", "/events"}, {"POST", "/cancel"}, {"POST", "/retry"}} {
		breaker.Break(0, nil)
		b.ask(t, step.method, "/orders/unknown"+step.path, "").problem(t, 404)
		breaker.Break(redistest.NotApplied, func(redis.Cmder) bool { return true })
		for _, id := range []string{
			"a%20b", "a%5Cb", "%7Bb0%7D", "a,b", "*", "%00", strings.Repeat("x", 129), "ord_1%0A", "%C3%A9", "%2e", "%2E%2E", "a%252Eb", "a%2",
		} {
			if p := b.askPath(t, step.method, "/orders/"+id+step.path).problem(t, 404); p.Detail != "There is no order with this id." {
				t.Errorf("%s%s: detail is %q", id, step.path, p.Detail)
			}
		}
	}
	for _, name := range []string{
		"urgent", "LOW", "low%20", "%20low", "low%00", "low%0A", "l%C3%B6w", "%FF", "low,default", "*", "lo%2577", "{low}", "low%2Fx", "low+",
		strings.Repeat("low", 50),
	} {
		for _, step := range []struct{ method, path string }{{"POST", "/pause"}, {"POST", "/resume"}, {"GET", "/corrupt"}} {
			if p := b.ask(t, step.method, "/queues/"+name+step.path, "").problem(t, 404); p.Detail != "There is no queue with this name." {
				t.Errorf("%s%s: detail is %q", name, step.path, p.Detail)
			}
		}
	}
	breaker.Break(0, nil)
	if n := breaker.Fired(); n != 0 {
		t.Errorf("Redis was asked %d times", n)
	}
	b.checkEmpty(t)
}
