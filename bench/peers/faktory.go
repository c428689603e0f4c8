package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	faktory "github.com/contribsys/faktory/client"
	worker "github.com/contribsys/faktory_worker_go"
)

const (
	// faktoryVersion is what go.mod pins, of the server and the client.
	faktoryVersion = "v1.9.0"
	// faktoryJob names the job that works an order.
	faktoryJob = "order"
	// faktoryRamp is how long the worker's slots take to ask for their first job:
	// each sleeps up to 2.15 s, lest all ask at once.
	faktoryRamp = 2300 * time.Millisecond
)

// faktoryPeer is Faktory with its own Go worker, one connection for each slot
// and two more, as the worker has it by default. Its slots begin in the course
// of two seconds; because that is no part of its throughput, the first jobs wait
// until all are there.
func faktoryPeer() Peer {
	return Peer{
		Name: "Faktory", Version: faktoryVersion,
		Store: "its own Redis, with the append-only file switched on",
		Open:  opener(inProcess(openFaktory)),
	}
}

type faktoryEngine struct {
	server    faktoryDialer
	producers *faktory.Pool
}

func openFaktory(ctx context.Context, h *home, d Durability) (engine, error) {
	address, err := startFaktory(ctx, h, d)
	if err != nil {
		return nil, err
	}
	e := &faktoryEngine{server: faktoryDialer(address)}
	e.producers, err = faktory.NewPoolWithDialer(connections, e.server)
	return e, err
}

func (e *faktoryEngine) put(_ context.Context, body []byte) error {
	return e.producers.With(func(c *faktory.Client) error {
		return c.Push(faktory.NewJob(faktoryJob, string(body)))
	})
}

func (e *faktoryEngine) run(ctx context.Context, slots int, work func([]byte) error) (func() error, error) {
	pool, err := faktory.NewPoolWithDialer(slots+2, e.server)
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	manager := worker.NewManager()
	manager.Concurrency, manager.Pool = slots, pool
	manager.Logger = &worker.StdLogger{Logger: log.New(io.Discard, "", 0)} // or it logs to the standard output
	manager.Register(faktoryJob, func(_ context.Context, args ...any) error {
		<-ready
		return workFaktory(args, work)
	})
	stop := runFaktory(ctx, manager)
	err = pause(ctx, faktoryRamp)
	close(ready)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

// workFaktory works the one argument of a job.
func workFaktory(args []any, work func([]byte) error) error {
	if len(args) != 1 {
		return fmt.Errorf("a job has %d arguments", len(args))
	}
	body, ok := args[0].(string)
	if !ok {
		return fmt.Errorf("the argument of a job is a %T", args[0])
	}
	return work([]byte(body))
}

// runFaktory starts the manager, whatever becomes of the context, and returns
// what stops it.
func runFaktory(ctx context.Context, manager *worker.Manager) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- manager.RunWithContext(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func (e *faktoryEngine) close() error {
	e.producers.Close()
	return nil
}

// faktoryDialer dials one server, whatever address it is given: the client takes
// others from the environment alone.
type faktoryDialer string

// Dial implements faktory.Dialer.
func (d faktoryDialer) Dial(network, _ string) (net.Conn, error) {
	return (&net.Dialer{Timeout: startTimeout}).DialContext(context.Background(), network, string(d))
}
