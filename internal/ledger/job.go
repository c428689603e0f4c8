package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// A job is a hash with these fields; times are in microseconds. For the scripts it also has
// limit, canary and stop_after as the document has them, counted once all orders are
// counted, and judged once its canary has failed.
const (
	jobAction       = "action"
	jobDocument     = "doc"      // what never changes, see jobContent
	jobCustomer     = "customer" // whom it erases, until it has ended
	jobState        = "state"
	jobPosition     = "position" // how far it has come: time of acceptance and id of an order, empty at the start
	jobMatched      = "matched"
	jobDone         = "done"
	jobSkipped      = "skipped"
	jobFailed       = "failed"
	jobCreated      = "created"
	jobUpdated      = "updated"
	jobEnded        = "ended"
	jobError        = "error"
	jobCanaryPassed = "canary_passed"
	jobOutcome      = "outcome:" // followed by the outcome: how many of its orders had it
)

// jobContent is the document of a job. Its names, and those of the filter, must not change
// while jobs are kept.
type jobContent struct {
	Filter            order.Filter
	Actor             string
	Reason            string
	Limit             int
	PerSecond         int
	StopAfterFailures int
	Canary            int
	DryRun            bool
	Erases            string `json:",omitzero"` // digest of the customer whom it erases
}

// CreateJob records a job, which then counts, and writes it into the audit. It reports
// whether the job is new: a job that is known stays as it is. It returns
// order.ErrConflict for a known id of another job, and order.ErrTooManyJobs while order.MaxRunningJobs have not ended. Of more than order.MaxJobs
// jobs, the oldest that have ended go.
func (l *Ledger) CreateJob(ctx context.Context, j order.Job, requestID string) (stored order.Job, isNew bool, err error) {
	customer, digest, action, target := "", "", order.AuditJobCreate, j.ID
	filtered := j.Filter.Customer
	if j.Action == order.JobErase { // what stays of the job must not name the customer
		filtered, customer, digest = "", filtered, customerDigest(filtered)
		action, target = order.AuditErase, digest
	}
	text, err := json.Marshal(contentOf(j, filtered, digest))
	if err != nil {
		return order.Job{}, false, fmt.Errorf("create job %s: %w", j.ID, err)
	}
	answer, err := createJobScript.Run(ctx, l.rdb, []string{l.keys.counters, l.keys.jobs, l.keys.openJobs, l.keys.audit, l.keys.job(j.ID)},
		order.MaxRunningJobs, order.MaxJobs, l.keys.job(""), j.ID, string(j.Action), text, customer, j.Limit, j.Canary, j.StopAfterFailures,
		string(action), order.Printable(j.Actor), target, order.Printable(j.Reason), requestID).Slice()
	if err != nil {
		return order.Job{}, false, wrap(err, "create job %s", j.ID)
	}
	word, stored, err := jobAnswer(j.ID, answer)
	switch word {
	case "full":
		err = order.ErrTooManyJobs
	case "conflict":
		err = order.ErrConflict
	}
	if err != nil {
		return order.Job{}, false, fmt.Errorf("create job %s: %w", j.ID, err)
	}
	_ = l.setParts(ctx, stored, false) // what is missing is made when the job comes to it
	return stored, word == "created", nil
}

// contentOf is the document of a job, with the customer of its filter and the digest of the
// one whom it erases.
func contentOf(j order.Job, customer, digest string) jobContent {
	j.Filter.Customer = customer
	return jobContent{
		Filter: j.Filter, Actor: order.Printable(j.Actor), Reason: j.Reason, Limit: j.Limit, PerSecond: j.PerSecond,
		StopAfterFailures: j.StopAfterFailures, Canary: j.Canary, DryRun: j.DryRun, Erases: digest,
	}
}

// Job returns a job, or order.ErrNoJob.
func (l *Ledger) Job(ctx context.Context, id string) (order.Job, error) {
	jobs, err := l.readJobs(ctx, []string{id})
	if err == nil && len(jobs) == 0 {
		err = order.ErrNoJob
	}
	if err != nil {
		return order.Job{}, fmt.Errorf("read job %s: %w", id, err)
	}
	return jobs[0], nil
}

// Jobs returns the newest jobs, at most limit, newest first.
func (l *Ledger) Jobs(ctx context.Context, limit int) ([]order.Job, error) {
	ids, err := l.rdb.ZRevRange(ctx, l.keys.jobs, 0, int64(limit)-1).Result()
	if err != nil {
		return nil, wrap(err, "list jobs")
	}
	return l.readJobs(ctx, ids)
}

// OpenJobs returns the jobs that have not ended, oldest first.
func (l *Ledger) OpenJobs(ctx context.Context) ([]order.Job, error) {
	ids, err := l.rdb.ZRange(ctx, l.keys.openJobs, 0, -1).Result()
	if err != nil {
		return nil, wrap(err, "list the jobs that run")
	}
	return l.readJobs(ctx, ids)
}

// readJobs returns those of the jobs that there are.
func (l *Ledger) readJobs(ctx context.Context, ids []string) ([]order.Job, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	parts, err := each(l.books, func(b *Book) ([]map[string]string, error) { return b.readParts(ctx, ids) })
	if err != nil {
		return nil, err
	}
	jobs := make([]order.Job, 0, len(ids))
	var unreadable []error
	for i, id := range ids {
		if len(parts[0][i]) == 0 {
			continue
		}
		j, err := parseJob(id, parts[0][i])
		if err != nil {
			unreadable = append(unreadable, err)
			continue
		}
		for _, part := range parts[1:] {
			addPart(&j, part[i])
		}
		jobs = append(jobs, j)
	}
	return jobs, errors.Join(unreadable...)
}

// ChangeJob pauses, resumes or stops a job, as its new state JobPaused, JobRunning or
// JobStopped says, and writes that into the audit. After it, a paused or stopped job changes
// no further order. A job that is in this state stays as it is; a resumed one counts first
// if it has not. ChangeJob returns order.ErrJobEnded with the job if it has ended otherwise,
// and order.ErrNoJob.
func (l *Ledger) ChangeJob(ctx context.Context, id string, to order.JobState, by order.Intervention) (order.Job, error) {
	action := map[order.JobState]order.AuditAction{
		order.JobPaused: order.AuditJobPause, order.JobRunning: order.AuditJobResume, order.JobStopped: order.AuditJobStop,
	}[to]
	if to == order.JobRunning && len(l.books) > 1 { // the first book last: with it the job goes on
		known, err := l.otherParts(ctx, id, l.first())
		if known.State != "" && err == nil {
			known.State = to
			err = l.setParts(ctx, known, true)
		}
		if err != nil {
			return order.Job{}, err
		}
	}
	answer, err := changeJobScript.Run(ctx, l.rdb, []string{l.keys.job(id), l.keys.openJobs, l.keys.audit},
		id, string(to), string(action), order.Printable(by.Actor), by.RequestID).Slice()
	if err != nil {
		return order.Job{}, wrap(err, "change job %s", id)
	}
	word, j, err := jobAnswer(id, answer)
	switch word {
	case "missing":
		err = order.ErrNoJob
	case "ended":
		err = order.ErrJobEnded
	}
	if err != nil {
		return j, fmt.Errorf("change job %s: %w", id, err)
	}
	if to != order.JobRunning {
		if err := l.setParts(ctx, j, true); err != nil {
			return order.Job{}, err
		}
	}
	return l.withParts(ctx, j)
}

// StepJob brings a job forward if it still has the state and the position of the one given,
// and returns it as it is then. Repeating it is safe. It returns order.ErrNoJob.
func (l *Ledger) StepJob(ctx context.Context, j order.Job, step order.JobStep) (order.Job, error) {
	left := ""
	if j.Action == order.JobErase {
		left = strconv.FormatInt(step.Left, 10)
	}
	others, err := l.otherParts(ctx, j.ID, l.first())
	if err != nil {
		return order.Job{}, err
	}
	answer, err := stepJobScript.Run(ctx, l.rdb, []string{l.keys.job(j.ID), l.keys.openJobs}, j.ID, string(j.State), writePosition(j.Position),
		writePosition(step.Position), step.Matched, step.Failed, string(step.State), order.Printable(step.Error), mark(step.CanaryPassed), left,
		others.Done, others.Skipped).Slice()
	if err != nil {
		return order.Job{}, wrap(err, "step job %s", j.ID)
	}
	if len(answer) == 0 {
		return order.Job{}, fmt.Errorf("step job %s: %w", j.ID, order.ErrNoJob)
	}
	fields, err := pairs([]any{answer})
	if err != nil {
		return order.Job{}, fmt.Errorf("step job %s: %w", j.ID, err)
	}
	now, err := parseJob(j.ID, fields)
	if err != nil {
		return now, err
	}
	if now.State != j.State && now.State != order.JobRunning {
		if err := l.setParts(ctx, now, true); err != nil {
			return now, err
		}
	}
	return l.withParts(ctx, now)
}

// jobAnswer reads a word and, if they are there, the fields of a job.
func jobAnswer(id string, answer []any) (word string, j order.Job, err error) {
	word, _ = answer[0].(string)
	if len(answer) < 2 {
		return word, order.Job{}, nil
	}
	fields, err := pairs(answer[1:])
	if err != nil {
		return word, order.Job{}, err
	}
	j, err = parseJob(id, fields)
	return word, j, err
}

func parseJob(id string, fields map[string]string) (order.Job, error) {
	var c jobContent
	if err := json.Unmarshal([]byte(fields[jobDocument]), &c); err != nil {
		return order.Job{}, fmt.Errorf("parse job %s: %w: %w", id, order.ErrUnreadable, err)
	}
	number := func(name string) int64 { return numberOf(fields[name]) }
	j := order.Job{
		ID: id, Action: order.JobAction(fields[jobAction]), Filter: c.Filter, Actor: c.Actor, Reason: c.Reason,
		Limit: c.Limit, PerSecond: c.PerSecond, StopAfterFailures: c.StopAfterFailures, Canary: c.Canary, DryRun: c.DryRun,
		State: order.JobState(fields[jobState]), Matched: number(jobMatched), Done: number(jobDone),
		Skipped: number(jobSkipped), Failed: number(jobFailed), Outcomes: map[order.Status]int64{},
		CreatedAt: parseTime(fields[jobCreated]), UpdatedAt: parseTime(fields[jobUpdated]), EndedAt: parseTime(fields[jobEnded]),
		Error: fields[jobError], Position: readPosition(fields[jobPosition]), CanaryPassed: fields[jobCanaryPassed] != "",
	}
	if j.Action == order.JobErase {
		j.Filter.Customer = fields[jobCustomer]
	}
	addOutcomes(&j, fields)
	return j, nil
}

func writePosition(p order.Position) string {
	if p.IsZero() {
		return ""
	}
	return score(p.CreatedAt) + " " + p.ID
}

func readPosition(text string) order.Position {
	at, id, ok := strings.Cut(text, " ")
	if !ok {
		return order.Position{}
	}
	return order.Position{CreatedAt: parseTime(at), ID: id}
}
