package api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// historyView is the JSON of what happened in a range of time.
type historyView struct {
	Range       stats.Range  `json:"range"`
	StepSeconds int          `json:"step_seconds"`
	Points      []pointView  `json:"points"`
	Markers     []markerView `json:"markers"`
}

// pointView is the JSON of one step.
type pointView struct {
	At         order.Timestamp `json:"at"`
	Accepted   int64           `json:"accepted"`
	Completed  int64           `json:"completed"`
	Rejected   int64           `json:"rejected"`
	Failed     int64           `json:"failed"`
	Cancelled  int64           `json:"cancelled"`
	Waiting    waitingView     `json:"waiting"`
	Scheduled  int64           `json:"scheduled"`
	Retrying   int64           `json:"retrying"`
	Held       int64           `json:"held"`
	Processing int64           `json:"processing"`
}

type waitingView struct {
	Critical int64 `json:"critical"`
	Default  int64 `json:"default"`
	Low      int64 `json:"low"`
}

type markerView struct {
	At    order.Timestamp  `json:"at"`
	Kind  stats.MarkerKind `json:"kind"`
	Text  string           `json:"text"`
	Actor string           `json:"actor,omitempty"`
}

// getStatsHistory answers GET /stats/history.
func (s *Server) getStatsHistory(c *fiber.Ctx) error {
	q := queryOf(c, "range")
	r := stats.RangeHour
	if value, ok := q.value("range"); ok {
		if r = stats.Range(value); !slices.Contains(stats.Ranges(), r) {
			q.add("range", order.CodeInvalid, "must be 1h or 24h")
		}
	}
	if err := q.err(); err != nil {
		return err
	}
	samples, markers, err := s.Samples.Samples(c.UserContext(), r)
	if err != nil {
		return err
	}
	actions, err := s.actions(c.UserContext(), r)
	if err != nil {
		return err
	}
	markers = append(markers, actions...)
	slices.SortStableFunc(markers, func(a, b stats.Marker) int { return a.At.Compare(b.At) })
	return c.JSON(viewHistory(r, stats.Points(samples, r.Step()), markers))
}

// actions returns what people did in a range, as far as the newest entries of the audit tell.
func (s *Server) actions(ctx context.Context, r stats.Range) ([]stats.Marker, error) {
	now, err := s.Attempts.Now(ctx)
	if err != nil {
		return nil, err
	}
	var all []order.AuditEntry
	for after := ""; len(all) < maxActions; {
		page, next, err := s.Audit.AuditEntries(ctx, order.AuditFilter{}, after, actionsPage)
		if err != nil {
			return nil, err
		}
		old := slices.IndexFunc(page, func(e order.AuditEntry) bool { return now.Sub(e.At) > r.Length() })
		if old >= 0 {
			return markActions(append(all, page[:old]...), r.Step()), nil
		}
		all = append(all, page...)
		if next == "" {
			break
		}
		after = next
	}
	return markActions(all, r.Step()), nil
}

// markActions makes a marker of what an actor did in one step with one action: a retry of
// many orders is one marker, at the time of the last.
func markActions(newestFirst []order.AuditEntry, step time.Duration) []stats.Marker {
	type what struct {
		step   time.Time
		actor  string
		action order.AuditAction
	}
	var markers []stats.Marker
	places, counts := map[what]int{}, map[what]int{}
	for _, e := range newestFirst {
		w := what{e.At.Truncate(step), e.Actor, e.Action}
		counts[w]++
		if place, known := places[w]; known {
			markers[place].Text = fmt.Sprintf("%s, %d times", e.Action, counts[w])
			continue
		}
		places[w] = len(markers)
		markers = append(markers, stats.Marker{At: e.At, Kind: stats.MarkerAction, Text: string(e.Action) + " " + e.Target, Actor: e.Actor})
	}
	return markers
}

func viewHistory(r stats.Range, points []stats.Point, markers []stats.Marker) historyView {
	v := historyView{
		Range: r, StepSeconds: int(r.Step().Seconds()), Points: make([]pointView, len(points)), Markers: make([]markerView, len(markers)),
	}
	for i, p := range points {
		v.Points[i] = pointView{
			At: order.Timestamp{Time: p.At}, Accepted: p.Accepted, Completed: p.Completed, Rejected: p.Rejected, Failed: p.Failed, Cancelled: p.Cancelled,
			Waiting:   waitingView{p.Waiting[order.QueueCritical], p.Waiting[order.QueueDefault], p.Waiting[order.QueueLow]},
			Scheduled: p.Scheduled, Retrying: p.Retrying, Held: p.Held, Processing: p.Processing,
		}
	}
	for i, m := range markers {
		v.Markers[i] = markerView{At: order.Timestamp{Time: m.At}, Kind: m.Kind, Text: m.Text, Actor: m.Actor}
	}
	return v
}
