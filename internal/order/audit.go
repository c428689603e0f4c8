package order

import "time"

// AuditAction names what an entry of the audit is about.
type AuditAction string

// The actions of the audit. Their targets are an order id, a queue, a version of the
// rules, a job id, the digest of a customer, and the method and path of a request.
const (
	// AuditCancel is the cancel of an order.
	AuditCancel AuditAction = "order.cancel"
	// AuditRetry is the retry of an order.
	AuditRetry AuditAction = "order.retry"
	// AuditRelease is the release of a held order.
	AuditRelease AuditAction = "order.release"
	// AuditReject is the rejection of a held order.
	AuditReject AuditAction = "order.reject"
	// AuditPause is the pause of a queue.
	AuditPause AuditAction = "queue.pause"
	// AuditResume is the end of it.
	AuditResume AuditAction = "queue.resume"
	// AuditPush is a new version of the rules.
	AuditPush AuditAction = "rules.push"
	// AuditActivate lets a version of the rules decide.
	AuditActivate AuditAction = "rules.activate"
	// AuditShadow lets a version of the rules decide without effect.
	AuditShadow AuditAction = "rules.shadow"
	// AuditEndShadow is the end of it.
	AuditEndShadow AuditAction = "rules.end_shadow"
	// AuditJobCreate is a new job.
	AuditJobCreate AuditAction = "job.create"
	// AuditJobStop is the end of a job before its time.
	AuditJobStop AuditAction = "job.stop"
	// AuditJobPause is the pause of a job.
	AuditJobPause AuditAction = "job.pause"
	// AuditJobResume is the end of it.
	AuditJobResume AuditAction = "job.resume"
	// AuditErase is a job that erases a customer.
	AuditErase AuditAction = "customer.erase"
	// AuditMonitoring is a change by Asynqmon.
	AuditMonitoring AuditAction = "monitoring.write"
)

// AuditActions returns all actions of the audit.
func AuditActions() []AuditAction {
	return []AuditAction{
		AuditCancel, AuditRetry, AuditRelease, AuditReject, AuditPause, AuditResume,
		AuditPush, AuditActivate, AuditShadow, AuditEndShadow,
		AuditJobCreate, AuditJobStop, AuditJobPause, AuditJobResume, AuditErase, AuditMonitoring,
	}
}

// AuditEntry is one line of the audit: an intervention by a person.
type AuditEntry struct {
	// ID is unique among all entries and sorts by time.
	ID string
	// At is when, UTC, by the clock of Redis, to the millisecond.
	At time.Time
	// Actor is who did it: the name of an API key.
	Actor string
	// Action is what was done.
	Action AuditAction
	// Target is to what.
	Target string
	// Reason is why; empty if none was given.
	Reason string
	// RequestID is the HTTP request that asked for it.
	RequestID string
}

// AuditFilter selects entries of the audit: those that match all of its fields exactly. An
// empty field matches all.
type AuditFilter struct {
	// Actor is who did it.
	Actor string
	// Action is what was done.
	Action AuditAction
	// Target is to what.
	Target string
}

// Matches reports whether the filter selects an entry.
func (f AuditFilter) Matches(e AuditEntry) bool {
	return (f.Actor == "" || f.Actor == e.Actor) && (f.Action == "" || f.Action == e.Action) &&
		(f.Target == "" || f.Target == e.Target)
}
