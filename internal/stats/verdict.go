package stats

import (
	"slices"
	"strings"
	"time"
)

// Level is how serious a verdict is.
type Level string

// The levels.
const (
	// LevelGood: orders complete, or there are none.
	LevelGood Level = "good"
	// LevelUnknown: too little has been seen.
	LevelUnknown Level = "unknown"
	// LevelWarning: orders are accepted and processed, and somebody should look today.
	LevelWarning Level = "warning"
	// LevelBad: orders are not accepted or not processed; look at once.
	LevelBad Level = "bad"
)

// Cause names what is wrong, for programs.
type Cause string

// The causes, in the order in which they count: a cause comes before its effects.
const (
	CauseRedis       Cause = "redis"
	CauseBooks       Cause = "books_away"
	CauseNoWorker    Cause = "no_worker"
	CauseShopDown    Cause = "shop_down"
	CauseDrift       Cause = "drift"
	CauseMemory      Cause = "memory"
	CauseQueuesFull  Cause = "queues_full"
	CauseArchive     Cause = "archive_behind"
	CausePoison      Cause = "poison_order"
	CauseShopFailing Cause = "shop_failing"
	CauseShopPaced   Cause = "shop_paced"
	CausePaused      Cause = "paused"
	CauseWorkerGone  Cause = "worker_gone"
	CauseLate        Cause = "late"
	CauseStuck       Cause = "stuck"
	CauseNone        Cause = ""
)

// Verdict is what is wrong, since when, and what to do, in words for an operator.
type Verdict struct {
	// Level is how serious it is.
	Level Level
	// Cause names it; empty if nothing is wrong.
	Cause Cause
	// What is a few words without a full stop.
	What string
	// Since is when it began, as far as known; zero if it is not.
	Since time.Time
	// Advice is what follows from it and what to do, in sentences.
	Advice string
	// Also is the What of everything else that is wrong.
	Also []string
}

// Detail is the verdict in one line.
func (v Verdict) Detail() string {
	text := v.What
	if !v.Since.IsZero() {
		text += " since " + v.Since.UTC().Format(time.RFC3339)
	}
	text += "."
	if v.Advice != "" {
		text += " " + v.Advice
	}
	if len(v.Also) > 0 {
		text += " Also: " + strings.Join(v.Also, "; ") + "."
	}
	return text
}

// Verdict judges the facts. Its Since is zero where the facts do not say it; see
// Reporter.Verdict.
func (f Facts) Verdict() Verdict { return f.first(f.verdicts()) }

// first returns the first of all verdicts, with the others beside it.
func (f Facts) first(all []Verdict) Verdict {
	if len(all) == 0 {
		return f.good()
	}
	first := all[0]
	for _, other := range all[1:] {
		first.Also = append(first.Also, other.What)
	}
	return first
}

// verdicts returns everything that is wrong, causes first.
func (f Facts) verdicts() []Verdict {
	if reason := f.redisReason(); reason != "" {
		return []Verdict{f.judgeRedis(reason)}
	}
	var all []Verdict
	for _, judge := range []func() Verdict{
		f.judgeBooks, f.judgeWorkers, f.Fulfilment.judgeDown, f.judgeDrift, f.judgeMemory, f.judgeQueues, f.judgeArchive, f.judgePoison,
		f.Fulfilment.judgeFailing, f.Fulfilment.judgePace, f.judgePaused, f.judgeGone, f.judgeLate, f.judgeStuck,
	} {
		if v := judge(); v.What != "" {
			all = append(all, v)
		}
	}
	return all
}

// dated is when each cause was first seen, by a process that looks again and again.
type dated map[Cause]time.Time

// date sets the Since of a verdict to when its cause was first seen, where the facts do
// not say it, and forgets the causes that are gone.
func (d dated) date(all []Verdict, now time.Time) {
	for i, v := range all {
		if _, known := d[v.Cause]; !known {
			d[v.Cause] = now
		}
		if v.Since.IsZero() {
			all[i].Since = d[v.Cause]
		}
	}
	for cause := range d {
		if !slices.ContainsFunc(all, func(v Verdict) bool { return v.Cause == cause }) {
			delete(d, cause)
		}
	}
}
