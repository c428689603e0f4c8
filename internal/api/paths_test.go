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

// spellings are the ways in which a client may write a segment of a path.
func spellings(id string) []string {
	var each, some strings.Builder
	for i, c := range []byte(id) {
		_, _ = fmt.Fprintf(&each, "%%%02X", c)
		if i%2 == 0 {
			_, _ = fmt.Fprintf(&some, "%%%02x", c)
			continue
		}
		some.WriteByte(c)
	}
	every := each.String()
	return []string{id, every, strings.ToLower(every), some.String(), url.PathEscape(id), strings.ReplaceAll(id, ".", "%2e")}
}

// TestIDsInPaths reaches an order by every valid id on every route, however a client
// encodes it, and under its Location.
func TestIDsInPaths(t *testing.T) {
	b := open(t)
	for _, id := range []string{
		"order-1", "a.b", "...", "..a", "a..", ".a", "-", "_", "events", "cancel", "retry", "batch", "orders",
		"0199c5a0-7d7e-7c51-b7a4-5d0cf0a6a1b2", strings.Repeat("z", 64), strings.Repeat(".", 64),
	} {
		if a := b.ask(t, "POST", "/orders", body("id", fmt.Sprintf("%q", id))); a.header.Get("Location") != "/orders/"+url.PathEscape(id) {
			t.Errorf("%q is at %q", id, a.header.Get("Location"))
		}
		for _, spelt := range spellings(id) {
			for _, row := range []struct{ method, path, has string }{
				{"GET", "/orders/%s", fmt.Sprintf(`"id":%q`, id)},
				{"GET", "/orders/%s/events", `"sequence":1`},
				{"POST", "/orders/%s/cancel", fmt.Sprintf(`"id":%q`, id)},
			} {
				// Bytes as they are: Go's client would rewrite the path.
				request := fmt.Sprintf("%s "+row.path+" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", row.method, spelt)
				a := b.sayOne(t, request)
				if a.code != http.StatusOK || !strings.Contains(string(a.body), row.has) {
					t.Errorf("%s is answered %d %s", strings.SplitN(request, "\r\n", 2)[0], a.code, a.body)
				}
			}
		}
	}
	for n, spelt := range spellings("failed.") {
		id := fmt.Sprint("failed.", n)
		b.reach(t, id, order.StatusFailed)
		request := fmt.Sprintf("POST /orders/%s%d/retry HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", spelt, n)
		if a := b.sayOne(t, request); a.code != http.StatusAccepted || a.header.Get("Location") != "/orders/"+id {
			t.Errorf("retry of %s is answered %d %s at %q", spelt, a.code, a.body, a.header.Get("Location"))
		}
	}
}

// sayOne sends one request as it is.
func (s *site) sayOne(t *testing.T, request string) answer {
	t.Helper()
	all := s.say(t, request)
	if len(all) != 1 {
		t.Fatalf("%d answers to %q", len(all), request)
	}
	return all[0]
}

// TestIDsThatAreNone refuses the ids that a path resolves away.
func TestIDsThatAreNone(t *testing.T) {
	t.Parallel()
	s := serve(t, taking(noIntake(t)))
	for _, id := range []string{".", ".."} {
		if order.ValidID(id) {
			t.Errorf("%q is valid", id)
		}
		p := s.ask(t, "POST", "/orders", body("id", fmt.Sprintf("%q", id))).problem(t, 400)
		if len(p.Errors) != 1 || p.Errors[0].Field != "id" || p.Errors[0].Code != order.CodeInvalid {
			t.Errorf("%q is answered %+v", id, p)
		}
		if a := s.ask(t, "POST", "/orders/batch", "["+body("id", fmt.Sprintf("%q", id))+"]"); !strings.Contains(string(a.body), `"field":"id"`) {
			t.Errorf("%q in a batch is answered %s", id, a.body)
		}
	}
}

// TestUnknownOrders answers 404 for orders that do not exist, and for texts that are not
// ids, the latter without asking Redis.
func TestUnknownOrders(t *testing.T) {
	b := open(t)
	breaker := &redistest.Breaker{}
	b.rdb.AddHook(breaker)
	for _, step := range []struct{ method, path string }{{"GET", ""}, {"GET", "/events"}, {"POST", "/cancel"}, {"POST", "/retry"}} {
		breaker.Break(0, nil)
		b.ask(t, step.method, "/orders/unknown"+step.path, "").problem(t, 404)
		breaker.Break(redistest.NotApplied, func(redis.Cmder) bool { return true })
		for _, id := range []string{
			"a%20b", "a%2Fb", "%7Bb0%7D", "a:b", "*", "%00", strings.Repeat("x", 65), "ord_1%0A", "%C3%A9", "a,b", "o~1", "a%2Fevents", "%2e", "%2E%2E", "a%252Eb", "a%2",
		} {
			request := step.method + " /orders/" + id + step.path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
			if p := b.sayOne(t, request).problem(t, 404); p.Detail != "There is no order with this id." {
				t.Errorf("%s%s: detail is %q", id, step.path, p.Detail)
			}
		}
	}
	breaker.Break(0, nil)
	if n := breaker.Fired(); n != 0 {
		t.Errorf("Redis was asked %d times", n)
	}
	b.empty(t)
}
