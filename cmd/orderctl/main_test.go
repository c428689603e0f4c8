package main

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asCommand makes the test binary behave as orderctl.
const asCommand = "TEST_BINARY_IS_ORDERCTL"

// TestMain lets a test run the command as a process of its own, with its own pipes.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run())
	}
	m.Run()
}

// TestReaderGoesAway checks that a command whose reader has seen enough, as head has,
// ends by itself and well.
func TestReaderGoesAway(t *testing.T) {
	t.Parallel()
	api := endless(t)
	for _, args := range []string{"events", "events -o json", "list --all", "list --all -o json", "watch --interval 100ms"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], append(strings.Fields(args), "--api", api)...)
			cmd.Env = append(os.Environ(), asCommand+"=1")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			defer late.Stop()
			for lines := bufio.NewReader(out); ; {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatalf("it wrote %q and ended: %v: %s", line, err, stderr.String())
				}
				if strings.Contains(line, "o1") || strings.Contains(line, "drift") {
					break
				}
			}
			_ = out.Close()
			if err := cmd.Wait(); err != nil || stderr.String() != "" {
				t.Errorf("it ended with %v and said %q", err, stderr.String())
			}
		})
	}
}

// endless is an API with an order that changes for ever, and lists without an end.
func endless(t *testing.T) (address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for n := 1; r.Context().Err() == nil; n++ {
			_, _ = fmt.Fprintf(w, "id: %d-0\nevent: order\ndata: {\"id\":\"%d-0\",\"order_id\":\"o1\",\"status\":\"pending\"}\n\n", n, n)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"orders":[{"id":"o1"}],"next_cursor":"%sx"}`, r.URL.Query().Get("cursor"))
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"by_status":{"pending":0},"ledger":{"accepted":1}}`)
	})
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api.URL
}
