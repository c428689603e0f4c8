package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

// TestGuide runs the commands of docs/API.md, one block after the other, as a
// reader would: each of them must be answered with success.
func TestGuide(t *testing.T) {
	for _, program := range []string{"bash", "curl"} {
		programtest.Need(t, program)
	}
	guide, err := os.ReadFile("../../docs/API.md")
	if err != nil {
		t.Fatal(err)
	}
	shop := openShop(t, func(id string, _ int) int {
		if id == "shop-1001" { // the guide retries it, so it has to fail
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	s := start(t)
	s.worker("ORDERS_FULFILMENT_URL=" + shop.url)
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte("fail-with-body\nsilent\nshow-error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	for _, block := range blocks {
		commands := strings.ReplaceAll(block[1], "http://127.0.0.1:8080", s.url)
		run := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail", "-c", commands)
		run.Env = append(os.Environ(), "HOME="+home)
		if out, err := run.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\nanswered:\n%s", err, commands, out)
		}
		if strings.Contains(commands, `"id": "shop-1001"`) {
			s.settled("shop-1001")
		}
	}
	if len(blocks) < 8 {
		t.Errorf("only %d blocks of commands were found", len(blocks))
	}
	if st := s.stats(); st.Ledger.Retried != 1 || st.ByStatus["cancelled"] != 1 || st.Ledger.Accepted != 5 {
		t.Errorf("after all commands: %+v", st)
	}
}
