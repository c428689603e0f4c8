package app

import (
	"fmt"
	"slices"

	"orderprocessor/internal/order"
)

// The areas of the checks.
const (
	areaRedis  = "redis"
	areaAccess = "access"
	areaBooks  = "books"
	areaQueues = "queues"
	areaShop   = "shop"
)

// The names of checks that programs treat in a special way.
const (
	checkClock    = "clock"
	checkWritable = "writable"
)

// check is one condition on which orders depend.
type check struct {
	area string
	// name is used on /readyz and in the metrics. The doctor shows it with blanks
	// instead of underscores.
	name string
	// needs is what must be read from Redis first.
	needs source
	// run judges what was read. It returns the zero Finding if there is nothing to
	// report.
	run func(f *facts) Finding
	// advice is what to do about a warning or a problem.
	advice string
}

// checks lists every check. The doctor runs all of them, in this order. Those that
// need the settings of Redis run also at start and every two seconds, and appear on
// /readyz and in the metrics.
func checks() []check {
	list := []check{
		{
			areaRedis, "connection", fromPing, checkRoundTrip,
			"each order needs about ten round trips: move the programs closer to Redis, or see what keeps it busy (SLOWLOG GET)",
		},
		{areaRedis, "reply", fromPing, checkReply, ""},
		{areaAccess, "permissions", fromPermissions, checkPermissions, aclAdvice},
		{areaRedis, "redis_version", fromSettings, onNodes(checkVersion), "update Redis to 7 or later"},
		{
			areaRedis, "eviction_policy", fromSettings, onNodes(checkEviction),
			"CONFIG SET maxmemory-policy noeviction, and in redis.conf, or in the settings of a managed Redis; then see whether drift is 0",
		},
		{areaRedis, "memory_limit", fromSettings, onNodes(checkMemoryLimit), "set maxmemory, for instance to half of the machine's memory"},
		{
			areaRedis, "persistence", fromSettings, onNodes(checkPersistence),
			"appendonly yes and appendfsync everysec in redis.conf; see deploy/redis.conf",
		},
		{
			areaRedis, checkWritable, fromSettings, checkWrites,
			"point REDIS_URL to the master, or to the Sentinels (?master_name=…); if it is one, look at the log of Redis",
		},
		{areaRedis, checkClock, fromSettings, checkClockDifference, "fix the time synchronisation of this machine and of Redis's"},
		{
			areaRedis, "memory use", fromInfo, onNodes(checkMemoryUse),
			"raise maxmemory by CONFIG SET, or shorten ORDERS_RETENTION and restart the workers",
		},
		{areaRedis, "fragmentation", fromInfo, onNodes(checkFragmentation), "CONFIG SET activedefrag yes, or restart Redis when convenient"},
		{
			areaRedis, "evicted keys", fromInfo, onNodes(checkEvicted),
			"set maxmemory-policy noeviction, see whether drift is 0, and ask clients to send again what is missing; CONFIG RESETSTAT clears the count",
		},
		{
			areaRedis, "last snapshot", fromInfo, onNodes(checkSnapshot),
			"look at the log of Redis; most often its disk is full, or the machine has no memory left to fork",
		},
		{areaRedis, "append-only file", fromInfo, onNodes(checkAppendOnlyFile), "look at the log of Redis; most often its disk is full"},
		{areaRedis, "replication", fromInfo, onNodes(checkReplication), ""},
		{
			areaRedis, "compact records", fromInfo, onNodes(checkCompactness),
			fmt.Sprintf("CONFIG SET %s %d, and in redis.conf", settingListpack, compactBytes),
		},
		{areaRedis, "nodes", fromInfo, checkNodes, "start the node or repair it, or let its replica take over; CLUSTER NODES shows what the others see"},
		{areaRedis, "coverage", fromInfo, onNodes(checkCoverage), "CONFIG SET cluster-require-full-coverage no on every node, and in redis.conf"},
		{areaBooks, "number", fromTotals, checkNumber, ""},
		{
			areaBooks, "spread", fromInfo, checkSpread,
			"move slots of books to other nodes; orderctl books shows where they are, and docs/DEPLOYMENT.md how",
		},
		{
			areaBooks, "drift", fromTotals, checkDrift,
			"keep the log and a copy of the data; keys were changed or lost: see evicted keys, restores, failovers, and who else writes here",
		},
		{
			areaBooks, "types of keys", fromKeys, checkKeyTypes,
			"somebody else writes to this Redis: find out who, keep a copy of the data, and give this service a Redis or a database of its own",
		},
		{
			areaBooks, "form of records", fromKeys, checkRecordForm,
			"CONFIG SET hash-max-listpack-value 1024, which applies to new orders; an order with very long texts is always kept so",
		},
		{
			areaQueues, "workers", fromWorkers, checkWorkers,
			"start workers; if they should be running, look at their log for the reason why they ended",
		},
		{areaShop, "calls", fromFulfilment, checkShop, ""},
		{areaQueues, "asynq", fromHeld, checkAsynq, "build the programs from this repository's go.mod, unchanged"},
		{
			areaQueues, "orders with workers", fromHeld, checkHeld,
			"a running worker requeues them within seconds: start one, and see its log if they stay",
		},
	}
	for _, q := range order.Queues() {
		list = append(list,
			check{areaQueues, string(q), fromQueues, func(f *facts) Finding { return checkQueue(q, f.depths[q]) }, ""},
			check{
				areaQueues, "corrupt in " + string(q), fromQueues, func(f *facts) Finding { return checkCorrupt(f.corrupt[q]) },
				"orderctl queues corrupt shows them; their orders have new tasks; find out who else writes to this Redis",
			})
	}
	return list
}

// checksOf returns the checks that need the source.
func checksOf(s source) []check {
	return slices.DeleteFunc(checks(), func(c check) bool { return c.needs != s })
}

// runChecks returns what the checks of a source report.
func runChecks(s source, f *facts) (found []Finding) {
	for _, c := range checksOf(s) {
		if one := c.run(f); one.State != "" {
			found = append(found, one.complete(c))
		}
	}
	return found
}
