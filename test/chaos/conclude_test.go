package chaos_test

import (
	"slices"
	"time"
)

// shownFindings bounds what a failed scenario prints.
const shownFindings = 20

// rest waits until every order has its outcome and every queue is empty, for as long as
// anything changes.
func (s *system) rest() {
	s.t.Helper()
	var last statsView
	deadline := time.Now().Add(restPatience)
	for {
		if v, ok := s.stats(); ok {
			if v.progress() != last.progress() {
				deadline = time.Now().Add(restPatience)
			}
			last = v
			if v.unsettled() == 0 && v.queued() == 0 && v.Ledger.Accepted > 0 && v.Ledger.Drift == 0 {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Errorf("the system did not come to rest, and nothing has changed for %v: %+v", restPatience, last)
			return
		}
		wait(100 * time.Millisecond)
	}
}

// conclude ends a scenario: it waits for rest, audits, writes the row of the table
// and fails the test for every finding.
func (s *system) conclude() *audit {
	s.t.Helper()
	s.rest()
	s.checkProcesses()
	a := newAudit(s)
	a.run()
	results.add(s.name, s.seed, a.verdict)
	slices.Sort(a.findings)
	for i, finding := range a.findings {
		if i == shownFindings {
			s.t.Errorf("and %d findings more", len(a.findings)-i)
			break
		}
		s.t.Error(finding)
	}
	s.checkRecovery(a.verdict)
	return a
}

// checkRecovery holds the time of recovery to its bounds.
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
// after the time that a request may take of Redis is the documented answer of a machine
// that is too busy, and no error.
func (a *audit) checkService() {
	a.s.t.Helper()
	for id, o := range a.sent {
		if o.illServed() {
			a.s.t.Errorf("order %s: %d connections broke, %d answers were 5xx, taken without an answer: %v", id, o.broken, o.refusedBusy, o.unheard)
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
