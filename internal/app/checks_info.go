package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// fragmented is the factor by which Redis may hold more memory than it uses.
	fragmented = 1.5
	// fragmentedFrom is the use in bytes below which the factor means nothing: Redis
	// itself takes some megabytes.
	fragmentedFrom = 100 << 20
	// compactBytes is the longest field of a record, in bytes, that should be stored
	// compactly: an address of usual length fits.
	compactBytes = 1024
)

// The settings of Redis that the doctor reads.
const (
	settingReplicas = "min-replicas-to-write"
	settingListpack = "hash-max-listpack-value"
	settingCoverage = "cluster-require-full-coverage"
	settingZiplist  = "hash-max-ziplist-value" // its name before Redis 7
)

func checkMemoryUse(f *facts) Finding {
	m := f.memory
	if m.Limit == 0 {
		return good(Mebibytes(m.Used))
	}
	found := fmt.Sprintf("%s of %s, %d %%", Mebibytes(m.Used), Mebibytes(m.Limit), m.Used*100/m.Limit)
	var refused, limits []string
	for _, q := range slices.Backward(m.Refused()) {
		refused = append(refused, string(q))
	}
	for _, q := range slices.Backward(order.QueueSpecs()) {
		limits = append(limits, fmt.Sprintf("%s above %d %%", q.Name, q.MemoryPercent))
	}
	switch {
	case len(refused) == len(limits):
		return problem(found + ": all new orders are refused")
	case len(refused) > 0:
		return warning(fmt.Sprintf("%s: new orders of the queue %s are refused (%s)",
			found, strings.Join(refused, " and "), strings.Join(limits, ", ")))
	default:
		return good(found)
	}
}

func checkFragmentation(f *facts) Finding {
	text := f.info.Item("Memory", "mem_fragmentation_ratio")
	ratio, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return unchecked("Redis does not report it")
	case ratio > fragmented && f.memory.Used > fragmentedFrom:
		return warning(fmt.Sprintf("Redis holds %s times the memory that it uses", text))
	default:
		return good(text + " times the memory in use is held")
	}
}

func checkEvicted(f *facts) Finding {
	n := number(f.info, "Stats", "evicted_keys")
	if n == 0 {
		return good("none since Redis started")
	}
	return problem(fmt.Sprintf("%d since Redis started: orders may be lost", n))
}

func checkSnapshot(f *facts) Finding {
	if failed(f.info, "rdb_last_bgsave_status") {
		return problem("the last snapshot failed: Redis may refuse all writes")
	}
	return good("ok")
}

func checkAppendOnlyFile(f *facts) Finding {
	switch {
	case failed(f.info, "aof_last_write_status"):
		return problem("the last write to it failed: Redis refuses all writes until one succeeds")
	case failed(f.info, "aof_last_bgrewrite_status"):
		return warning("the last rewrite of it failed: it grows until one succeeds").
			advise("look at the log of Redis, and at the free space on its disk; then BGREWRITEAOF")
	default:
		return good("last write and rewrite ok")
	}
}

// checkReplication reports what a failover would lose.
func checkReplication(f *facts) Finding {
	if f.info.Item("Replication", "role") == "slave" {
		return problem("this Redis is a replica: no order can be written to it").
			advise("point REDIS_URL to the master, or to the Sentinels (?master_name=…)")
	}
	replicas := number(f.info, "Replication", "connected_slaves")
	wanted, err := strconv.ParseInt(f.config[settingReplicas], 10, 64)
	if err != nil {
		return unchecked(f.notReported(settingReplicas))
	}
	found := fmt.Sprintf("%d replicas, and writes need %d", replicas, wanted)
	switch {
	case f.isCluster && replicas == 0:
		return warning("no replica: while it is away, its books are too").
			advise("give each primary a replica, and min-replicas-to-write 1")
	case wanted > 0 && number(f.info, "Replication", "min_slaves_good_slaves") < wanted:
		return problem(found + " that follow closely: writes are refused").
			advise("restore the replicas; only if there are to be none, CONFIG SET min-replicas-to-write 0")
	case replicas > 0 && wanted == 0:
		return warning(found + ": a failover loses what has not reached a replica").
			advise("CONFIG SET min-replicas-to-write 1, and in redis.conf")
	default:
		return good(found)
	}
}

// checkCompactness checks that records are stored in the form that needs least memory.
func checkCompactness(f *facts) Finding {
	text := f.config[settingListpack]
	if text == "" {
		text = f.config[settingZiplist]
	}
	bytes, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return unchecked(f.notReported(settingListpack))
	case bytes < compactBytes:
		return warning(fmt.Sprintf("%s is %d: records take up to twice the memory", settingListpack, bytes))
	default:
		return good(fmt.Sprintf("%s is %d", settingListpack, bytes))
	}
}

// number returns a figure of INFO, or 0.
func number(info *redis.InfoCmd, section, name string) int64 {
	n, _ := strconv.ParseInt(info.Item(section, name), 10, 64)
	return n
}

// failed reports whether a status of INFO persistence is known and not ok.
func failed(info *redis.InfoCmd, name string) bool {
	status := info.Item("Persistence", name)
	return status != "ok" && status != ""
}
