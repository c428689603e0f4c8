package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// slowRoundTrip is the round trip above which orders become slow.
	slowRoundTrip = 10 * time.Millisecond
	// clockWarning is the clock difference that is worth a warning.
	clockWarning = time.Second
	// clockLimit is the clock difference above which a worker fetches no orders. Asynq
	// decides by the worker's clock when a lease has expired and when an order is due,
	// so it would requeue what others process, or deliver an order early.
	clockLimit = 5 * time.Second
	// The oldest supported Redis: older ones lack commands that are used.
	minMajor, minMinor = 6, 2
)

func checkRoundTrip(f *facts) Finding {
	switch {
	case f.pingErr == nil:
	case isReply(f.pingErr):
		return good(f.addr + " answers")
	default:
		return problem(fmt.Sprintf("no answer from Redis at %s: %v", f.addr, f.pingErr)).
			advise("start Redis, or correct REDIS_URL; until then no order is accepted or processed")
	}
	found := fmt.Sprintf("%s answers in %v", f.addr, f.roundTrip.Round(time.Microsecond))
	if f.roundTrip > slowRoundTrip {
		return warning(found)
	}
	return good(found)
}

// checkReply explains an error reply to PING.
func checkReply(f *facts) Finding {
	if !isReply(f.pingErr) {
		return Finding{}
	}
	text := reply(f.pingErr).Error()
	var found Finding
	switch {
	case redis.IsAuthError(f.pingErr):
		found = problem("Redis refuses the user or password of REDIS_URL: " + text).
			advise("set REDIS_URL to a user that Redis knows (ACL LIST) and its password; deploy/redis-users.acl shows how to create one")
		found.Check = "login"
	case redis.IsPermissionError(f.pingErr):
		found = problem("the user of REDIS_URL may not run PING").advise(aclAdvice)
		found.Check = "login"
	case redis.IsLoadingError(f.pingErr):
		found = problem("Redis is loading its data: " + text).
			advise("wait until it has read its files, seconds for each gigabyte; INFO persistence shows the progress")
		found.Check = "loading"
	default:
		found = problem("Redis answers with an error: " + text).
			advise("read the error and the log of Redis; until then no order is accepted or processed")
		found.Check = "answer"
	}
	return found
}

func checkVersion(f *facts) Finding {
	major, minor := parseVersion(f.settings.Version)
	if major < minMajor || (major == minMajor && minor < minMinor) {
		return problem(fmt.Sprintf("Redis is %q, and must be %d.%d or later", f.settings.Version, minMajor, minMinor))
	}
	return good(f.settings.Server())
}

func parseVersion(text string) (major, minor int) {
	part := strings.SplitN(text, ".", 3)
	if len(part) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(part[0])
	minor, _ = strconv.Atoi(part[1])
	return major, minor
}

func checkEviction(f *facts) Finding {
	switch policy := f.settings.EvictionPolicy; policy {
	case "noeviction":
		return good(policy)
	case "":
		return problem("Redis does not report its maxmemory-policy, so it may evict keys, which loses accepted orders without an error").
			advise("use a Redis whose INFO memory reports maxmemory_policy:noeviction")
	default:
		return problem(fmt.Sprintf(
			"redis may evict keys, which loses accepted orders without an error: set maxmemory-policy to noeviction (it is %q)", policy))
	}
}

func checkMemoryLimit(f *facts) Finding {
	if f.settings.MaxMemory == 0 {
		return warning("Redis has no maxmemory: orders are not refused before the machine's memory is full")
	}
	return good(fmt.Sprintf("%d bytes", f.settings.MaxMemory))
}

func checkPersistence(f *facts) Finding {
	if !f.settings.AppendOnly {
		return warning("Redis keeps no append-only file: a crash of Redis loses accepted orders")
	}
	switch f.settings.AppendFsync {
	case "always":
		return good("a crash loses no accepted order")
	case "everysec":
		return good("a power cut loses up to a second of accepted orders")
	case "no":
		return warning("a power cut loses up to half a minute of accepted orders")
	default:
		return unchecked(f.notReported("appendfsync"))
	}
}

// checkWrites checks that Redis accepts the writes of the programs: it must be no
// replica, and its user must be allowed every command that is needed. Full memory is
// reported elsewhere.
func checkWrites(f *facts) Finding {
	switch {
	case f.settings.Replica:
		return problem("this Redis is a replica: no order can be written to it")
	case len(f.refused) > 0:
		return problem("the user of REDIS_URL may not run " + abbreviate(f.refused)).advise(aclAdvice)
	case f.refusal != nil && !redis.IsOOMError(f.refusal):
		return problem(refusalText(f.refusal))
	default:
		return good("Redis accepts writes, and its user has every permission that is needed")
	}
}

// refusalText explains why Redis refuses a command. It contains nothing confidential,
// because GET /health needs no key.
func refusalText(err error) string {
	switch {
	case redis.IsAuthError(err):
		return "Redis refuses the user or password of REDIS_URL"
	case redis.IsPermissionError(err):
		return "the user of REDIS_URL may not run a command that is needed, or not on its keys"
	case redis.IsReadOnlyError(err):
		return "this Redis is a replica: no order can be written to it"
	case redis.IsMasterDownError(err):
		return "this Redis is a replica and has lost its master"
	case redis.IsLoadingError(err):
		return "Redis is loading its data"
	case unknownCommand(err):
		return "this Redis does not have a command that is needed; orderctl doctor names it"
	case !isReply(err):
		return "Redis does not answer"
	}
	code, _, _ := strings.Cut(reply(err).Error(), " ")
	if reason := map[string]string{
		"NOREPLICAS": "too few replicas follow closely (min-replicas-to-write)",
		"MISCONF":    "it cannot write its files to disk",
		"BUSY":       "it is busy with a script",
	}[code]; reason != "" {
		return "Redis refuses writes: " + reason
	}
	return "Redis refuses a command of the programs (" + code + ")"
}

// checkClockDifference compares the clock of this machine with that of Redis.
func checkClockDifference(f *facts) Finding {
	found := fmt.Sprintf("%d ms from the clock of Redis", f.clock.Milliseconds())
	switch off := f.clock.Abs(); {
	case off > clockLimit:
		return problem(found)
	case off > clockWarning:
		return warning(found)
	default:
		return good(found)
	}
}
