package cli_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"orderprocessor/internal/cli"
	"orderprocessor/internal/redistest"
)

// newFullAPI returns an API that answers every request of every command.
func newFullAPI(t *testing.T) *fakeAPI {
	t.Helper()
	const one = `{"id":"o1","amount":1,"items":["tea"],"status":"pending"}`
	return newFakeAPI(t, routes{
		"GET /orders": {{body: `{"orders":[` + one + `]}`}}, "GET /orders/{id}": {{body: one}}, "POST /orders": {{body: one}},
		"GET /orders/{id}/decision": {{status: 404}}, "POST /orders/{id}/{change}": {{body: one}}, "GET /rules": {{body: ruleSets}}, "GET /rules/builtin": {{body: ruleSet}},
		"POST /rules": {{body: `{"version":"0123456789ab"}`}}, "POST /rules/builtin/{change}": {{body: `{"active":"builtin"}`}},
		"POST /rules/builtin/simulate": {ndjson(simulated)},
		"POST /orders/retry":           {{body: `{"count":1,"retried":1}`}}, "GET /health": {{}},
		"GET /queues": {{body: `{"queues":[{"name":"low"}]}`}}, "POST /queues/{name}/{change}": {{body: `{"name":"low","paused":true}`}},
		"GET /queues/{name}/corrupt": {{body: `{"queue":"low","tasks":[]}`}}, "GET /stats": {{body: statsOf(0)}}, "GET /workers": {{body: `{"workers":[]}`}},
		"GET /orders/export": {ndjson(`{"id":"o1"}`)}, "GET /failures": {{body: `{"groups":[]}`}},
		"GET /jobs": {{body: `{"jobs":[]}`}}, "GET /jobs/{id}": {{body: `{"id":"j1","state":"done"}`}}, "POST /jobs": {{body: `{"id":"j1"}`}},
		"POST /jobs/{id}/{change}": {{body: `{"id":"j1","state":"paused"}`}},
		"GET /audit":               {{body: `{"entries":[{"id":"1-0"}]}`}}, "GET /events": {openStream(change("1-0", "o1", "pending", ""))},
	})
}

// everyCommand returns runs of each command that write something and end, by the path of
// the command.
func everyCommand() map[string][]string {
	return map[string][]string{
		"":      {"", "--help", "--version", "help submit", "__complete get --output t"},
		"audit": {"audit", "audit -o json"}, "books": {"books", "books -o json", "books o1"},
		"jobs": {"jobs"}, "jobs list": {"jobs list", "jobs list -o json"}, "jobs get": {"jobs get j1", "jobs get j1 -o json"},
		"jobs create": {"jobs create retry", "jobs create retry --wait", "jobs create retry -o json"}, "jobs pause": {"jobs pause j1"},
		"jobs resume": {"jobs resume j1"}, "jobs stop": {"jobs stop j1", "jobs stop j1 -o json"},
		"cancel": {"cancel o1", "cancel o1 -o json"}, "dev": {"dev --sample 2 --http 127.0.0.1:0"}, "doctor": {"doctor", "doctor -o json"},
		"events": {"events", "events -o json"}, "export": {"export"}, "failures": {"failures", "failures -o json"}, "get": {"get o1", "get o1 -o json"},
		"keys": {"keys"}, "keys new": {"keys new --name a --scope read", "keys new --name a --scope read -o json"},
		"list": {"list", "list -o json", "list --all"}, "load": {"load --rate 10 --duration 1s", "load --rate 10 --duration 1s -o json"},
		"prove":  {"prove --help"}, // it refuses an API that has every order
		"queues": {"queues", "queues -o json"}, "queues corrupt": {"queues corrupt", "queues corrupt -o json"},
		"queues pause": {"queues pause low", "queues pause low -o json"}, "queues resume": {"queues resume low"},
		"retry":   {"retry o1", "retry o1 -o json", "retry --status failed", "retry --status failed -o json"},
		"release": {"release o1"}, "reject": {"reject o1 --reason x"},
		"rules activate": {"rules activate builtin", "rules activate builtin -o json"}, "rules list": {"rules list", "rules list -o json"},
		"rules push": {"rules push testdata/rules.yaml"}, "rules shadow": {"rules shadow builtin"}, "rules show": {"rules show builtin"},
		"rules simulate": {"rules simulate builtin", "rules simulate builtin -o json"},
		"rules":          {"rules"}, "rules check": {"rules check testdata/rules.yaml", "rules check testdata/rules.yaml -o json"},
		"stats": {"stats", "stats -o json"}, "submit": {"submit -"}, "watch": {"watch"}, "workers": {"workers", "workers -o json"},
		"completion bash": {"completion bash"}, "completion fish": {"completion fish"}, "completion powershell": {"completion powershell"},
		"completion zsh": {"completion zsh", "completion zsh --no-descriptions"}, "completion": {"completion"}, "help": {"help"},
	}
}

// TestOutputThatCannotBeWritten checks that every command fails with one error when its
// output cannot be written, and that a reader that went away is no failure.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	rows := everyCommand()
	root := cli.NewRoot()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "orderctl"), " ")
		if len(rows[path]) == 0 && !cmd.Hidden {
			t.Errorf("no row runs %q", path)
		}
		if path != "" {
			rows[path] = append(rows[path], path+" --help")
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	environ := []string{"ORDERCTL_API=" + newFullAPI(t).URL, "ORDERS_ADMIN_ADDR=127.0.0.1:0"}
	withRedis := append(slices.Clone(environ), "REDIS_URL="+redistest.Start(t).URL())
	run := func(t *testing.T, out *os.File, args string) (status int, stderr string) {
		environ := environ
		if strings.HasPrefix(args, "books") {
			environ = withRedis
		}
		in := world{environ: environ, stdin: strings.NewReader(`{"id":"o1"}`), out: out, lookPath: notFound}
		c := orderctlIn(t, in, strings.Fields(args)...)
		return c.status, c.stderr.String()
	}
	for _, runs := range rows {
		for _, args := range runs {
			t.Run(args, func(t *testing.T) {
				t.Parallel()
				full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
				if err != nil {
					t.Skip("this system has no /dev/full")
				}
				defer func() { _ = full.Close() }()
				status, stderr := run(t, full, args)
				if status != 1 || strings.Count(stderr, syscall.ENOSPC.Error()) != 1 {
					t.Errorf("a full disk: exit status %d: %s", status, stderr)
				}
				if args == "doctor" || args == "doctor -o json" {
					return // there is no Redis, which is a problem that an absent reader does not hide
				}
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = w.Close() }()
				_ = r.Close()
				if status, stderr := run(t, w, args); status != 0 || strings.Contains(stderr, "pipe") {
					t.Errorf("a reader that went away: exit status %d: %s", status, stderr)
				}
			})
		}
	}
}
