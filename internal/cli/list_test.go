package cli_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	t.Parallel()
	var orders []string
	for i := range 201 {
		orders = append(orders, record(fmt.Sprintf("o%03d", i), "completed", ""))
	}
	many := []exchange{
		{"GET /orders?limit=200", 200, page("c1", orders[:200]...)},
		{"GET /orders?cursor=c1&limit=1", 200, page("c2", orders[200])},
	}
	pending, second := record("a", "pending", ""), record("b", "pending", "")
	interrupted := []exchange{{"GET /orders?limit=50", 200, page("c1", pending)}, {"GET /orders?cursor=c1&limit=49", neverAnswer, ""}}
	const (
		first = `{"id":"a","amount":999999999999.990,"customer":"<\u001b&é>","new":[1e2]}`
		heads = "id   status    amount   customer   queue     created at             error\n"
		row   = "   pending   12.50    Ada        default   2026-11-23T12:00:00Z   \n"
	)
	spaces := strings.Repeat(" ", 8<<20+1)
	longError := strings.Repeat("e", 60)
	one := func(status int, answer string) []exchange { return []exchange{{"GET /orders?limit=1", status, answer}} }
	runScripted(
		t,
		scripted{
			"pages stay in line", "list",
			[]exchange{
				{"GET /orders?limit=50", 200, page("c1", record("order-1", "failed", `,"error":"shop\u001b[2J\nis\taway"`), second)},
				{"GET /orders?cursor=c1&limit=48", 200, page("c2")},
				{"GET /orders?cursor=c2&limit=48", 200, page("", record("c", "retrying", `,"error":"`+longError+`"`))},
			},
			0,
			"id        status    amount   customer   queue     created at             error\n" +
				"order-1   failed    12.50    Ada        default   2026-11-23T12:00:00Z   shop [2J is away\n" +
				"b         pending   12.50    Ada        default   2026-11-23T12:00:00Z   \n" +
				"c         retrying   12.50    Ada        default   2026-11-23T12:00:00Z   " + longError + "\n", "",
		},
		scripted{
			"JSON", "list --all -o json", []exchange{
				{"GET /orders?limit=200", 200, page("c1", first, "{ \"id\":\n \"b\" }")},
				{"GET /orders?cursor=c1&limit=200", 200, page("c2")},
				{"GET /orders?cursor=c2&limit=200", 200, page("", pending)},
			}, 0, first + "\n" + `{"id":"b"}` + "\n" + pending + "\n", "",
		},
		scripted{"pages as they arrive", "list", interrupted, 1, heads + "a " + row, "orderctl: list orders: interrupted\n"},
		scripted{"pages as they arrive, as JSON", "list -o json", interrupted, 1, pending + "\n", "orderctl: list orders: interrupted\n"},
		scripted{
			"filter", "list --status priority_processing --customer Ada&Eve --limit 7 --from 2026-11-23T00:00:00+01:00 --to 2026-11-24T00:00:00.5Z",
			[]exchange{{"GET /orders?created_from=2026-11-23T00%3A00%3A00%2B01%3A00&created_to=2026-11-24T00%3A00%3A00.5Z" +
				"&customer=Ada%26Eve&limit=7&status=priority_processing", 200, page("")}},
			0, "No order matches.\n", "",
		},
		scripted{"limit as JSON", "list --limit 201 -o json", many, 0, strings.Join(orders, "\n") + "\n", ""},
		scripted{
			"limit", "list --limit 1", one(200, page("c", pending)), 0, heads + "a " + row,
			"There may be more: --limit shows more of them, --all shows all.\n",
		},
		scripted{
			"smaller pages where orders are long", "list -o json --limit 5", []exchange{
				{"GET /orders?limit=5", 200, spaces},
				{"GET /orders?limit=2", 200, page("c1", pending, second)},
				{"GET /orders?cursor=c1&limit=2", 200, spaces},
				{"GET /orders?cursor=c1&limit=1", 200, spaces},
			}, 1, pending + "\n" + second + "\n", "orderctl: list orders: the answer is longer than 8 MiB\n",
		},
		scripted{
			"refused", "list --limit 1", one(400, problem(400, "x", `,"errors":[{"field":"customer","message":"must be shorter"}]`)), 1, "",
			"orderctl: list orders: 400: customer must be shorter\n",
		},
		scripted{"no API", "list --limit 1", one(200, `{}`), 1, "", "orderctl: list orders: " + notAPI},
		scripted{"no orders", "list --limit 1", one(200, `{"orders":[{}]}`), 1, "", "orderctl: list orders: " + notAPI},
		scripted{"too many orders", "list --limit 1", one(200, page("", pending, second)), 1, "", "orderctl: list orders: " + notAPI},
		scripted{
			"goes in circles", "list",
			[]exchange{{"GET /orders?limit=50", 200, page("c")}, {"GET /orders?cursor=c&limit=50", 200, page("c")}},
			1, "",
			"orderctl: list orders: the API gave the same cursor twice in a row\n",
		},
	)
	orderctl(t, "list", "--api", "http://127.0.0.1:1").mustExit(t, 1, `^orderctl: list orders: no answer from the API at http://127.0.0.1:1: .*refused; is it running`)
}
