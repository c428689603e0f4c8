package order

import "time"

// JobAction is what a job does with each of its orders.
type JobAction string

// The actions of a job.
const (
	// JobRetry retries orders that failed or were rejected.
	JobRetry JobAction = "retry"
	// JobCancel cancels orders that are not settled.
	JobCancel JobAction = "cancel"
	// JobRelease releases held orders.
	JobRelease JobAction = "release"
	// JobReject rejects held orders.
	JobReject JobAction = "reject"
	// JobErase replaces what is personal in settled orders of a customer, the filter's, here
	// and in the archive. Once it has ended, nobody can tell whose orders they were.
	JobErase JobAction = "erase"
)

// JobActions returns the actions that a job can be created with, by a filter.
func JobActions() []JobAction { return []JobAction{JobRetry, JobCancel, JobRelease, JobReject} }

// Statuses returns the statuses in which an order can be for the action.
func (a JobAction) Statuses() []Status {
	switch a {
	case JobRetry:
		return []Status{StatusRejected, StatusFailed}
	case JobCancel:
		return []Status{StatusScheduled, StatusPending, StatusHeld, StatusRetrying}
	case JobRelease, JobReject:
		return []Status{StatusHeld}
	default:
		return nil
	}
}

// JobState is where a job is in its life. Each constant says what it means and what ends
// it.
type JobState string

// The states of a job.
const (
	// JobCounting is counting the orders that match. It ends when all are counted.
	JobCounting JobState = "counting"
	// JobRunning is changing them. It ends with the last one.
	JobRunning JobState = "running"
	// JobPaused is doing nothing, as somebody or its canary has paused it. It ends when
	// somebody resumes or stops it.
	JobPaused JobState = "paused"
	// JobDone has changed all of them. Their outcomes may still come. Final.
	JobDone JobState = "done"
	// JobStopped was ended before, by somebody or by too many failures. Final.
	JobStopped JobState = "stopped"
	// JobFailed could not be carried out. Final.
	JobFailed JobState = "failed"
)

// Ended reports whether the state is final.
func (s JobState) Ended() bool { return s == JobDone || s == JobStopped || s == JobFailed }

// The bounds of jobs.
const (
	// MaxRunningJobs is how many jobs there may be that have not ended.
	MaxRunningJobs = 10
	// MaxJobs is how many jobs are kept, the newest ones.
	MaxJobs = 1000
	// MaxJobOrders bounds Limit, StopAfterFailures and Canary of a job.
	MaxJobOrders = 10_000_000
	// MaxJobRate bounds PerSecond of a job.
	MaxJobRate = 10_000
	// MaxJobReasonChars bounds the reason of a job. With the job's id in front it is the
	// reason of each order's change.
	MaxJobReasonChars = 200
)

// Job changes all orders that match a filter, as somebody wants it. It changes those that
// match when it is created: an order that was accepted, failed or was held since, or
// changed otherwise so that it would not be the same decision, is left alone.
type Job struct {
	// ID names it among all jobs.
	ID string
	// Action is what it does with each order.
	Action JobAction
	// Filter selects the orders.
	Filter Filter
	// Actor is who created it: the name of an API key.
	Actor string
	// Reason is why, up to MaxJobReasonChars; it may be empty but for a rejection.
	Reason string
	// Limit is how many orders it changes at most; 0 for any number.
	Limit int
	// PerSecond is how many orders it changes in a second at most; 0 for any number.
	PerSecond int
	// StopAfterFailures stops the job when so many of its orders have failed again; 0 never
	// does.
	StopAfterFailures int
	// Canary is how many orders it changes first. It goes on when all of them have their
	// outcomes and none has failed again, and pauses otherwise; 0 for none.
	Canary int
	// DryRun only counts.
	DryRun bool
	// State is where it is.
	State JobState
	// Matched is how many orders match. It grows while the job counts.
	Matched int64
	// Done is how many orders it has changed.
	Done int64
	// Skipped is how many it has left alone: they changed or went away since the job was
	// created, cannot be changed so, or are beyond the limit.
	Skipped int64
	// Failed is how many it could not change for another reason, which is in the log. In
	// the state JobDone, Done, Skipped and Failed add up to Matched, but for a dry run.
	Failed int64
	// Outcomes is how many of the changed orders have had each outcome since.
	Outcomes map[Status]int64
	// CreatedAt is when it was created, UTC, by the clock of Redis.
	CreatedAt time.Time
	// UpdatedAt is when it last came forward, or was changed.
	UpdatedAt time.Time
	// EndedAt is when it ended; zero before.
	EndedAt time.Time
	// Error is why it paused itself, stopped itself or failed; empty otherwise.
	Error string
	// Position is how far the walk through the list of orders has come, first to count and
	// then to change.
	Position Position
	// CanaryPassed means that the canary has been judged, or that somebody resumed the job
	// after it.
	CanaryPassed bool
}

// FailedAgain is how many of the changed orders have failed since, or were rejected by
// the rules.
func (j Job) FailedAgain() int64 {
	if j.Action == JobReject {
		return j.Outcomes[StatusFailed]
	}
	return j.Outcomes[StatusFailed] + j.Outcomes[StatusRejected]
}

// Settled is how many of the changed orders have had an outcome since.
func (j Job) Settled() int64 {
	var n int64
	for _, count := range j.Outcomes {
		n += count
	}
	return n
}

// Intervention returns what the job does to an order whose newest event has a sequence
// number.
func (j Job) Intervention(sequence int) Intervention {
	reason := "job " + j.ID
	if j.Reason != "" {
		reason += ": " + j.Reason
	}
	return Intervention{Actor: j.Actor, Reason: reason, Job: j.ID, Sequence: sequence}
}

// Matches reports whether an order, with its timeline, is one of those that the job is to
// change. An order that does not match any more will never match again.
func (j Job) Matches(h History) bool {
	before := j.statusBefore(h)
	if !h.Record.CreatedAt.After(j.CreatedAt) && j.has(before) && (j.Filter.Status == "" || j.Filter.Status == before) {
		return j.Filter.Matches(h.Record)
	}
	return false
}

func (j Job) has(s Status) bool {
	for _, one := range j.Action.Statuses() {
		if one == s {
			return true
		}
	}
	return false
}

// statusBefore returns the status that the order had when the job was created; empty if it
// has changed since so that it is not the job's any more. An unsettled order may go on,
// unless it is to be released or rejected.
func (j Job) statusBefore(h History) Status {
	status := h.Record.Status // records of earlier versions have no timeline
	if n := len(h.Events); n > 1 && h.Sequence > n && h.Events[1].At.After(j.CreatedAt) {
		return "" // too much has happened since
	} else if n > 0 {
		status = ""
	}
	for _, e := range h.Events {
		switch {
		case !e.At.After(j.CreatedAt):
			status = e.Status
		case j.Action != JobCancel, e.Status.Settled():
			return ""
		}
	}
	return status
}

// JobStep is how a job comes forward.
type JobStep struct {
	// Position is how far the walk has come.
	Position Position
	// Matched is how many more orders match.
	Matched int64
	// Failed is how many more orders could not be changed.
	Failed int64
	// State is the state that follows.
	State JobState
	// Left is how many orders an erasure had to leave as they are, at its end.
	Left int64
	// Error is why, if it ends or pauses by itself.
	Error string
	// CanaryPassed means that the canary has been judged.
	CanaryPassed bool
}

// Indexes returns the statuses in which the orders of the job may be now.
func (j Job) Indexes() []Status {
	switch {
	case j.Action == JobCancel: // they may go on while the job runs
		return unsettled()
	case j.Filter.Status != "":
		return []Status{j.Filter.Status}
	default:
		return j.Action.Statuses()
	}
}

func unsettled() []Status {
	var all []Status
	for _, s := range Statuses() {
		if !s.Settled() {
			all = append(all, s)
		}
	}
	return all
}
