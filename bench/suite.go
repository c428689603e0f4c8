package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"orderprocessor/bench/peers"
	"orderprocessor/bench/report"
	"orderprocessor/bench/scenario"
	"orderprocessor/bench/systems"
)

// What bounds one step: far above what any takes, and an end for one that hangs.
const (
	stepTimeout  = 2 * time.Hour
	smokeTimeout = time.Minute
)

// suite is one call of this program.
type suite struct {
	options
	bench *scenario.Bench
	log   *slog.Logger
}

// newSuite builds the programs into dir.
func newSuite(ctx context.Context, opts options, dir string) (*suite, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	log.Info("building the programs")
	programs, err := systems.Build(ctx, dir, opts.base)
	if err != nil {
		return nil, err
	}
	b := &scenario.Bench{
		Programs: programs, Peers: peers.All(), Services: peers.Services(), Sizes: scenario.Full(),
		Results: report.NewResults(), Log: log,
	}
	if opts.smoke {
		b.Sizes, opts.runs = scenario.Smoke(), 1
		b.Peers = slices.DeleteFunc(b.Peers, func(p peers.Peer) bool { return installed(p.Name) })
		b.Services = slices.DeleteFunc(b.Services, func(s peers.Service) bool { return installed(s.Name) })
	}
	return &suite{options: opts, bench: b, log: log}, nil
}

// installed reports whether a peer is installed before each use, which takes longer than
// the whole of a smoke run.
func installed(name string) bool { return strings.HasPrefix(name, "BullMQ") }

// measure makes all runs. A step that fails is an error in the end, and the others go
// on: one must not cost an hour of figures.
func (s *suite) measure(ctx context.Context) error {
	failed := 0
	for run := range s.runs {
		s.bench.Run = run
		for _, step := range s.bench.Steps() {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if s.wants(step.Scenario) && (run == 0 || !step.Once) && !s.step(ctx, step) {
				failed++
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d measurements failed", failed)
	}
	return nil
}

// step makes one measurement and reports whether it succeeded; if not, the log and the
// report give the reason.
func (s *suite) step(ctx context.Context, step scenario.Step) bool {
	within := stepTimeout
	if s.smoke {
		within = smokeTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	begun := time.Now()
	err := step.Measure(ctx)
	log := s.log.With("run", s.bench.Run+1, "scenario", step.Scenario, "system", step.System)
	if err != nil {
		log.Error("step", "error", err)
		failed := report.Key{Scenario: step.Scenario, System: step.System}
		s.bench.Results.Skip(failed, fmt.Sprintf("run %d: %v", s.bench.Run+1, err))
		return false
	}
	log.Info("step", "took", time.Since(begun).Round(time.Millisecond))
	return true
}

// report prints the table, and writes the report where one was asked for.
func (s *suite) report(ctx context.Context) error {
	goals := slices.DeleteFunc(scenario.Goals(), func(g report.Goal) bool { return !s.wants(g.Key.Scenario) })
	rows := s.bench.Results.Rows(s.bench.Ratios(), goals)
	if s.smoke {
		rows = withoutGoals(rows)
	}
	if err := report.WriteTable(os.Stdout, rows, s.bench.Results.Skips()); err != nil {
		return err
	}
	if missing := report.Missing(rows, goals); len(missing) > 0 && len(s.only) == 0 {
		return fmt.Errorf("nothing was measured for %v", missing)
	}
	if s.options.report == "" {
		return nil
	}
	return s.writeReport(ctx, rows)
}

// withoutGoals removes the verdicts: a smoke run says nothing about speed.
func withoutGoals(rows []report.Row) []report.Row {
	for i := range rows {
		rows[i].Goal, rows[i].Verdict = "", ""
	}
	return rows
}
