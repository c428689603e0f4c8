package chaos_test

import (
	"slices"
	"time"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/test/kit"
)

// shownFindings bounds what a failed scenario prints.
const shownFindings = 20

// awaitRest waits until every order has its outcome and every queue is empty, for as long as
// anything changes.
func (s *system) awaitRest() {
	s.t.Helper()
	var last kit.Stats
	deadline := time.Now().Add(patience)
	for {
		if v, ok := s.stats(); ok {
			if progress(v) != progress(last) {
				deadline = time.Now().Add(patience)
			}
			last = v
			if unsettled(v) == 0 && queued(v) == 0 && v.Ledger.Accepted > 0 && v.Ledger.Drift == 0 {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Errorf("the system did not come to rest, and nothing has changed for %v: %+v", patience, last)
			return
		}
		wait(100 * time.Millisecond)
	}
}

// conclude ends a scenario: it waits for rest, audits, adds a row to the table and fails
// the test for every finding.
func (s *system) conclude() *audit {
	s.t.Helper()
	return s.concludeWith(0)
}

// concludeWith is conclude for a scenario that may leave a few findings.
func (s *system) concludeWith(tolerated int) *audit {
	s.t.Helper()
	s.awaitRest()
	s.checkProcesses()
	a := newAudit(s)
	a.run()
	a.report(tolerated)
	s.checkRecovery(a.verdict)
	return a
}

// concludeByTotals ends a scenario whose records leave before the auditor could list
// them: it waits for rest and until all have left, and compares the totals of the
// statistics with the journals. The outcome of every order must be certain.
func (s *system) concludeByTotals() *audit {
	s.t.Helper()
	s.awaitRest()
	s.until("all orders are forgotten", func() bool {
		records, err := ledgertest.Keys(s.t.Context(), s.rdb, bookStart+"*}:o:*") // lists have those in the archive, too
		return err == nil && len(records) == 0 && s.archived() == 0
	})
	a := newAudit(s)
	a.verdict.Orders = int(a.stats.Ledger.Accepted)
	a.checkTotals()
	a.checkEffects()
	a.checkBooks()
	a.checkKeys()
	a.report(0)
	return a
}

// archived counts the tasks that Asynq has archived, which leave after their orders.
func (s *system) archived() (n int64) {
	archives, _ := ledgertest.Keys(s.t.Context(), s.rdb, queueStart+"*}:archived")
	for _, key := range archives {
		n += s.rdb.ZCard(s.t.Context(), key).Val()
	}
	return n
}

// report adds a row to the table, and fails the test for the findings unless they are
// tolerated.
func (a *audit) report(tolerated int) {
	a.s.t.Helper()
	results.add(a.s.name, a.s.seed, a.verdict)
	if n := len(a.findings); n <= tolerated {
		a.s.t.Logf("%d findings: %v", n, a.findings)
		return
	}
	slices.Sort(a.findings)
	slices.Reverse(a.findings) // orders before keys
	shown := min(len(a.findings), shownFindings)
	for _, finding := range a.findings[:shown] {
		a.s.t.Error(finding)
	}
	a.s.t.Errorf("%d findings", len(a.findings))
}

// checkRecovery compares the time of recovery with its bounds.
func (s *system) checkRecovery(v verdict) {
	s.t.Helper()
	if len(v.Recovery) == 0 {
		return
	}
	p99, last := percentile(v.Recovery, 99), percentile(v.Recovery, 100)
	s.t.Logf("%d orders lost their worker; begun again after p50 %v, p99 %v, max %v",
		len(v.Recovery), percentile(v.Recovery, 50), p99, last)
	if p99 > s.p99 {
		s.t.Errorf("99 of 100 orders were begun again within %v, want %v", p99, s.p99)
	}
	if last > longestRecovery() {
		s.t.Errorf("the last order was begun again after %v, want %v", last, longestRecovery())
	}
}

// checkService wants clients to have been served without an error: no 5xx, and no
// connection that broke but those which were closed while nothing was under way. A 503
// after the time that Redis has for a request is the documented answer of a machine
// that is too busy, and no error.
func (a *audit) checkService() {
	a.s.t.Helper()
	for id, o := range a.sent {
		if o.badlyServed() {
			a.s.t.Errorf("order %s: %d connections broke, %d answers were 5xx, accepted without an answer: %v", id, o.broken, o.refusedBusy, o.silent)
		}
	}
}

// checkAttempts wants every order to have been tried once.
func (a *audit) checkAttempts() {
	a.s.t.Helper()
	for id, o := range a.listed {
		if len(o.Attempts) != 1 {
			a.s.t.Errorf("order %s had %d attempts: %+v", id, len(o.Attempts), o.Attempts)
		}
	}
}
