package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// writeReport writes the Markdown report.
func (s *suite) writeReport(ctx context.Context, rows []report.Row) (err error) {
	versions, err := s.versions(ctx)
	if err != nil {
		return err
	}
	file, err := os.Create(s.options.report) //nolint:gosec // the caller says where
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return report.WriteMarkdown(file, report.Document{
		Machine: report.Machine(), Versions: versions, Settings: s.settings(), Notes: notes(),
		Rows: rows, Skips: s.bench.Results.Skips(),
	})
}

// versions lists what was built and started.
func (s *suite) versions(ctx context.Context) ([]report.Fact, error) {
	var facts []report.Fact
	for _, m := range []struct{ name, module string }{
		{"Go", "go"},
		{"Asynq", "github.com/hibiken/asynq"},
		{"go-redis", "github.com/redis/go-redis/v9"},
		{"Fiber", "github.com/gofiber/fiber/v2"},
		{"fasthttp", "github.com/valyala/fasthttp"},
	} {
		version, err := s.bench.Programs.Version(m.module)
		if err != nil {
			return nil, err
		}
		facts = append(facts, report.Fact{Name: m.name, Value: version})
	}
	redis, err := systems.OpenRedis(ctx, s.bench.Programs.Root(), s.bench.Programs.Dir(), systems.Off)
	if err != nil {
		return nil, err
	}
	defer redis.Close()
	version, err := redis.Info(ctx, "Server", "redis_version")
	facts = append(facts, report.Fact{Name: "Redis", Value: version})
	for _, p := range s.bench.Peers {
		facts = append(facts, report.Fact{Name: p.Name, Value: p.Version + ", " + p.Store})
	}
	return facts, err
}

// settings lists how everything ran.
func (s *suite) settings() []report.Fact {
	size := s.bench.Sizes
	return []report.Fact{
		{Name: "runs", Value: strconv.Itoa(s.runs) + ", interleaved"},
		{Name: "Redis", Value: "deploy/redis.conf without its memory limit; appendfsync everysec unless a system says otherwise"},
		{Name: "our system", Value: "one API process, one worker process, default settings but for the queue limit"},
		{Name: "naive wiring", Value: "one API process, one worker process: bench/naive, one Asynq server of 50 with weights 6, 3, 1"},
		{Name: "systems on Asynq, River and BullMQ", Value: "one API process, one worker process of 50 slots (Asynq) or 64, one queue without " +
			"priorities; Redis as above, which may lose the last second in a power cut, as with our system; PostgreSQL as it is installed, " +
			"which loses nothing, and again with synchronous_commit off, which may lose 0.6 seconds"},
		{Name: "orders", Value: "about 300 bytes of JSON, 20 % critical, 50 % default, 30 % low, 2 % rejected by the rules"},
		{Name: "load", Value: fmt.Sprintf("from the suite's own process: %d clients over HTTP (fasthttp), each waiting for its "+
			"answer; at a constant rate (vegeta) where latency is reported", size.Clients)},
		{Name: "orders of a measurement", Value: fmt.Sprintf(
			"%d submitted one by one, %d in batches, %d drained, %d sustained, %d behind a backlog, "+
				"%d spread over books (with %d clients and %d worker slots), %d of work after %d others, %d simulated, %d weighed",
			size.Single, size.Batch, size.Drain, size.Sustained, size.Beside,
			size.Spread, size.SpreadClients, size.SpreadSlots, size.Work, size.WarmUp, size.Simulated, size.Memory)},
	}
}

// notes say how to read the figures.
func notes() []string {
	return []string{
		"All programs, Redis and the load share this one machine. Ratios travel to other machines better than rates do.",
		"A run measures every system once, and the runs follow each other, so that what disturbs the machine for a while " +
			"disturbs all. A figure is the median of the runs with the least and the largest; a ratio is taken within each run first.",
		"Every measurement of a system that keeps books ends with a check of them: each accepted order is decided once, or " +
			"waits, and `drift` is 0. Otherwise there is no figure.",
		"Sustained is from the first order sent to the last one settled. The peers do the same work of an order, reading it " +
			"and deciding it, and keep no books.",
		"Work is the same with whole systems, such as a user would build on each library: orders over HTTP, a durable record, a list " +
			"by status, counts, and one outcome. Each order has an id, and each system is asked whether it has it already. The processor " +
			"time is that of all processes of a system, user and system, with what follows the last outcome, such as taking jobs off a queue.",
	}
}
