package cli_test

import (
	"strings"
	"testing"

	"orderprocessor/internal/order"
)

// What follows the suggestions: how the shell is to treat them.
const (
	orFiles   = ":0\n"
	nothing   = ":4\n"
	orFolders = ":16\n"
	inOrder   = ":36\n" // nothing else, and in this order
)

func TestCompletion(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, s := range order.Statuses() {
		all.WriteString(string(s) + "\n")
	}
	var pausable strings.Builder
	for _, q := range order.Queues() {
		pausable.WriteString(string(q) + "\n")
	}
	for want, lines := range map[string][]string{
		all.String() + inOrder:                                           {"list --status ", "export --status ", "events --status ", "rules simulate --status "},
		"failed\nrejected\n" + inOrder:                                   {"retry --status "},
		"table\njson\n" + inOrder:                                        {"get --output ", "queues pause -o ", "events --output ", "rules check -o "},
		pausable.String() + inOrder:                                      {"queues pause "},
		strings.Replace(pausable.String(), "default\n", "", 1) + inOrder: {"queues resume default "},
		"ndjson\ncsv\n" + inOrder:                                        {"export --format "},
		"submit\nread\nadmin\n" + inOrder:                                {"keys new --scope "},
		orFiles:                                                          {"submit ", "stats --key-file ", "export --file ", "rules check ", "rules push "},
		orFolders:                                                        {"dev --data "},
		nothing: {
			"submit orders.ndjson ", "get ", "cancel a ", "release a ", "reject a ", "rules show ", "list --customer ", "submit --api ", "load ", "events --id ", "keys new --name ",
			"queues --api x resume --api ",
		},
	} {
		for _, line := range lines {
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				c := orderctl(t, append([]string{"__completeNoDesc"}, strings.Split(line, " ")...)...)
				if got := c.stdout.String(); got != want {
					t.Errorf("%q is completed with %q, want %q", line, got, want)
				}
			})
		}
	}
}

func TestCompletionIsExplained(t *testing.T) {
	t.Parallel()
	orderctl(t, "--help").mustExit(t, 0, `\n  completion +Generate the autocompletion script`, `"orderctl completion --help" explains how`)
}
