package cli_test

import "testing"

const noneDamaged = `{"queue":"critical","damaged":[]}`

func TestDamaged(t *testing.T) {
	t.Parallel()
	const one = `{"queue":"low","damaged":[{"order_id":"o1\u001b[2J","set_aside_at":"2026-11-23T12:00:00.5Z","message":"/wBnYXJiYWdl"}]}`
	exchanges := []exchange{
		{"GET /queues/critical/damaged", 503, away},
		{"GET /queues/critical/damaged", 200, noneDamaged},
		{"GET /queues/default/damaged", 200, noneDamaged},
		{"GET /queues/low/damaged", 200, one},
	}
	api := newScript(t, exchanges...)
	orderctl(t, "queues", "damaged", "--api", api.URL).mustEnd(t, 0,
		`queue +order +set aside at +begins with\nlow +o1.\[2J +2026-11-23T12:00:00Z +"\\xff\\x00garbage"\n$`)
	api = newScript(t, exchanges[1:]...)
	orderctl(t, "queues", "damaged", "-o", "json", "--api", api.URL).mustEnd(t, 0, `"order_id": "o1`)
	orderctl(t, "queues", "damaged", "--api", answering(t, 200, `{}`)).mustEnd(t, 1, `.`)
}

func TestStatsShowRepairs(t *testing.T) {
	t.Parallel()
	const stats = `{"by_status":{"pending":3},"ledger":{"accepted":4,"drift":0,"repairs":{"put_back":3,"removed":0,"set_aside":1}}}`
	orderctl(t, "stats", "--api", answering(t, 200, stats)).mustEnd(t, 0, `repairs +3 put back, 1 set aside\n`)
	const none = `{"by_status":{"pending":3},"ledger":{"accepted":4,"drift":0,"repairs":{"put_back":0}}}`
	orderctl(t, "stats", "--api", answering(t, 200, none)).mustEnd(t, 0, `repairs +none\n`)
}
