package ledger

import (
	"embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

//go:embed scripts/*.lua
var sources embed.FS

// The scripts, one for each kind of update or question. Each file under scripts documents
// its keys, arguments and answers.
//
//nolint:gochecknoglobals // compiled once, never changed
var (
	acceptScript        = newUpdate("accept")
	attemptScript       = newUpdate("outcome", "begin", "fail", "settle", "attempt")
	cancelScript        = newUpdate("below", "turn", "cancel")
	retryScript         = newUpdate("below", "turn", "retry")
	holdScript          = newUpdate("hold")
	releaseScript       = newUpdate("below", "turn", "release")
	rejectScript        = newUpdate("below", "turn", "reject")
	eraseScript         = newUpdate("below", "turn", "erase")
	lostScript          = newUpdate("lost")
	requeuedScript      = newUpdate("requeued")
	forgetScript        = newUpdate("forget")
	reindexScript       = newUpdate("reindex")
	repairedScript      = redis.NewScript(lua("repaired"))
	quarantineScript    = redis.NewScript(lua("quarantine"))
	endQuarantineScript = redis.NewScript(lua("endquarantine"))
	leadScript          = redis.NewScript(lua("lead"))
	totalsScript        = redis.NewScript(lua("totals"))
	listScript          = redis.NewScript(lua("below") + lua("list"))
	recountScript       = redis.NewScript(lua("recount"))
	saveRulesScript     = newAudited("saverules")
	inForceScript       = newAudited("inforce")
	auditScript         = newAudited("audit")
	archivedScript      = redis.NewScript(lua("archived"))
	markAllScript       = redis.NewScript(lua("markall"))
	backlogScript       = redis.NewScript(lua("backlog"))
	sampleScript        = redis.NewScript(lua("sample"))
	createJobScript     = newAudited("createjob")
	changeJobScript     = newAudited("changejob")
	stepJobScript       = redis.NewScript(lua("below") + lua("stepjob"))
	jobPartScript       = redis.NewScript(lua("jobpart"))
	nowScript           = redis.NewScript(lua("now"))
	fixScript           = redis.NewScript(lua("fix"))
	breakerScript       = redis.NewScript(lua("breaker"))
)

// lua returns the source of a script. Without the file no program starts.
func lua(name string) string {
	source, err := sources.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic(err)
	}
	return string(source)
}

// newUpdate returns a script that updates orders, with the prelude in front.
func newUpdate(names ...string) *redis.Script {
	var codes strings.Builder
	for _, status := range order.Statuses() {
		fmt.Fprintf(&codes, "%s = '%s', ", status, statusCodes()[status])
	}
	constants := fmt.Sprintf("local kept_events, kept_attempts, most_losses, entry_events, archive_after = %d, %d, %d, %d, %d\nlocal id_buckets = %d\nlocal codes = { %s}\n",
		order.MaxEvents, order.MaxAttemptsKept, order.MaxWorkersLost, entryEvents, archiveAfter.Microseconds(), idBuckets, codes.String())
	source := []string{auditConstants(), lua("entry"), constants, lua("prelude")}
	for _, name := range names {
		source = append(source, lua(name))
	}
	return redis.NewScript(strings.Join(source, ""))
}

// newAudited returns a script that writes into the audit.
func newAudited(name string) *redis.Script {
	return redis.NewScript(auditConstants() + lua("entry") + lua(name))
}

func auditConstants() string { return fmt.Sprintf("local audit_entries = %d\n", maxAudit) }
