package peers

import (
	"context"
	"io"
	"log"

	"github.com/RichardKnop/machinery/v2"
	"github.com/RichardKnop/machinery/v2/backends/null"
	broker "github.com/RichardKnop/machinery/v2/brokers/redis"
	"github.com/RichardKnop/machinery/v2/config"
	locks "github.com/RichardKnop/machinery/v2/locks/eager"
	machinerylog "github.com/RichardKnop/machinery/v2/log"
	"github.com/RichardKnop/machinery/v2/tasks"
)

const (
	// machineryVersion is what go.mod pins.
	machineryVersion = "v2.0.13"
	// machineryTask names the task that works an order.
	machineryTask = "order"
)

// machineryPeer is machinery with its Redis broker. No other peer keeps the
// results of jobs, so neither does this one: the backend is the null one, which
// costs it nothing. The lock is for periodic tasks alone, of which there are
// none. A job leaves Redis before it is worked.
func machineryPeer() Peer {
	return Peer{
		Name: "machinery", Version: machineryVersion,
		Store: "Redis; a crash loses the jobs being worked",
		Open:  opener(inProcess(openMachinery)),
	}
}

type machineryEngine struct {
	addr   string
	client *machinery.Server
}

func openMachinery(ctx context.Context, h *home, d Durability) (engine, error) {
	// It logs every start to the standard output, which is the suite's table.
	machinerylog.Set(log.New(io.Discard, "", 0))
	addr, err := startRedis(ctx, h, d)
	if err != nil {
		return nil, err
	}
	return &machineryEngine{addr: addr, client: newMachinery(addr)}, nil
}

// newMachinery returns a server, as producers and workers call it alike. The
// broker of one that has stopped cannot be used again. The waits are the
// documented defaults, in seconds, and for the polls in milliseconds.
func newMachinery(addr string) *machinery.Server {
	c := &config.Config{
		DefaultQueue: "orders", NoUnixSignals: true,
		Redis: &config.RedisConfig{
			MaxIdle: connections, MaxActive: connections, Wait: true,
			IdleTimeout: 240, ReadTimeout: 15, WriteTimeout: 15, ConnectTimeout: 15,
			NormalTasksPollPeriod: 1000, DelayedTasksPollPeriod: 500,
		},
	}
	return machinery.NewServer(c, broker.New(c, addr, "", "", 0), null.New(), locks.New())
}

func (e *machineryEngine) put(ctx context.Context, body []byte) error {
	_, err := e.client.SendTaskWithContext(ctx, &tasks.Signature{
		Name: machineryTask, Args: []tasks.Arg{{Type: "string", Value: string(body)}},
	})
	return err
}

func (e *machineryEngine) run(_ context.Context, slots int, work func([]byte) error) (func() error, error) {
	server := newMachinery(e.addr)
	err := server.RegisterTask(machineryTask, func(body string) error { return work([]byte(body)) })
	if err != nil {
		return nil, err
	}
	worker := server.NewWorker("bench", slots)
	ended := make(chan error, 1)
	worker.LaunchAsync(ended)
	return func() error {
		worker.Quit()
		return <-ended
	}, nil
}

// close does nothing: the producer's connections end with Redis.
func (e *machineryEngine) close() error { return nil }
