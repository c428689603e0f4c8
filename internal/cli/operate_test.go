package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/programtest"
)

// TestOperate runs the commands against the service itself.
func TestOperate(t *testing.T) {
	t.Parallel()
	api := startService(t)
	in := world{environ: []string{"ORDERCTL_API=" + api}}
	later := fmt.Sprintf(`,"process_at":%q}`, time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339))
	postponed := func(id string) string { return strings.Replace(withID(id), "}", later, 1) }
	orders := []string{
		strings.Replace(withID("rejected"), "12.50", "10000.01", 1), strings.Replace(withID("mine"), "12.50", "1000.10", 1),
		postponed("later-1"), postponed("later-2"), strings.Replace(postponed("later-3"), "Ada", "Eve", 1),
	}
	orderctlIn(t, in, "submit", fileOf(t, strings.Join(orders, "\n")), "--concurrency", "1").mustExit(t, 0, `accepted +5`)
	for _, id := range []string{"mine", "rejected"} {
		programtest.Until(t, id+" is settled", func() bool {
			return strings.Contains(orderctlIn(t, in, "get", id).stdout.String(), "processed at")
		})
	}
	orderctlIn(t, in, "get", "mine").mustExit(t, 0,
		`id +mine\nstatus +completed\nresult +Order marked for priority processing\namount +1000\.10\nitems +1: lamp\n`,
		`priority +2 \(medium\)\nqueue +critical\nhandling +priority\ndecision +approve, priority, by high value of version builtin\nrule 1 +amount limit: no\n(.*\n)+created at +\d{4}-\d\d-\d\dT\S+Z\n`,
		`processing time +\d+ ms\nattempt 1 +\S+Z, by \S+\n$`)
	orderctlIn(t, in, "get", "mine", "-o", "json").mustExit(t, 0, `^{\n  "id": "mine",\n  "amount": 1000\.10,\n`)
	orderctlIn(t, in, "get", "nobody").mustExit(t, 1, `^orderctl: get order nobody: 404: There is no order with this id\.\n$`)
	orderctlIn(t, in, "stats").mustExit(t, 0,
		`accepted +5\n +drift +0 \(the books balance\)\n +repairs +none\n +worker slots +64\n`,
		`completed +1 *\n +rejected +1 *\n`, `critical +0 +0 +0 +0 +0 +no +0\.0 s`, `end to end +\d+\.\d +\d+\.\d`)
	orderctlIn(t, in, "stats", "--output", "json").mustExit(t, 0, `\n  "ledger": {\n    "accepted": 5,\n`)

	orderctlIn(t, in, "list", "--status", "scheduled", "--customer", "Ada", "--from", "2026-01-01T00:00:00+01:00").mustExit(t, 0,
		`^id .*\nlater-2 +scheduled +12\.50 +Ada .*\nlater-1 +scheduled .*\n$`)
	orderctlIn(t, in, "list", "--to", "2026-01-01T00:00:00Z").mustPrint(t, 0, "No order matches.\n", "")
	orderctlIn(t, in, "cancel", "later-1", "later-3", "later-1", "nobody", "--reason", "ordered twice").mustPrint(t, 1,
		"later-1   cancelled\nlater-3   cancelled\nlater-1   cancelled\nnobody    not cancelled: 404: There is no order with this id.\n",
		"orderctl: 1 of 4 orders were not cancelled\n")
	orderctlIn(t, in, "get", "later-1").mustExit(t, 0, `\ncancel reason +ordered twice\n`)

	orderctlIn(t, in, "list", "--status", "rejected").mustExit(t, 0, `order amount exceeds limit\n`)
	orderctlIn(t, in, "retry", "--status", "rejected", "--dry-run", "--limit", "1").mustPrint(t, 0, "1 order would be retried\n", "")
	orderctlIn(t, in, "retry", "--status", "rejected", "--error-contains", "limit", "--older-than", "0s").
		mustPrint(t, 0, "1 order was rejected and is pending again\n", "")
	orderctlIn(t, in, "retry", "--status", "failed").mustPrint(t, 0, "No order matches.\n", "")
	orderctlIn(t, in, "retry", "later-2").mustExit(t, 1, `^later-2 +not retried: it is scheduled\n`)
	programtest.Until(t, "the order is rejected again", func() bool {
		return strings.Contains(orderctlIn(t, in, "get", "rejected").stdout.String(), "attempt 2 ")
	})

	orderctlIn(t, in, "queues", "pause", "low", "default").mustPrint(t, 0, "low       paused\ndefault   paused\n", "")
	orderctlIn(t, in, "queues").mustExit(t, 0, `critical .* no +0\.0 s *\n +default .* PAUSED .*\n +low .* PAUSED `)
	orderctlIn(t, in, "queues", "resume", "low", "default").mustPrint(t, 0, "low       worked\ndefault   worked\n", "")
}
