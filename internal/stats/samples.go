package stats

import (
	"time"

	"orderprocessor/internal/order"
)

// Range is how far back samples go.
type Range string

// The ranges: ten-second steps of an hour, and minutes of a day.
const (
	RangeHour Range = "1h"
	RangeDay  Range = "24h"
)

// Ranges returns all ranges, the shortest first.
func Ranges() []Range { return []Range{RangeHour, RangeDay} }

// Length is the time that the range covers.
func (r Range) Length() time.Duration {
	if r == RangeDay {
		return 24 * time.Hour
	}
	return time.Hour
}

// Step is the time between two samples.
func (r Range) Step() time.Duration {
	if r == RangeDay {
		return time.Minute
	}
	return SampleStep
}

// Counts is how often orders were accepted, and reached each outcome. An order that is
// retried and reaches an outcome again counts again: no count ever goes down.
type Counts struct {
	Accepted, Completed, Rejected, Failed, Cancelled int64
}

// since returns what was counted after an earlier moment: nothing where less is counted
// now, as in a Redis that was reset.
func (c Counts) since(earlier Counts) Counts {
	return Counts{
		Accepted:  max(0, c.Accepted-earlier.Accepted),
		Completed: max(0, c.Completed-earlier.Completed),
		Rejected:  max(0, c.Rejected-earlier.Rejected),
		Failed:    max(0, c.Failed-earlier.Failed),
		Cancelled: max(0, c.Cancelled-earlier.Cancelled),
	}
}

// Levels is how many orders there are at one moment.
type Levels struct {
	// Waiting is how many wait for a worker, by queue.
	Waiting map[order.Queue]int64
	// Scheduled, Retrying, Held and Processing are how many are in these statuses, of
	// which Processing is all that are being worked.
	Scheduled, Retrying, Held, Processing int64
}

// Sample is what is known at one moment.
type Sample struct {
	// At is the moment, a multiple of SampleStep by the clock of Redis.
	At time.Time
	// Counts is of all time.
	Counts
	Levels
}

// Point is what happened in one step.
type Point struct {
	// At is the end of the step.
	At time.Time
	// Counts is of the step.
	Counts
	// Levels is at its end.
	Levels
}

// Points returns the steps between samples, which are given oldest first. There is a point
// only where there are samples at both ends of a step: a count of more than one step would
// look like a spike.
func Points(samples []Sample, step time.Duration) []Point {
	points := []Point{}
	for i := 1; i < len(samples); i++ {
		s, before := samples[i], samples[i-1]
		if s.At.Sub(before.At) == step {
			points = append(points, Point{At: s.At, Counts: s.since(before.Counts), Levels: s.Levels})
		}
	}
	return points
}

// Marker is something that happened, beside the points.
type Marker struct {
	At   time.Time
	Kind MarkerKind
	// Text says what, in a few words.
	Text string
	// Actor is who did it; empty for an alert.
	Actor string
}

// MarkerKind is what a marker is about.
type MarkerKind string

// The kinds of markers.
const (
	// MarkerAction is what an operator did.
	MarkerAction MarkerKind = "action"
	// MarkerAlert is a verdict that begins, or that nothing is wrong any more.
	MarkerAlert MarkerKind = "alert"
)

// newSample takes a sample from a snapshot.
func newSample(at time.Time, s Snapshot) Sample {
	sample := Sample{
		At: at,
		Counts: Counts{
			Accepted: s.Accepted, Completed: s.ByStatus[order.StatusCompleted], Cancelled: s.ByStatus[order.StatusCancelled],
			Rejected: s.ByStatus[order.StatusRejected] + s.RetriedFrom[order.StatusRejected],
			Failed:   s.ByStatus[order.StatusFailed] + s.RetriedFrom[order.StatusFailed],
		},
		Levels: Levels{
			Waiting: map[order.Queue]int64{}, Scheduled: s.ByStatus[order.StatusScheduled],
			Retrying: s.ByStatus[order.StatusRetrying], Held: s.ByStatus[order.StatusHeld],
			Processing: s.ByStatus[order.StatusProcessing] + s.ByStatus[order.StatusPriorityProcessing] + s.ByStatus[order.StatusExpedited],
		},
	}
	for q, d := range s.Depths {
		sample.Waiting[q] = d.Pending
	}
	return sample
}
