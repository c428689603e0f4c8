package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

const (
	// fragmented is how much more memory than it uses Redis may hold, as a factor.
	fragmented = 1.5
	// fragmentedFrom is the use below which that says nothing, in bytes: Redis itself
	// takes some megabytes.
	fragmentedFrom = 100 << 20
	// compactBytes is the longest field of an order's record that should be kept
	// compactly, in bytes: an address of the usual length fits.
	compactBytes = 1024
)

// server looks at what Redis tells of itself.
func (e *examiner) server(ctx context.Context) ([]Finding, error) {
	info := e.rdb.InfoMap(ctx)
	if err := info.Err(); err != nil {
		return nil, fmt.Errorf("read what redis tells of itself: %w", err)
	}
	e.facts.Memory = stats.Memory{Used: number(info, "Memory", "used_memory"), Limit: number(info, "Memory", "maxmemory")}
	return []Finding{
		judgeMemoryUse(e.facts.Memory), judgeFragmentation(info), judgeEvicted(info), judgeSnapshot(info), judgeAppend(info),
		e.replication(ctx, info), e.compactness(ctx),
	}, nil
}

func judgeMemoryUse(m stats.Memory) Finding {
	const check = "memory use"
	if m.Limit == 0 {
		return good(check, Mebibytes(m.Used))
	}
	found := fmt.Sprintf("%s of %s, %d %%", Mebibytes(m.Used), Mebibytes(m.Limit), m.Used*100/m.Limit)
	const advice = "raise maxmemory by CONFIG SET, or shorten ORDERS_RETENTION and restart the workers"
	var refused, limits []string
	for _, q := range slices.Backward(order.QueueSpecs()) {
		if !m.Admits(q.Name) {
			refused = append(refused, string(q.Name))
		}
		limits = append(limits, fmt.Sprintf("%s above %d %%", q.Name, q.MemoryPercent))
	}
	switch {
	case len(refused) == len(limits):
		return problem(check, found+": all new orders are refused", advice)
	case len(refused) > 0:
		return warning(check, fmt.Sprintf("%s: new orders of the queue %s are refused (%s)",
			found, strings.Join(refused, " and "), strings.Join(limits, ", ")), advice)
	default:
		return good(check, found)
	}
}

func judgeFragmentation(info *redis.InfoCmd) Finding {
	const check = "fragmentation"
	text := info.Item("Memory", "mem_fragmentation_ratio")
	ratio, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return unchecked(check, "Redis does not tell")
	case ratio > fragmented && number(info, "Memory", "used_memory") > fragmentedFrom:
		return warning(check, fmt.Sprintf("Redis holds %s times the memory that it uses", text),
			"CONFIG SET activedefrag yes, or restart Redis when it suits")
	default:
		return good(check, text+" times the memory in use is held")
	}
}

func judgeEvicted(info *redis.InfoCmd) Finding {
	const check = "evicted keys"
	n := number(info, "Stats", "evicted_keys")
	if n == 0 {
		return good(check, "none since Redis started")
	}
	return problem(check, fmt.Sprintf("%d since Redis started: orders may be lost", n),
		"set maxmemory-policy noeviction, see whether drift is 0, and ask clients to send again what is missing; CONFIG RESETSTAT clears the count")
}

func judgeSnapshot(info *redis.InfoCmd) Finding {
	const check = "last snapshot"
	if state := info.Item("Persistence", "rdb_last_bgsave_status"); state != "ok" && state != "" {
		return problem(check, "the last snapshot failed: Redis may refuse all writes",
			"look at the log of Redis; most often its disk is full, or the machine has no memory left to fork")
	}
	return good(check, "ok")
}

func judgeAppend(info *redis.InfoCmd) Finding {
	const check = "append-only file"
	write, rewrite := info.Item("Persistence", "aof_last_write_status"), info.Item("Persistence", "aof_last_bgrewrite_status")
	switch {
	case write != "ok" && write != "":
		return problem(check, "the last write to it failed: Redis refuses all writes until one succeeds",
			"look at the log of Redis; most often its disk is full")
	case rewrite != "ok" && rewrite != "":
		return warning(check, "the last rewrite of it failed: it grows until one succeeds",
			"look at the log of Redis, and at the room on its disk; then BGREWRITEAOF")
	default:
		return good(check, "last write and rewrite ok")
	}
}

// replication looks at what a failover would lose.
func (e *examiner) replication(ctx context.Context, info *redis.InfoCmd) Finding {
	const check, setting = "replication", "min-replicas-to-write"
	if info.Item("Replication", "role") == "slave" {
		return problem(check, "this Redis is a replica: no order can be written to it",
			"point REDIS_URL to the master, or to the Sentinels (?master_name=…)")
	}
	replicas := number(info, "Replication", "connected_slaves")
	wanted, err := strconv.ParseInt(e.config(ctx, setting), 10, 64)
	if err != nil {
		return unchecked(check, e.untold(setting))
	}
	found := fmt.Sprintf("%d replicas, and writes need %d", replicas, wanted)
	switch {
	case wanted > 0 && number(info, "Replication", "min_slaves_good_slaves") < wanted:
		return problem(check, found+" that follow closely: writes are refused",
			"bring the replicas back; only if there are to be none, CONFIG SET min-replicas-to-write 0")
	case replicas > 0 && wanted == 0:
		return warning(check, found+": a failover loses what has not reached a replica", "CONFIG SET min-replicas-to-write 1, and in redis.conf")
	default:
		return good(check, found)
	}
}

// compactness looks at whether records are kept in the form that takes least memory.
func (e *examiner) compactness(ctx context.Context) Finding {
	const check, setting = "compact records", "hash-max-listpack-value"
	text := e.config(ctx, setting)
	if text == "" {
		text = e.config(ctx, "hash-max-ziplist-value") // its name before Redis 7
	}
	bytes, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return unchecked(check, e.untold(setting))
	case bytes < compactBytes:
		return warning(check, fmt.Sprintf("%s is %d: records take up to twice the memory", setting, bytes),
			fmt.Sprintf("CONFIG SET %s %d, and in redis.conf", setting, compactBytes))
	default:
		return good(check, fmt.Sprintf("%s is %d", setting, bytes))
	}
}

// config returns a setting, or nothing where Redis does not tell.
func (e *examiner) config(ctx context.Context, name string) string {
	if e.refuses("config get") {
		return ""
	}
	return e.rdb.ConfigGet(ctx, name).Val()[name]
}

// untold says why config returns nothing.
func (e *examiner) untold(setting string) string {
	if e.refuses("config get") {
		return "this user may not run CONFIG GET, which tells " + setting
	}
	return "Redis does not tell " + setting
}

// number returns a figure of INFO, or 0.
func number(info *redis.InfoCmd, section, name string) int64 {
	n, _ := strconv.ParseInt(info.Item(section, name), 10, 64)
	return n
}

// spaced writes a name for people.
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }
