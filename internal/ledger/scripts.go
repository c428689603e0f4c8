package ledger

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

//go:embed scripts/prelude.lua
var prelude string

//go:embed scripts/accept.lua
var acceptLua string

//go:embed scripts/begin.lua
var beginLua string

//go:embed scripts/fail.lua
var failLua string

//go:embed scripts/settle.lua
var settleLua string

//go:embed scripts/requeued.lua
var requeuedLua string

//go:embed scripts/forget.lua
var forgetLua string

//go:embed scripts/cancel.lua
var cancelLua string

//go:embed scripts/retry.lua
var retryLua string

//go:embed scripts/lost.lua
var lostLua string

//go:embed scripts/repaired.lua
var repairedLua string

//go:embed scripts/quarantine.lua
var quarantineLua string

//go:embed scripts/endquarantine.lua
var endQuarantineLua string

//go:embed scripts/lead.lua
var leadLua string

//go:embed scripts/totals.lua
var totalsLua string

//go:embed scripts/list.lua
var listLua string

//go:embed scripts/reindex.lua
var reindexLua string

//go:embed scripts/recount.lua
var recountLua string

// The scripts, one for each kind of update or question. Each file under scripts documents its keys,
// arguments and answers.
//
//nolint:gochecknoglobals // compiled once, never changed
var (
	acceptScript        = newUpdate(acceptLua)
	beginScript         = newUpdate(beginLua)
	failScript          = newUpdate(failLua)
	settleScript        = newUpdate(settleLua)
	cancelScript        = newUpdate(cancelLua)
	retryScript         = newUpdate(retryLua)
	lostScript          = newUpdate(lostLua)
	requeuedScript      = newUpdate(requeuedLua)
	forgetScript        = newUpdate(forgetLua)
	repairedScript      = redis.NewScript(repairedLua)
	quarantineScript    = redis.NewScript(quarantineLua)
	endQuarantineScript = redis.NewScript(endQuarantineLua)
	leadScript          = redis.NewScript(leadLua)
	totalsScript        = redis.NewScript(totalsLua)
	listScript          = redis.NewScript(listLua)
	reindexScript       = newUpdate(reindexLua)
	recountScript       = redis.NewScript(recountLua)
)

// newUpdate returns a script that updates orders, with the prelude in front.
func newUpdate(lua string) *redis.Script {
	var codes strings.Builder
	for _, status := range order.Statuses() {
		fmt.Fprintf(&codes, "%s = '%s', ", status, statusCodes()[status])
	}
	given := fmt.Sprintf("local kept_events, kept_attempts, most_losses, entry_events = %d, %d, %d, %d\nlocal codes = { %s}\n",
		order.MaxEvents, order.MaxAttemptsKept, order.MaxWorkersLost, entryEvents, codes.String())
	return redis.NewScript(given + prelude + lua)
}

// batchedScripts lists the scripts whose concurrent callers share a run.
func batchedScripts() []*redis.Script {
	return []*redis.Script{
		beginScript, failScript, settleScript, cancelScript, retryScript, lostScript, requeuedScript,
	}
}
