package cli_test

import "testing"

func TestAudit(t *testing.T) {
	t.Parallel()
	const (
		pause  = `{"id":"2-0","at":"2026-11-23T12:00:01Z","actor":"ops","action":"queue.pause","target":"low","request_id":"r2"}`
		cancel = `{"id":"1-0","at":"2026-11-23T12:00:00Z","actor":"a\u001b[2J","action":"order.cancel","target":"o1","reason":"ordered twice"}`
	)
	runScripted(
		t,
		scripted{
			"two pages", "audit",
			[]exchange{
				{"GET /audit?limit=50", 200, `{"entries":[` + pause + `],"next_cursor":"c1"}`},
				{"GET /audit?cursor=c1&limit=49", 200, `{"entries":[` + cancel + `]}`},
			},
			0,
			"at                            actor   action         target   reason\n" +
				"2026-11-23T12:00:01.000000Z   ops     queue.pause    low      \n" +
				"2026-11-23T12:00:00.000000Z   a [2J   order.cancel   o1       ordered twice\n", "",
		},
		scripted{
			"filtered, and no more than asked for", "audit --actor ops --action queue.pause --target low --limit 1",
			[]exchange{{"GET /audit?action=queue.pause&actor=ops&limit=1&target=low", 200, `{"entries":[` + pause + `],"next_cursor":"c1"}`}},
			0,
			"at                            actor   action        target   reason\n2026-11-23T12:00:01.000000Z   ops     queue.pause   low      \n",
			"There may be more: --limit shows more of them.\n",
		},
		scripted{
			"as JSON", "audit -o json",
			[]exchange{{"GET /audit?limit=50", 200, `{"entries":[` + pause + `]}`}},
			0, pause + "\n", "",
		},
		scripted{"nothing", "audit", []exchange{{"GET /audit?limit=50", 200, `{"entries":[]}`}}, 0, "Nothing matches.\n", ""},
		scripted{
			"error", "audit",
			[]exchange{{"GET /audit?limit=50", 500, problem(500, "Something went wrong.", "")}},
			1, "", "orderctl: get the audit: 500: Something went wrong.\n",
		},
		scripted{"no API", "audit", []exchange{{"GET /audit?limit=50", 200, `{}`}}, 1, "", "orderctl: get the audit: " + notAPI},
	)
	orderctl(t, "audit", "--limit", "0").mustExit(t, 2, `--limit must be at least 1`)
	orderctl(t, "audit", "--action", "order.delete").mustExit(t, 2, `order.cancel`)
}
