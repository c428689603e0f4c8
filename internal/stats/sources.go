package stats

import (
	"context"
	"time"

	"orderprocessor/internal/order"
)

// Depth is the content of one queue, in tasks.
type Depth struct {
	// Pending tasks wait for a worker.
	Pending int64
	// Active tasks are being processed.
	Active int64
	// Scheduled tasks wait for the time set at submission.
	Scheduled int64
	// Retry tasks wait for their next attempt.
	Retry int64
	// Archived tasks failed for good. Asynq keeps the newest of them.
	Archived int64
	// Paused is set when no worker fetches from the queue.
	Paused bool
	// OldestPending is how long the oldest pending task has waited.
	OldestPending time.Duration
}

// Backlog is how many tasks wait, for a worker or for their time. Admission depends on it.
func (d Depth) Backlog() int64 { return d.Pending + d.Retry + d.Scheduled }

// WorkerPool is the workers that are alive.
type WorkerPool struct {
	// Workers is the number of worker processes.
	Workers int
	// Slots is how many orders they can process at once.
	Slots int
	// PoolUnknown is set if the workers could not be read, as some of several books are away.
	PoolUnknown bool
}

// Process is a worker process that is alive, or was ten seconds ago.
type Process struct {
	// Host and PID name the process.
	Host string
	PID  int
	// StartedAt is when it began to take orders, and SeenAt its last heartbeat, in whole
	// seconds, both by its own clock.
	StartedAt, SeenAt time.Time
	// Slots is how many orders it can process at once; 0 for one that takes no more.
	Slots int
}

// Memory is the memory of Redis, in bytes.
type Memory struct {
	// Used is the memory in use.
	Used int64
	// Limit is maxmemory; 0 means that there is no limit.
	Limit int64
}

// GoneWorker is a worker process that ran within the last hour and does not any more.
type GoneWorker struct {
	// Name is unique to the process.
	Name string
	// LastSeen is when it last announced itself, or stopped.
	LastSeen time.Time
	// Stopped is whether it said that it stops. Otherwise it was killed, hangs, or cannot
	// reach Redis.
	Stopped bool
}

// ArchiveBacklog is what the archive still lacks; zero without an archive.
type ArchiveBacklog struct {
	// Orders is how many orders have changed, and are due for the archive.
	Orders int64
	// Until is the time up to which the archive has every change of settled orders.
	Until time.Time
	// Behind is how long ago that is; less than a second is none.
	Behind time.Duration
}

// Ledger returns what the ledger knows of the whole system, and the memory of its Redis;
// now is the time by the clock of Redis.
type Ledger interface {
	Totals(ctx context.Context) (Totals, error)
	Memory(ctx context.Context) (used, limit int64, err error)
	Fulfilment(ctx context.Context, now time.Time) (Fulfilment, error)
	GoneWorkers(ctx context.Context, now time.Time) ([]GoneWorker, error)
	ArchiveBacklog(ctx context.Context) (ArchiveBacklog, error)
}

// Queues returns the content of the queues and the workers that are alive. Depths may return
// those of some books with an error.
type Queues interface {
	Depths(ctx context.Context) (map[order.Queue]Depth, error)
	Workers(ctx context.Context) (WorkerPool, error)
}
