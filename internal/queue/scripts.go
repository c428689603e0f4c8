package queue

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/requeue.lua
var requeueLua string

//go:embed scripts/droplease.lua
var dropLeaseLua string

//go:embed scripts/saveleases.lua
var saveLeasesLua string

//go:embed scripts/storecorrupt.lua
var storeCorruptLua string

//go:embed scripts/remove.lua
var removeLua string

// The scripts that change tasks as Asynq has no call for. Each file under scripts
// documents its keys, arguments and answers.
//
//nolint:gochecknoglobals // compiled once, never changed
var (
	requeueScript      = redis.NewScript(requeueLua)
	dropLeaseScript    = redis.NewScript(dropLeaseLua)
	saveLeasesScript   = redis.NewScript(saveLeasesLua)
	storeCorruptScript = redis.NewScript(storeCorruptLua)
	removeScript       = redis.NewScript(removeLua)
)
