package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

// willing is an API that answers every request of every command.
func willing(t *testing.T) (address string) {
	t.Helper()
	const one = `{"id":"o1","amount":1,"items":["tea"],"status":"pending"}`
	mux := http.NewServeMux()
	for pattern, answer := range map[string]string{
		"GET /orders": `{"orders":[` + one + `]}`, "GET /orders/{id}": one, "POST /orders": one, "POST /orders/{id}/{change}": one,
		"POST /orders/retry": `{"count":1,"retried":1}`, "GET /health": `{}`,
		"GET /queues": `{"queues":[{"name":"low"}]}`, "POST /queues/{name}/{change}": `{"name":"low","paused":true}`,
		"GET /queues/{name}/corrupt": `{"queue":"low","tasks":[]}`, "GET /stats": `{"by_status":{"pending":0},"ledger":{"accepted":1}}`,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
	}
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, "id: 1-0\nevent: order\ndata: {\"id\":\"1-0\",\"order_id\":\"o1\",\"status\":\"pending\"}\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api.URL
}

// everyCommand is a run of each command that writes something and ends; the key is the
// command's path.
func everyCommand(t *testing.T) map[string][]string {
	t.Helper()
	return map[string][]string{
		"":       {"", "--help", "--version", "help submit", "__complete get --output "},
		"cancel": {"cancel o1", "cancel o1 -o json"}, "dev": {"dev --sample 2 --http 127.0.0.1:0"}, "doctor": {"doctor", "doctor -o json"},
		"events": {"events", "events -o json"}, "get": {"get o1", "get o1 -o json"},
		"keys": {"keys"}, "keys new": {"keys new --name a --scope read", "keys new --name a --scope read -o json"},
		"list": {"list", "list -o json", "list --all"}, "load": {"load --rate 10 --duration 1s", "load --rate 10 --duration 1s -o json"},
		"queues": {"queues", "queues -o json"}, "queues corrupt": {"queues corrupt", "queues corrupt -o json"},
		"queues pause": {"queues pause low", "queues pause low -o json"}, "queues resume": {"queues resume low"},
		"retry": {"retry o1", "retry o1 -o json", "retry --status failed", "retry --status failed -o json"},
		"stats": {"stats", "stats -o json"}, "submit": {"submit -"}, "watch": {"watch"},
		"completion bash": {"completion bash"}, "completion fish": {"completion fish"}, "completion powershell": {"completion powershell"},
		"completion zsh": {"completion zsh", "completion zsh --no-descriptions"}, "completion": {"completion"}, "help": {"help"},
	}
}

// runInto runs orderctl with an output.
func runInto(t *testing.T, out io.Writer, api, args string) (status int, stderr string) {
	t.Helper()
	var said strings.Builder
	w := World{
		Args: strings.Split(args, " "), Stdin: strings.NewReader(`{"id":"o1"}`), Stdout: out, Stderr: &said,
		Environ:  []string{"ORDERCTL_API=" + api, "ORDERS_ADMIN_ADDR=127.0.0.1:0"},
		LookPath: func(string) (string, error) { return "", os.ErrNotExist },
	}
	if args == "" {
		w.Args = []string{}
	}
	status = Run(t.Context(), w)
	return status, said.String()
}

// TestOutputThatCannotBeWritten checks that every command fails, and says so once, when
// what it has to say cannot be written; and that a reader that went away is no failure.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	rows := everyCommand(t)
	root := newRoot(&World{Args: []string{"--help"}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	_ = root.ExecuteContext(context.Background()) // adds help and completion
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "orderctl"), " ")
		if len(rows[path]) == 0 && !cmd.Hidden {
			t.Errorf("nothing is tried of %q", path)
		}
		if path != "" {
			rows[path] = append(rows[path], path+" --help")
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	api := willing(t)
	for _, runs := range rows {
		for _, args := range runs {
			t.Run(args, func(t *testing.T) {
				t.Parallel()
				full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
				if err != nil {
					t.Skip("this system has no /dev/full")
				}
				defer func() { _ = full.Close() }()
				status, said := runInto(t, full, api, args)
				if status != 1 || strings.Count(said, syscall.ENOSPC.Error()) != 1 {
					t.Errorf("a full disk: exit status %d: %s", status, said)
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
				if status, said := runInto(t, w, api, args); status != 0 || strings.Contains(said, "pipe") {
					t.Errorf("a reader that went away: exit status %d: %s", status, said)
				}
			})
		}
	}
}
