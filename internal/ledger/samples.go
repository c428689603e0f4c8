package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// maxAlerts is how many alerts are kept, the newest ones: about 50 KB.
const maxAlerts = 500

// SaveSample keeps a sample for each range that has a step which begins at its time, until
// the range is over: 360 and 1,440 samples at most, of about 80 bytes. The first sample of a
// time stays. If the verdict has another cause than the last one that was given, it is kept
// as an alert; one without words is not known and changes nothing. SaveSample may be
// repeated. It returns order.ErrUnavailable when Redis did not answer.
func (s *service) SaveSample(ctx context.Context, taken stats.Sample, v stats.Verdict) error {
	keys := []string{s.keys.alerts}
	args := []any{taken.At.Unix(), encodeSample(taken), string(v.Cause), v.What, maxAlerts}
	for _, r := range stats.Ranges() {
		keys = append(keys, s.keys.samples(r))
		args = append(args, place(taken.At, r))
	}
	return wrap(sampleScript.Run(ctx, s.rdb, keys, args...).Err(), "save a sample")
}

// place is where a range keeps the sample of a time; empty if it keeps none.
func place(at time.Time, r stats.Range) string {
	step := int64(r.Step().Seconds())
	if at.Unix()%step != 0 {
		return ""
	}
	return strconv.FormatInt(at.Unix()/step%int64(r.Length()/r.Step()), 10)
}

// Samples returns the samples that are not older than a range by the clock of Redis, oldest
// first, and the alerts, likewise. It returns order.ErrUnavailable when Redis did not answer.
func (s *service) Samples(ctx context.Context, r stats.Range) (samples []stats.Sample, alerts []stats.Marker, err error) {
	pipe := s.rdb.Pipeline()
	clock, kept, marked := pipe.Time(ctx), pipe.HGetAll(ctx, s.keys.samples(r)), pipe.HGetAll(ctx, s.keys.alerts)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, wrap(err, "read the samples")
	}
	now := clock.Val()
	recent := func(at time.Time) bool { return now.Sub(at) <= r.Length() && !at.After(now) }
	for _, text := range kept.Val() {
		if s, err := decodeSample(text); err == nil && recent(s.At) {
			samples = append(samples, s)
		}
	}
	for _, text := range marked.Val() {
		at, what, ok := strings.Cut(text, " ")
		seconds, err := strconv.ParseInt(at, 10, 64)
		if m := (stats.Marker{At: time.Unix(seconds, 0).UTC(), Kind: stats.MarkerAlert, Text: what}); ok && err == nil && recent(m.At) {
			alerts = append(alerts, m)
		}
	}
	slices.SortFunc(samples, func(a, b stats.Sample) int { return a.At.Compare(b.At) })
	slices.SortFunc(alerts, func(a, b stats.Marker) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Text, b.Text)) })
	return samples, alerts, nil
}

// numbers returns where a sample has its numbers, in the order in which they are written.
func numbers(s *stats.Sample, waiting []int64) []*int64 {
	all := []*int64{
		&s.Accepted, &s.Completed, &s.Rejected, &s.Failed, &s.Cancelled,
		&s.Scheduled, &s.Retrying, &s.Held, &s.Processing,
	}
	for i := range waiting {
		all = append(all, &waiting[i])
	}
	return all
}

// encodeSample writes the time in seconds and all numbers, separated by blanks.
func encodeSample(s stats.Sample) string {
	waiting := make([]int64, len(order.Queues()))
	for i, q := range order.Queues() {
		waiting[i] = s.Waiting[q]
	}
	text := strconv.AppendInt(nil, s.At.Unix(), 10)
	for _, n := range numbers(&s, waiting) {
		text = strconv.AppendInt(append(text, ' '), *n, 10)
	}
	return string(text)
}

// decodeSample reads what encodeSample wrote, and ignores what newer versions may add.
func decodeSample(text string) (s stats.Sample, err error) {
	waiting := make([]int64, len(order.Queues()))
	var seconds int64
	fields, into := strings.Fields(text), append([]*int64{&seconds}, numbers(&s, waiting)...)
	if len(fields) < len(into) {
		return s, fmt.Errorf("a sample has %d numbers", len(fields))
	}
	for i, n := range into {
		if *n, err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return s, fmt.Errorf("a sample: %w", err)
		}
	}
	s.At, s.Waiting = time.Unix(seconds, 0).UTC(), map[order.Queue]int64{}
	for i, q := range order.Queues() {
		s.Waiting[q] = waiting[i]
	}
	return s, nil
}
