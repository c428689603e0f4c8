package cli_test

import "testing"

const (
	critical  = `{"name":"critical","pending":1,"active":2,"scheduled":3,"retry":4,"archived":5,"paused":false,"oldest_pending_seconds":0}`
	lowPaused = `{"name":"low","pending":1200,"active":0,"scheduled":0,"retry":0,"archived":0,"paused":true,"oldest_pending_seconds":61.5}`
	lowWorked = `{"name":"low","paused":false}`
)

func TestQueues(t *testing.T) {
	t.Parallel()
	api := newScript(t, exchange{"GET /queues", 503, away}, exchange{"GET /queues", 200, `{"queues":[` + critical + `,` + lowPaused + `]}`})
	c := orderctl(t, "queues", "--api", api.URL)
	c.mustExit(t, 0, `^ +queue +pending +active +scheduled +retry +archived +paused +oldest pending *\n`+
		` +critical +1 +2 +3 +4 +5 +no +0\.0 s *\n +low +1200 +0 +0 +0 +0 +PAUSED +61\.5 s *\n$`)
	noSuchQueue := problem(404, "There is no queue with this name.", "")
	runScripted(
		t,
		scripted{
			"as JSON", "queues -o json",
			[]exchange{{"GET /queues", 200, `{"queues":[{"name":"low","oldest_pending_seconds":61.50}]}`}},
			0,
			"{\n  \"queues\": [\n    {\n      \"name\": \"low\",\n      \"oldest_pending_seconds\": 61.50\n    }\n  ]\n}\n", "",
		},
		scripted{
			"error", "queues",
			[]exchange{{"GET /queues", 500, problem(500, "Something went wrong.", "")}},
			1, "",
			"orderctl: get queues: 500: Something went wrong.\n",
		},
		scripted{"no API", "queues", []exchange{{"GET /queues", 200, `{}`}}, 1, "", "orderctl: get queues: " + notAPI},
		scripted{
			"pause", "queues pause critical low",
			[]exchange{
				{"POST /queues/critical/pause", 404, noSuchQueue},
				{"POST /queues/low/pause", 503, away},
				{"POST /queues/low/pause", 200, lowPaused},
			},
			1,
			"critical   not paused: 404: There is no queue with this name.\nlow        paused\n", "orderctl: 1 of 2 queues were not paused\n",
		},
		scripted{
			"resume", "queues resume low",
			[]exchange{{"POST /queues/low/resume", 503, away}, {"POST /queues/low/resume", 200, lowWorked}},
			0,
			"low   worked\n", "",
		},
		scripted{"resume without an API", "queues resume low", []exchange{{"POST /queues/low/resume", 200, `{}`}}, 1, "", "orderctl: low: " + notAPI},
	)
}

func TestCorrupt(t *testing.T) {
	t.Parallel()
	const none = `{"queue":"critical","tasks":[]}`
	const one = `{"queue":"low","tasks":[{"order_id":"o1","found_at":"2026-11-23T12:00:00.5Z","message":"/wBnYXJiYWdl"}]}`
	exchanges := []exchange{
		{"GET /queues/critical/corrupt", 503, away},
		{"GET /queues/critical/corrupt", 200, none},
		{"GET /queues/default/corrupt", 200, none},
		{"GET /queues/low/corrupt", 200, one},
	}
	api := newScript(t, exchanges...)
	orderctl(t, "queues", "corrupt", "--api", api.URL).mustPrint(t, 0,
		"queue   order   found at               begins with\nlow     o1      2026-11-23T12:00:00Z   \"\\xff\\x00garbage\"\n", "")
	api = newScript(t, exchanges[1:]...)
	orderctl(t, "queues", "corrupt", "-o", "json", "--api", api.URL).mustExit(t, 0, `"order_id": "o1`)
	orderctl(t, "queues", "corrupt", "--api", answering(t, 200, `{}`)).mustExit(t, 1, `corrupt tasks of queue critical: the answer is not`)
}
