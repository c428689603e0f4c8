// Package scenario measures: each file is one scenario, which opens a system, does one
// thing to it, compares its books with what was sent, and keeps the figures.
//
// It receives built programs and sizes and hands on steps, each of which measures
// one system once. A step owns the system that it opens and leaves nothing behind.
// A step whose books do not balance fails and keeps no figure.
package scenario

import (
	"context"
	"log/slog"

	"orderprocessor/bench/peers"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// The scenarios, as they are chosen and shown.
const (
	Single    = "intake"
	Batch     = "batch"
	Drain     = "drain"
	Sustained = "sustained"
	Latency   = "latency"
	Idle      = "idle"
	Priority  = "priority"
	Events    = "events"
	Backlog   = "backlog"
	Memory    = "memory"
	Rules     = "rules"
	Archive   = "archive"
	Books     = "books"
	Work      = "work"
	Cost      = "cost"
	Growth    = "growth"
)

// Names lists the scenarios in the order in which they run.
func Names() []string {
	return []string{Single, Batch, Drain, Sustained, Latency, Idle, Priority, Events, Backlog, Rules, Archive, Books, Work, Cost, Growth, Memory}
}

// rate is orders over time, the figure that systems are compared by.
const rate = "rate"

// Bench is what the steps share. It is not safe for concurrent use.
type Bench struct {
	// Programs are the built binaries.
	Programs *systems.Programs
	// Peers are the other job systems.
	Peers []peers.Peer
	// Services are the systems that a user would build on them.
	Services []peers.Service
	// Sizes is how much is done.
	Sizes Sizes
	// Results keeps the figures.
	Results *report.Results
	// Run is the number of the run that goes on.
	Run int
	// Log receives a line for each step.
	Log *slog.Logger
}

// Step measures one system once.
type Step struct {
	// Scenario and System name it.
	Scenario, System string
	// Once restricts it to the first run: its figures do not vary.
	Once bool
	// Measure does it.
	Measure func(ctx context.Context) error
}

// Steps returns all steps in the order in which they run. Those of one scenario are
// next to each other, so that what is compared is measured within minutes.
func (b *Bench) Steps() []Step {
	var all []Step
	for _, some := range [][]Step{
		b.singleSteps(), b.batchSteps(), b.drainSteps(), b.sustainedSteps(), b.latencySteps(),
		b.idleSteps(), b.prioritySteps(), b.eventSteps(), b.backlogSteps(), b.ruleSteps(), b.archiveSteps(), b.bookSteps(),
		b.workSteps(), b.costSteps(), b.growthSteps(), b.memorySteps(),
	} {
		all = append(all, some...)
	}
	return all
}

// both returns a step for each of the two systems that keep books.
func both(scenario string, measure func(context.Context, systems.Kind) error) []Step {
	var steps []Step
	for _, k := range []systems.Kind{systems.Ours, systems.Naive} {
		steps = append(steps, Step{Scenario: scenario, System: string(k), Measure: func(ctx context.Context) error {
			return measure(ctx, k)
		}})
	}
	return steps
}

// keep adds the sample of this run.
func (b *Bench) keep(k report.Key, u report.Unit, value float64) {
	b.Results.Add(b.Run, k, u, value)
	b.Log.Info("measured", "scenario", k.Scenario, "system", k.System, "figure", k.Figure, "value", value, "unit", u)
}

// key names a figure.
func key(scenario, system, figure string) report.Key {
	return report.Key{Scenario: scenario, System: system, Figure: figure}
}
