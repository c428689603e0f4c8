package cli_test

import "testing"

// TestStatsOfBooks shows several books, one of which is away.
func TestStatsOfBooks(t *testing.T) {
	t.Parallel()
	const answer = `{"by_status":{"pending":3},"queues":{},"ledger":{"accepted":13,"drift":1,
		"books":[{"book":0,"accepted":7,"unsettled":2,"drift":0},{"book":1,"accepted":6,"unsettled":1,"drift":1,"away":true}]}}`
	api := newScript(t, exchange{"GET /stats", 200, answer})
	orderctlIn(t, world{}, "stats", "--api", api.URL).mustExit(t, 0,
		`\n *book +accepted +unsettled +drift *\n *0 +7 +2 +0 *\n *1 \(away; as last known\) +6 +1 +1 *\n\n *status +orders`)
}
