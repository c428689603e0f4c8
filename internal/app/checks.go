package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/ledger"
)

// The states of a check, as /readyz tells them.
const (
	checkOK      = "ok"
	checkWarning = "warning" // works, and an operator should know
	checkFailed  = "failed"  // orders are not safe
)

// The names of checks that are treated in a way of their own.
const (
	checkClock    = "clock"
	checkWritable = "writable"
)

const (
	// clockWarning is the difference to the clock of Redis that is worth a warning.
	clockWarning = time.Second
	// clockLimit is the difference above which a worker fetches no orders: Asynq
	// tells by its worker's clock when a lease is over and when an order is due, and
	// would take away what others work, or bring it before its time.
	clockLimit = 5 * time.Second
)

// The oldest Redis that has all the commands which are used.
const (
	leastMajor = 6
	leastMinor = 2
)

// check is one thing about Redis that orders depend on.
type check struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail"`
}

// judge looks at the settings of Redis.
func judge(s ledger.Settings) []check {
	return []check{judgeVersion(s), judgeEviction(s), judgeMemory(s), judgePersistence(s)}
}

func judgeVersion(s ledger.Settings) check {
	c := check{Name: "redis_version", State: checkOK, Detail: s.Version}
	major, minor := version(s.Version)
	if major < leastMajor || (major == leastMajor && minor < leastMinor) {
		c.State = checkFailed
		c.Detail = fmt.Sprintf("Redis is %q, and must be %d.%d or later", s.Version, leastMajor, leastMinor)
	}
	return c
}

func version(text string) (major, minor int) {
	part := strings.SplitN(text, ".", 3)
	if len(part) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(part[0])
	minor, _ = strconv.Atoi(part[1])
	return major, minor
}

func judgeEviction(s ledger.Settings) check {
	if s.EvictionPolicy == "noeviction" {
		return check{Name: "eviction_policy", State: checkOK, Detail: s.EvictionPolicy}
	}
	return check{Name: "eviction_policy", State: checkFailed, Detail: fmt.Sprintf(
		"redis may evict keys, which loses accepted orders without an error: set maxmemory-policy to noeviction (it is %q)",
		s.EvictionPolicy)}
}

func judgeMemory(s ledger.Settings) check {
	if s.MaxMemory > 0 {
		return check{Name: "memory_limit", State: checkOK, Detail: fmt.Sprintf("%d bytes", s.MaxMemory)}
	}
	return check{Name: "memory_limit", State: checkWarning, Detail: "Redis has no maxmemory: " +
		"orders are not refused before the machine's memory is full"}
}

func judgePersistence(s ledger.Settings) check {
	c := check{Name: "persistence", State: checkOK}
	if !s.AppendOnly {
		c.State, c.Detail = checkWarning, "Redis keeps no append-only file: a crash of Redis loses accepted orders"
		return c
	}
	switch s.AppendFsync {
	case "always":
		c.Detail = "a crash loses no accepted order"
	case "everysec":
		c.Detail = "a power cut loses up to a second of accepted orders"
	case "no":
		c.State, c.Detail = checkWarning, "a power cut loses up to half a minute of accepted orders"
	default:
		c.State, c.Detail = checkWarning, "Redis keeps an append-only file and does not tell when it syncs it"
	}
	return c
}

// judgeClock looks at how far this machine's clock is from that of Redis.
func judgeClock(difference time.Duration) check {
	c := check{Name: checkClock, State: checkOK, Detail: fmt.Sprintf("%d ms from the clock of Redis", difference.Milliseconds())}
	switch off := difference.Abs(); {
	case off > clockLimit:
		c.State = checkFailed
	case off > clockWarning:
		c.State = checkWarning
	}
	return c
}
