package app

import (
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/recovery"
	"orderprocessor/internal/stats"
)

// source is one question to Redis, whose answer several checks need.
type source int

// The sources, in the order in which the doctor reads them. Permissions come before
// everything that may lack them.
const (
	fromPing source = iota
	fromPermissions
	fromSettings
	fromInfo
	fromTotals
	fromKeys
	fromWorkers
	fromFulfilment
	fromHeld
	fromQueues
	sources // how many there are
)

// String names the source in a finding.
func (s source) String() string {
	return [...]string{"connection", "permissions", "settings", "INFO", "totals", "keys", "workers", "fulfilment", "orders with workers", "queues"}[s]
}

// facts is what was read from Redis. Fields of a source that was not read are zero.
type facts struct {
	addr      string
	isCluster bool
	// nodes are the facts of each node of a Redis Cluster that answers, of the source that was
	// read last; without a Cluster they are here. silent are the nodes that do not answer.
	nodes     []*facts
	silent    []string
	state     string         // the cluster_state that the node sees
	books     int            // how many books are configured; 0 if that is not known
	number    int            // how many have been recorded; 0 for none
	perNode   map[string]int // how many books each node has
	roundTrip time.Duration
	pingErr   error

	// refused are the needed commands that the user may not run, lacking those that
	// only the doctor uses. Redis before 7 reports neither: permissionErr is redis.Nil.
	refused, lacking []string
	permissionErr    error // a reply, or nil

	settings ledger.Settings
	clock    time.Duration // how far the clock of Redis is ahead
	refusal  error         // the reply with which Redis refused a write, or nil

	info   *redis.InfoCmd
	config map[string]string // without what Redis does not report
	memory stats.Memory

	totals      stats.Totals
	wrongKeys   []string
	presentKeys int
	knownKeys   int
	recordID    string
	recordForm  string

	workers  stats.WorkerPool
	shop     stats.Fulfilment
	tasksErr error
	held     []recovery.ActiveTask
	now      time.Time // by the clock of Redis
	depths   map[order.Queue]stats.Depth
	corrupt  map[order.Queue]int
}

// barred reports whether Redis answers no further question.
func (f *facts) barred() bool {
	return f.pingErr != nil || redis.IsPermissionError(f.permissionErr) || unknownCommand(f.permissionErr)
}

// notReported explains why a setting of Redis is unknown.
func (f *facts) notReported(setting string) string {
	if f.lacks(commandConfig) {
		return "this user may not run CONFIG GET, which reports " + setting
	}
	return "Redis does not report " + setting
}

// lacks reports whether Redis is known to refuse a command that only the doctor uses.
func (f *facts) lacks(command string) bool { return slices.Contains(f.lacking, command) }
