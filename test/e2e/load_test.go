package e2e_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLoad sends a load with the real orderctl, one by one and in batches, and
// finds every order of it in the books, in the queue of its share.
func TestLoad(t *testing.T) {
	s := start(t)
	s.worker()
	table := s.load("--rate", "100", "--duration", "1s")
	for _, pattern := range []string{
		`^   asked +100 orders per second for 1s, one by one, critical=1,default=8,low=1\n   sent +\d+ orders, [\d.]+ per second\n`,
		`   refused +0\n   no answer +0\n`,
		`since the request was due( +\d+\.\d){5}\n`,
		`   settled +\d+ orders, [\d.]+ per second\n   backlog +0 orders before, \d+ after: `,
		`   end to end( +\d+\.\d){3}\n\nThe rate was .*\nThe workers .*\n$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(table) {
			t.Errorf("the table does not match %s:\n%s", pattern, table)
		}
	}
	accepted := s.Stats().Ledger.Accepted
	if accepted == 0 || !strings.Contains(table, fmt.Sprintf("   accepted    %d\n", accepted)) {
		t.Errorf("%d orders are in the books, and the table says:\n%s", accepted, table)
	}
	var batches struct {
		Sent     int64 `json:"sent"`
		Accepted int64 `json:"accepted"`
	}
	if err := json.Unmarshal([]byte(s.load("--rate", "500", "--batch", "100", "--duration", "1s", "--mix", "low=1", "--output", "json")), &batches); err != nil {
		t.Fatal(err)
	}
	accepted += batches.Accepted
	s.untilProcessed(int(accepted))
	if st := s.Stats(); batches.Accepted != batches.Sent || batches.Sent == 0 || st.Ledger.Accepted != accepted || st.SuccessCount != accepted {
		t.Errorf("the batches were %+v, and after them the statistics are %+v", batches, st)
	}
	newest := s.Orders()[0] // the list has the newest first
	if newest.Queue != "low" {
		t.Errorf("the newest order waited in %s", newest.Queue)
	}
}

// load runs orderctl load, which has to accept all orders, and returns what it
// wrote.
func (s *system) load(args ...string) string {
	s.t.Helper()
	run := exec.CommandContext(s.t.Context(), filepath.Join(binaries, "orderctl"), append([]string{"load", "--api", s.URL}, args...)...)
	out, err := run.Output()
	if err != nil {
		s.t.Fatalf("orderctl load: %v\n%s", err, out)
	}
	return string(out)
}
