package queue

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/putback.lua
var putbackLua string

//go:embed scripts/withhold.lua
var withholdLua string

//go:embed scripts/watch.lua
var watchLua string

//go:embed scripts/setaside.lua
var setasideLua string

//go:embed scripts/remove.lua
var removeLua string

// The scripts that change tasks as Asynq has no call for. Each file under scripts
// documents its keys, arguments and answers.
//
//nolint:gochecknoglobals // compiled once, never changed
var (
	putbackScript  = redis.NewScript(putbackLua)
	withholdScript = redis.NewScript(withholdLua)
	watchScript    = redis.NewScript(watchLua)
	setasideScript = redis.NewScript(setasideLua)
	removeScript   = redis.NewScript(removeLua)
)
