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
	for line, want := range map[string]string{
		"list --status ":               all.String() + inOrder,
		"retry --status ":              "failed\nrejected\n" + inOrder,
		"get --output ":                "table\njson\n" + inOrder,
		"queues pause -o ":             "table\njson\n" + inOrder,
		"queues pause ":                pausable.String() + inOrder,
		"queues resume default ":       strings.Replace(pausable.String(), "default\n", "", 1) + inOrder,
		"submit ":                      orFiles,
		"submit orders.ndjson ":        nothing,
		"dev --data ":                  orFolders,
		"get ":                         nothing,
		"cancel a ":                    nothing,
		"list --customer ":             nothing,
		"submit --api ":                nothing,
		"load ":                        nothing,
		"events --output ":             "table\njson\n" + inOrder,
		"events --id ":                 nothing,
		"events --status ":             all.String() + inOrder,
		"keys new --scope ":            "submit\nread\nadmin\n" + inOrder,
		"keys new --name ":             nothing,
		"stats --key-file ":            orFiles,
		"queues --api x resume --api ": nothing,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			c := orderctl(t, append([]string{"__completeNoDesc"}, strings.Split(line, " ")...)...)
			if got := c.stdout.String(); got != want {
				t.Errorf("%q is completed with %q, want %q", line, got, want)
			}
		})
	}
}

func TestCompletionIsExplained(t *testing.T) {
	t.Parallel()
	orderctl(t, "--help").mustExit(t, 0, `\n  completion +Generate the autocompletion script`, `"orderctl completion --help" explains how`)
}
