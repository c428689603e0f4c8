package ledgertest

import (
	"slices"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// checkJobs checks that the jobs are those of their indexes, that every order that a job has
// changed either has been counted with its outcome or names the job, and that the counts of
// a job that is done add up.
func (b *books) checkJobs() {
	changing := map[string]int64{}
	for id, r := range b.records {
		for _, job := range strings.Fields(r["i"]) {
			changing[job]++
		}
		if r["i"] != "" && order.Status(r["s"]).Settled() {
			b.problem("order %s is %s and still names the jobs %q", id, r["s"], r["i"])
		}
	}
	for id := range b.jobIndex {
		if b.jobs[id] == nil {
			b.problem("the index of jobs has job %s, which is not there", id)
		}
	}
	for id, job := range b.jobs {
		b.checkJob(id, job, changing[id])
	}
}

func (b *books) checkJob(id string, job map[string]string, changing int64) {
	if done, outcomes := number(job["done"]), outcomes(job); job["action"] != "erase" && done != outcomes+changing {
		b.problem("job %s has changed %d orders, %d of them are settled and %d are not", id, done, outcomes, changing)
	}
	if b.prefix != Book {
		return // a part of a job, see job_parts.go of the ledger
	}
	if at := b.jobIndex[id]; strconv.FormatFloat(at, 'f', 0, 64) != job["created"] {
		b.problem("job %s was created at %s but its index has %v", id, job["created"], at)
	}
	ended := slices.Contains([]string{"done", "stopped", "failed"}, job["state"])
	if _, open := b.openJobs[id]; open == ended || ended != (job["ended"] != "") {
		b.problem("job %s is %s, ended at %q, and among those that have not ended: %t", id, job["state"], job["ended"], open)
	}
}

func outcomes(job map[string]string) (n int64) {
	for name := range job {
		if strings.HasPrefix(name, "outcome:") {
			n += number(job[name])
		}
	}
	return n
}

// add adds what another book has of the jobs.
func (b *books) add(other *books) {
	for id, part := range other.jobs {
		for _, count := range []string{"done", "skipped"} {
			if b.jobs[id] != nil {
				b.jobs[id][count] = strconv.FormatInt(number(b.jobs[id][count])+number(part[count]), 10)
			}
		}
	}
}

// checkHandled checks that the counts of a job, over all books, add up.
func (b *books) checkHandled() {
	for id, job := range b.jobs {
		n := func(name string) int64 { return number(job[name]) }
		handled := n("done") + n("skipped") + n("failed")
		if dry := strings.Contains(job["doc"], `"DryRun":true`); handled > n("matched") || job["state"] == "done" && !dry && handled != n("matched") {
			b.problem("job %s is %s: %d orders matched, and %d were handled", id, job["state"], n("matched"), handled)
		}
	}
}
