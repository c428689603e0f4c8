// Package peers runs other job systems on the same work, to compare our figures with.
//
// It receives orders in the API's form and has each peer decode and decide them,
// without books: nothing is recorded, so a peer does less for an order than we
// do. Services do the same: they are whole systems that a user would build on a peer.
// Each is set up for throughput as its own documentation recommends, on a server
// of its own that loses about the last second in a power cut, like ours. A peer whose
// server or tool is not on this machine is skipped, never an error of the suite.
package peers

import (
	"context"
	"runtime/debug"
	"time"
)

// Peer is another job system doing the same work.
type Peer struct {
	// Name is what the project calls itself.
	Name string
	// Version is the release that runs, as in "v0.26.0"; empty if unknown.
	Version string
	// Store says where the jobs are kept, and what a crash loses beyond that.
	Store string
	// Open starts the peer and its own server, with data below dir, and returns when
	// both are ready. Root is the folder of the main module. It returns a Skipped when
	// the peer cannot run here.
	Open func(ctx context.Context, root, dir string) (System, error)
}

// System is a peer that is running. Its methods are called one after the other.
type System interface {
	// Enqueue makes each body one durable job, one at a time for each of so many
	// callers at once, at least one. It returns when all have been accepted.
	Enqueue(ctx context.Context, bodies [][]byte, callers int) error
	// Drain starts workers with so many slots, and stops them when so many orders
	// have been worked, which must be all that wait. It returns the time from the
	// first to the last, and their ids. It returns an error when an order was worked
	// twice, or none for half a minute; the system is of no more use then.
	Drain(ctx context.Context, orders, slots int) (took time.Duration, ids []string, err error)
	// Pickup has idle workers process one order after the other, and returns the
	// waits from the return of each enqueue to the beginning of work; zero for
	// work that began before.
	Pickup(ctx context.Context, tries int) ([]time.Duration, error)
	// Close stops everything that Open started and returns when it has ended.
	Close() error
}

// Skipped is the error of a peer that cannot run on this machine.
type Skipped struct { //nolint:errname // it reads as what became of the peer: peers.Skipped
	// Reason says what is missing, for people, in one line.
	Reason string
}

// Error implements error.
func (s Skipped) Error() string { return "skipped: " + s.Reason }

// All lists the peers.
func All() []Peer { return []Peer{asynqPeer(), riverPeer(), bullMQPeer()} }

// versionOf returns the version of a module of this program, empty if it is not known.
func versionOf(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}
