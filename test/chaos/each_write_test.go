package chaos_test

import (
	"strings"
	"testing"
)

// TestLostWrites loses each write of the API and of the workers on its way to
// Redis, and then each one's reply. What the writes are is learnt from what passes;
// a script that never passes fails the test.
func TestLostWrites(t *testing.T) {
	s := open(t, "e each write is lost, and its reply")
	known := knowScripts(s)
	m := &mill{s: s, known: known}
	s.shop.treat = m.treat
	keep := "ORDERS_RETENTION=5s"
	url, api := s.sabotage("API", known)
	s.addAPIs(1, "REDIS_URL="+url, keep)
	url, workers := s.sabotage("worker", known)
	s.addWorkers(2, "REDIS_URL="+url, keep, "ORDERS_SHUTDOWN_TIMEOUT=31s")
	m.saboteurs = []*saboteur{api, workers}
	m.run()
	a := s.concludeByTotals()
	a.checkKinds("200", "201", "503")
	t.Logf("writes of the API: %v", strings.Join(api.broken(), "; "))
	t.Logf("writes of workers: %v", strings.Join(workers.broken(), "; "))
}
