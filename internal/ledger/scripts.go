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

// The scripts, one per change. Each file under scripts documents its keys,
// arguments and answers.
//
//nolint:gochecknoglobals // compiled once, never changed
var (
	acceptScript        = newChange(acceptLua)
	beginScript         = newChange(beginLua)
	failScript          = newChange(failLua)
	settleScript        = newChange(settleLua)
	cancelScript        = newChange(cancelLua)
	retryScript         = newChange(retryLua)
	lostScript          = newChange(lostLua)
	requeuedScript      = newChange(requeuedLua)
	forgetScript        = newChange(forgetLua)
	repairedScript      = redis.NewScript(repairedLua)
	quarantineScript    = redis.NewScript(quarantineLua)
	endQuarantineScript = redis.NewScript(endQuarantineLua)
	leadScript          = redis.NewScript(leadLua)
	totalsScript        = redis.NewScript(totalsLua)
	listScript          = redis.NewScript(listLua)
	reindexScript       = newChange(reindexLua)
	recountScript       = redis.NewScript(recountLua)
)

// newChange returns a script that changes orders of the books.
func newChange(lua string) *redis.Script {
	var codes strings.Builder
	for _, status := range order.Statuses() {
		fmt.Fprintf(&codes, "%s = '%s', ", status, statusCodes()[status])
	}
	given := fmt.Sprintf("local kept_events, kept_attempts, most_losses, entry_events = %d, %d, %d, %d\nlocal codes = { %s}\n",
		order.MaxEvents, order.MaxAttemptsKept, order.MaxWorkersLost, entryEvents, codes.String())
	return redis.NewScript(given + prelude + lua)
}

// changes lists the scripts that change an order which is in the books.
func changes() []*redis.Script {
	return []*redis.Script{
		beginScript, failScript, settleScript, cancelScript, retryScript, lostScript, requeuedScript,
	}
}
