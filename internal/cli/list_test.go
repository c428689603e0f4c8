package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestListFollowsPages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("e", 60)
	api := newScript(t,
		exchange{"GET /orders?limit=50", 200, page("c1",
			record("order-1", "failed", `,"error":"shop\u001b[2J\nis\taway"`), record("b", "pending", ""))},
		exchange{"GET /orders?cursor=c1&limit=48", 200, page("c2")},
		exchange{"GET /orders?cursor=c2&limit=48", 200, page("",
			record("c", "retrying", `,"error":"`+long+`"`))},
	)
	orderctl(t, "list", "--api", api.URL).mustPrint(t, 0, ""+
		"id        status    amount   customer   queue     created at             error\n"+
		"order-1   failed    12.50    Ada        default   2026-11-23T12:00:00Z   shop [2J is away\n"+
		"b         pending   12.50    Ada        default   2026-11-23T12:00:00Z   \n"+
		"c         retrying   12.50    Ada        default   2026-11-23T12:00:00Z   "+long+"\n", "")
}

func TestListAsJSON(t *testing.T) {
	t.Parallel()
	first := `{"id":"a","amount":999999999999.990,"customer":"<\u001b&é>","new":[1e2]}`
	api := newScript(t,
		exchange{"GET /orders?limit=200", 200, page("c1", first, "{ \"id\":\n \"b\" }")},
		exchange{"GET /orders?cursor=c1&limit=200", 200, page("c2")},
		exchange{"GET /orders?cursor=c2&limit=200", 200, page("", record("c", "pending", ""))},
	)
	orderctl(t, "list", "--all", "-o", "json", "--api", api.URL).mustPrint(t, 0,
		first+"\n"+`{"id":"b"}`+"\n"+record("c", "pending", "")+"\n", "")
}

func TestListShowsPagesAsTheyArrive(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"table", "json"} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			api := newScript(t,
				exchange{"GET /orders?limit=50", 200, page("c1", record("a", "pending", ""))},
				exchange{"GET /orders?cursor=c1&limit=49", neverAnswer, ""})
			c := &command{}
			c.start(t, "list", "-o", output, "--api", api.URL)
			c.mustSay(t, `pending`)
			eventually(t, "the second page is asked for", func() bool { return api.asked() == 2 })
			c.interrupt(t)
			c.mustEnd(t, 1, `\norderctl: list orders: interrupted\n$`)
		})
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	api := newScript(t, exchange{"GET /orders?created_from=2026-11-23T00%3A00%3A00%2B01%3A00&created_to=2026-11-24T00%3A00%3A00.5Z" +
		"&customer=Ada+%26+Eve&limit=7&status=priority_processing", 200, page("")})
	orderctl(t, "list", "--status", "priority_processing", "--customer", "Ada & Eve", "--limit", "7", "--api", api.URL,
		"--from", "2026-11-23T00:00:00+01:00", "--to", "2026-11-24T00:00:00.5Z").mustPrint(t, 0, "No order matches.\n", "")
}

func TestListStopsAtItsLimit(t *testing.T) {
	t.Parallel()
	var orders []string
	for i := range 201 {
		orders = append(orders, record(fmt.Sprintf("o%03d", i), "completed", ""))
	}
	for _, tt := range []struct{ output, hint string }{
		{"table", "There may be more: --limit shows more of them, --all shows all.\n"}, {"json", ""},
	} {
		t.Run(tt.output, func(t *testing.T) {
			t.Parallel()
			api := newScript(t,
				exchange{"GET /orders?limit=200", 200, page("c1", orders[:200]...)},
				exchange{"GET /orders?cursor=c1&limit=1", 200, page("c2", orders[200])})
			c := orderctl(t, "list", "--limit", "201", "-o", tt.output, "--api", api.URL)
			c.mustEnd(t, 0, `o000\b`, `o200\b`)
			if got := c.stderr.String(); got != tt.hint {
				t.Errorf("standard error: %q, want %q", got, tt.hint)
			}
		})
	}
}

func TestListKeepsPagesInLine(t *testing.T) {
	t.Parallel()
	api := newScript(t,
		exchange{"GET /orders?limit=200", 200, page("c1", record("a-long-id", "pending", ""))},
		exchange{"GET /orders?cursor=c1&limit=200", 200, page("", record("a", "failed", ""))})
	c := orderctl(t, "list", "--all", "--api", api.URL)
	c.mustEnd(t, 0, `\na-long-id   pending   12\.50 .*\na           failed    12\.50 `)
}

func TestListAsksForLessWhenOrdersAreLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", 8<<20+1)
	api := newScript(t,
		exchange{"GET /orders?limit=5", 200, long},
		exchange{"GET /orders?limit=2", 200, page("c1", record("a", "pending", ""), record("b", "pending", ""))},
		exchange{"GET /orders?cursor=c1&limit=2", 200, long},
		exchange{"GET /orders?cursor=c1&limit=1", 200, long})
	orderctl(t, "list", "-o", "json", "--limit", "5", "--api", api.URL).mustPrint(t, 1,
		record("a", "pending", "")+"\n"+record("b", "pending", "")+"\n",
		"orderctl: list orders: the answer is longer than 8 MiB\n")
}

func TestListFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, answer, says string
		status             int
	}{
		{"refused", problem(400, "x", `,"errors":[{"field":"customer","code":"too_long","message":"must be shorter"}]`), `list orders: 400: customer must be shorter`, 400},
		{"no API", `{}`, `list orders: the answer is not that of an order API; is the address right\?`, 200},
		{"no orders", `{"orders":[{}]}`, `list orders: the answer is not that of an order API`, 200},
		{"too many orders", page("", record("a", "pending", ""), record("b", "pending", "")), `list orders: the answer is not that of an order API`, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newScript(t, exchange{"GET /orders?limit=1", tt.status, tt.answer})
			orderctl(t, "list", "--limit", "1", "--api", api.URL).mustEnd(t, 1, `orderctl: `+tt.says+`.*\n$`)
		})
	}
	t.Run("goes in circles", func(t *testing.T) {
		t.Parallel()
		api := newScript(t, exchange{"GET /orders?limit=50", 200, page("c")}, exchange{"GET /orders?cursor=c&limit=50", 200, page("c")})
		orderctl(t, "list", "--api", api.URL).mustPrint(t, 1, "", "orderctl: list orders: the API gave the same cursor twice in a row\n")
	})
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		orderctl(t, "list", "--api", "http://127.0.0.1:1").mustEnd(t, 1, `^orderctl: list orders: no answer from the API at http://127.0.0.1:1: .*refused; is it running`)
	})
}

// TestListInTerminal draws on a real terminal of 80 columns, in no line more than fits.
func TestListInTerminal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 4)
	api := newScript(t, exchange{"GET /orders?limit=50", 200, page("", record(long, "priority_processing", `,"error":"`+long+`"`))})
	shown, _ := inTerminal(t, "list --api "+api.URL)
	eventually(t, "it has ended", func() bool { return strings.Contains(shown.String(), "ended 0\r\n") })
	for _, line := range strings.Split(shown.String(), "\r\n") {
		if strings.Contains(line, "priority_processing") && (utf8.RuneCountInString(line) > 80 || !strings.Contains(line, "…  priority_processing   12.50  2026-11-23T12:00:00Z")) {
			t.Errorf("a line is %q", line)
		}
	}
	if !strings.Contains(shown.String(), "priority_processing") {
		t.Errorf("it shows %q", shown)
	}
}
