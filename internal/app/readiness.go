package app

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// pingTimeout bounds one PING.
const pingTimeout = time.Second

// phase is where a program is between start and stop.
type phase int32

const (
	starting phase = iota // Redis has not passed its checks yet
	serving
	draining // ctx has ended; the program finishes what it has begun
)

var (
	errStarting = errors.New("starting: waiting for Redis")
	errDraining = errors.New("draining: this process is stopping")
)

// pinger reports whether Redis answers.
type pinger interface {
	Ping(ctx context.Context) error
}

func ping(ctx context.Context, redis pinger) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return redis.Ping(ctx)
}

// readiness decides whether a program can serve orders. It is safe for concurrent use.
type readiness struct {
	phase   atomic.Int32
	redis   pinger
	monitor *monitor
	conn    *connection
	archive *Archive // or nil
}

func (r *readiness) set(p phase) { r.phase.Store(int32(p)) }

// findings returns the results of the last checks. An archive that is away is no reason
// not to be ready.
func (r *readiness) findings() []Finding {
	found := r.monitor.findings()
	if r.archive == nil {
		return found
	}
	return append(found[:len(found):len(found)], r.archive.finding())
}

// ready returns why orders cannot be served, or nil. Draining is no reason.
func (r *readiness) ready() error {
	if err := r.monitor.failed(); err != nil {
		return err
	}
	if phase(r.phase.Load()) == starting {
		return errStarting
	}
	return nil
}

// probe returns why an orchestrator should send no work to this program, or nil. It
// asks Redis. A single slow answer does not count.
func (r *readiness) probe(ctx context.Context) error {
	if phase(r.phase.Load()) == draining {
		return errDraining
	}
	if err := r.ready(); err != nil {
		return err
	}
	err := ping(ctx, r.redis)
	if err != nil && !isReply(err) && !r.conn.lost() {
		return nil
	}
	return err
}
