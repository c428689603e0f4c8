package main

import (
	"fmt"
	"io"
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
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"orders":[{"id":"o1"}],"next_cursor":"%sx"}`, r.URL.Query().Get("cursor"))
	}))
	t.Cleanup(endless.Close)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "list", "--all", "--api", endless.URL)
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
	if _, err := io.ReadFull(out, make([]byte, 1000)); err != nil {
		t.Error(err)
	}
	_ = out.Close()
	if err := cmd.Wait(); err != nil || stderr.String() != "" {
		t.Errorf("it ended with %v and wrote %q", err, stderr.String())
	}
}
