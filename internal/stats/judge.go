package stats

import (
	"fmt"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

const (
	// late is how long the oldest order of a queue may wait.
	late = time.Minute
	// archiveLate is how far the archive may be behind. It is seconds as a rule.
	archiveLate = time.Minute
	// failingShare is the share of the calls to the shop that may fail, and failingCalls
	// the number of calls below which a share means nothing.
	failingShare, failingCalls = 0.2, 10
	// goneFor is how long a worker that is gone is reported.
	goneFor = 10 * time.Minute
)

const memoryAdvice = "Raise maxmemory, or keep settled orders for a shorter time."

func (f Facts) judgeRedis(reason string) Verdict {
	what := strings.ToUpper(reason[:1]) + reason[1:]
	return Verdict{
		LevelBad, CauseRedis, what,
		time.Time{},
		"New orders are answered with 503, and clients may send them again; accepted ones are kept. Start or repair Redis: API and workers go on within seconds.", nil,
	}
}

func (f Facts) judgeBooks() Verdict {
	away, do := f.Away(), "do"
	if away == 0 {
		return Verdict{}
	}
	if away == 1 {
		do = "does"
	}
	return Verdict{
		LevelBad, CauseBooks, fmt.Sprintf("%d of %d books %s not answer", away, len(f.Books), do),
		time.Time{},
		"Their orders wait, and new ones in them are answered with 503 and may be sent again; the other books go on. Start or repair their Redis node, or let its replica take over. Then they go on within seconds.", nil,
	}
}

func (f Facts) judgeWorkers() Verdict {
	if f.Slots > 0 || !f.WorkersKnown() {
		return Verdict{}
	}
	v := Verdict{Level: LevelBad, Cause: CauseNoWorker, What: "No worker is alive"}
	v.Advice = "Orders are accepted and wait. Start workers, and see in their log why they ended."
	if n := len(f.Gone); n > 0 {
		v.Since = f.Gone[0].LastSeen
		v.Advice = fmt.Sprintf("Orders are accepted and wait. In the last hour there were %d; the last was %s. Start workers, and see in their log why they ended.", n, f.Gone[0].short())
	}
	return v
}

func (f Fulfilment) judgeDown() Verdict {
	switch {
	case f.Down():
		happens := "Orders are tried again until ORDERS_RETRY_FOR has passed."
		if f.State == order.BreakerOpen {
			happens = "Orders wait, no attempt is counted, and one order a second is tried."
		}
		return Verdict{
			LevelBad, CauseShopDown, "The shop takes no orders", f.DownSince(), f.failed() + " " + happens +
				" They go out by themselves once the shop answers. Repair the shop, or see whether ORDERS_FULFILMENT_URL is right and reachable from the workers.", nil,
		}
	case f.State == order.BreakerHalfOpen:
		return Verdict{
			LevelWarning, CauseShopFailing, "The shop takes orders again", f.Since,
			fmt.Sprintf("The rate of the calls grows step by step, now to %.0f a second. Nothing needs to be done.", f.Pace), nil,
		}
	default:
		return Verdict{}
	}
}

// Verdict judges the shop alone. It is the zero Verdict if nothing is wrong.
func (f Fulfilment) Verdict() Verdict {
	for _, v := range []Verdict{f.judgeDown(), f.judgeFailing(), f.judgePace()} {
		if v.What != "" {
			return v
		}
	}
	return Verdict{}
}

// failed says how many calls failed.
func (f Fulfilment) failed() string {
	n := f.Calls() - f.Taken - f.Refused
	if f.Calls() == 0 {
		return "No call was made in the last minute."
	}
	return fmt.Sprintf("%d of %d calls failed in the last minute.", n, f.Calls())
}

func (f Fulfilment) judgeFailing() Verdict {
	if f.Down() || f.State == order.BreakerHalfOpen || f.Calls() < failingCalls || float64(f.failing()) < failingShare*float64(f.Calls()) {
		return Verdict{}
	}
	return Verdict{
		LevelWarning, CauseShopFailing, fmt.Sprintf("%d %% of the calls to the shop fail", 100*f.failing()/f.Calls()), f.FailingSince,
		"The orders are tried again until ORDERS_RETRY_FOR has passed. See the errors in the list of retrying orders, and the log of the shop.", nil,
	}
}

func (f Fulfilment) judgePace() Verdict {
	if f.Later == 0 || f.Pace == 0 || f.Down() {
		return Verdict{}
	}
	return Verdict{
		LevelWarning, CauseShopPaced, fmt.Sprintf("The shop asks for fewer calls: it gets about %.0f a second", f.Pace),
		time.Time{},
		"Orders wait longer and none is lost. If the queues grow, let the shop allow more calls.", nil,
	}
}

func (f Facts) judgeDrift() Verdict {
	if f.Drift() == 0 {
		return Verdict{}
	}
	return Verdict{
		LevelBad, CauseDrift, fmt.Sprintf("The books do not balance, by %d", f.Drift()),
		time.Time{},
		"Another program changed keys, or Redis lost some. Keep the log and a copy of the data. New orders are still processed.", nil,
	}
}

func (f Facts) judgeMemory() Verdict {
	var refused []string
	for _, q := range f.Memory.Refused() {
		refused = append(refused, string(q))
	}
	switch {
	case len(refused) == 0:
		return Verdict{}
	case len(refused) == len(order.Queues()):
		return Verdict{LevelBad, CauseMemory, "Redis is nearly full", time.Time{}, "All new orders are refused. " + memoryAdvice, nil}
	default:
		return Verdict{
			LevelWarning, CauseMemory, "Redis is short of memory",
			time.Time{},
			fmt.Sprintf("%d %% of its limit is used, and new orders of %s are refused. %s",
				100*f.Memory.Used/f.Memory.Limit, strings.Join(refused, " and "), memoryAdvice), nil,
		}
	}
}

func (f Facts) judgeQueues() Verdict {
	if !f.full() {
		return Verdict{}
	}
	return Verdict{
		LevelBad, CauseQueuesFull, "The queues are full",
		time.Time{},
		"New orders are refused with 503. See whether a queue is paused (resume it), all slots are busy (start workers), or attempts take long (the shop is slow).", nil,
	}
}

func (f Facts) judgeArchive() Verdict {
	if f.Archive.Behind < archiveLate {
		return Verdict{}
	}
	advice := "No order is lost, and none leaves Redis before the archive has it, so its memory fills. See the log of the workers, and the database of the archive."
	if f.Memory.Limit > 0 {
		advice = fmt.Sprintf("No order is lost, and none leaves Redis before the archive has it: %d %% of the memory are used. See the log of the workers, and the database of the archive.",
			100*f.Memory.Used/f.Memory.Limit)
	}
	return Verdict{
		LevelWarning, CauseArchive, fmt.Sprintf("The archive is %v behind", f.Archive.Behind.Round(time.Minute)), f.Archive.Until, advice, nil,
	}
}

func (f Facts) judgePoison() Verdict {
	if f.Poison == 0 {
		return Verdict{}
	}
	return Verdict{
		LevelWarning, CausePoison, "An order killed three workers and failed",
		time.Time{},
		"Find it among the failed orders, and find out what it does to a worker before it is retried.", nil,
	}
}

func (f Facts) judgePaused() Verdict {
	var paused []string
	for _, q := range order.Queues() {
		if f.Depths[q].Paused {
			paused = append(paused, string(q))
		}
	}
	if len(paused) == 0 {
		return Verdict{}
	}
	return Verdict{
		LevelWarning, CausePaused, "Paused: " + strings.Join(paused, ", "),
		time.Time{},
		"Orders are accepted and wait there until somebody resumes the queue.", nil,
	}
}

func (f Facts) judgeGone() Verdict {
	if len(f.Gone) == 0 || f.Slots == 0 {
		return Verdict{}
	}
	var lost []GoneWorker
	for _, g := range f.Gone {
		if !g.Stopped && f.At.Sub(g.LastSeen) < goneFor {
			lost = append(lost, g)
		}
	}
	if len(lost) == 0 {
		return Verdict{}
	}
	names := lost[0].short()
	if len(lost) > 1 {
		names = fmt.Sprintf("%s and %d more", names, len(lost)-1)
	}
	return Verdict{
		LevelWarning, CauseWorkerGone, fmt.Sprintf("Workers are gone: %d of %d in the last hour", len(lost), f.Workers+len(f.Gone)), lost[0].LastSeen,
		fmt.Sprintf("It is %s. Its orders are worked by the others. See why it ended: out of memory, or a restart of its machine.", names), nil,
	}
}

func (f Facts) judgeLate() Verdict {
	oldest, queue := time.Duration(0), order.Queue("")
	for _, q := range order.Queues() {
		if d := f.Depths[q]; d.OldestPending > oldest && !d.Paused {
			oldest, queue = d.OldestPending, q
		}
	}
	if oldest <= late || f.Slots == 0 && f.WorkersKnown() || f.Fulfilment.Down() {
		return Verdict{}
	}
	v := Verdict{Level: LevelWarning, Cause: CauseLate, What: "Orders wait long", Since: f.At.Add(-oldest).Add(late)}
	v.Advice = fmt.Sprintf("The oldest in %s has waited for %v. Start workers, or find out why attempts take long.", queue, oldest.Round(time.Second))
	if f.Growing {
		v.What = "Orders come in faster than they are worked"
	}
	return v
}

func (f Facts) judgeStuck() Verdict {
	waiting := f.ByStatus[order.StatusRetrying]
	for _, d := range f.Depths {
		if !d.Paused {
			waiting += d.Pending + d.Active
		}
	}
	switch {
	case waiting == 0 || f.Decided > 0 || f.Slots == 0 || f.Fulfilment.Down():
		return Verdict{}
	case !f.Seen:
		return Verdict{Level: LevelUnknown, Cause: CauseStuck, What: "Orders wait", Advice: "Whether they complete is known in a minute."}
	default:
		return Verdict{
			LevelWarning, CauseStuck, "No order completes",
			time.Time{},
			fmt.Sprintf("Waiting or being tried: %d, and none reached an outcome in the last minute. See the errors of the retrying orders, and the log of the workers.", waiting), nil,
		}
	}
}

func (f Facts) good() Verdict {
	var running int64
	for _, d := range f.Depths {
		running += d.Active
	}
	v := Verdict{Level: LevelGood, What: "All is well"}
	if f.Waiting()+running == 0 {
		v.Advice = fmt.Sprintf("No order waits. Free slots: %d.", f.Slots)
		return v
	}
	v.Advice = fmt.Sprintf("Completed a second: %.1f. Waiting: %d. With workers: %d.", f.CompletedRate, f.Waiting(), running)
	return v
}

// short is the end of the name, by which the log of the worker is found. It leaves out the
// name of the host, as anybody may read GET /health.
func (g GoneWorker) short() string {
	parts := strings.Split(g.Name, "-")
	return strings.Join(parts[max(0, len(parts)-2):], "-")
}

// full reports whether as many orders wait as may. Where the memory of Redis has a limit,
// that alone bounds them.
func (f Facts) full() bool {
	return f.MaxBacklog > 0 && f.Memory.Limit == 0 && f.Backlog() >= f.MaxBacklog
}
