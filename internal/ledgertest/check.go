package ledgertest

import (
	"slices"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

func (b *books) checkRecords() {
	for id, r := range b.records {
		status := order.Status(r["s"])
		if !slices.Contains(order.Statuses(), status) {
			b.problem("order %s has unknown status %q", id, status)
		}
		if settled := r["z"] != ""; settled != status.Settled() {
			b.problem("order %s is %s with settled time %q", id, status, r["z"])
		}
		if due := r["x"] != ""; due != (status == order.StatusRetrying) {
			b.problem("order %s is %s with next attempt %q", id, status, r["x"])
		}
		if r["k"] != "" && (status == order.StatusCancelled || status == order.StatusHeld) {
			b.problem("order %s is %s and still has the claim %q", id, status, r["k"])
		}
		if r["j"] != "" && status != order.StatusHeld {
			b.problem("order %s is %s and its hold expires at %s", id, status, r["j"])
		}
		b.checkAttempts(id, r)
		b.checkTimeline(id, r)
	}
}

// checkAttempts checks that the record has the first attempt of the run, the newest ones
// and no others.
func (b *books) checkAttempts(id string, r map[string]string) {
	attempts, _ := strconv.Atoi(r["n"])
	before, _ := strconv.Atoi(r["m"])
	if before > attempts {
		b.problem("order %s has %d attempts, %d of them before its last retry", id, attempts, before)
	}
	first, ofRun := max(1, attempts-order.MaxAttemptsKept+1), before+1
	for n := 1; n <= attempts; n++ {
		_, kept := r["a"+strconv.Itoa(n)]
		// The oldest one makes room for the first one of the run.
		if n != ofRun && (n < first || n == first && first > 1 && !kept) {
			continue
		}
		parts := strings.Split(r["a"+strconv.Itoa(n)], "\t")
		// Only the last one may be open, while the order is being worked.
		open := len(parts) == 2 && n == attempts && worked(order.Status(r["s"]))
		if len(parts) != 5 && !open {
			b.problem("order %s has attempt %d as %q and is %s", id, n, parts, r["s"])
		}
	}
	for field := range r {
		number, ok := strings.CutPrefix(field, "a")
		if n, err := strconv.Atoi(number); ok && (err != nil || n < first && n != ofRun || n > attempts) {
			b.problem("order %s has %d attempts and a field %s", id, attempts, field)
		}
	}
}

func worked(s order.Status) bool {
	return s == order.StatusProcessing || s == order.StatusPriorityProcessing || s == order.StatusExpedited
}

func (b *books) checkIndexes() {
	for id, r := range b.records {
		at, _ := strconv.ParseFloat(r["c"], 64)
		if got, ok := b.indexes[r["s"]][id]; !ok || got != at {
			b.problem("order %s is %s since %s but its index has the time %v", id, r["s"], r["c"], got)
		}
		if got, ok := b.customers[id]; !ok || got != at {
			b.problem("order %s is accepted at %s but its customer's index has the time %v", id, r["c"], got)
		}
	}
	for id, r := range b.records {
		if at, _ := strconv.ParseFloat(r["j"], 64); at != b.expiries[id] {
			b.problem("the hold of order %s expires at %q but its index has the time %v", id, r["j"], b.expiries[id])
		}
	}
	for id := range b.expiries {
		if b.records[id]["j"] == "" {
			b.problem("the index of expiries has order %s, whose hold does not expire", id)
		}
	}
	for id := range b.marks {
		if b.records[id] == nil {
			b.problem("order %s is due for the archive and has no record", id)
		}
	}
	for status, ids := range b.indexes {
		for id := range ids {
			if r, ok := b.records[id]; !ok || r["s"] != status {
				b.problem("index %s has order %s, which is %q", status, id, r["s"])
			}
		}
	}
	for id := range b.customers {
		if b.records[id] == nil {
			b.problem("a customer's index has order %s, which has no record", id)
		}
	}
}

func (b *books) checkCounters() {
	var gauges, decided, attempts int64
	for _, s := range order.Statuses() {
		gauge, indexed := b.counter("g:"+string(s)), int64(len(b.indexes[string(s)]))
		gauges += gauge
		if s.Settled() && s != order.StatusCancelled {
			decided += gauge
		}
		if gauge < indexed || (!s.Settled() && gauge != indexed) {
			b.problem("%d orders are counted as %s, its index has %d", gauge, s, indexed)
		}
	}
	if accepted := b.counter("accepted"); accepted != gauges {
		b.problem("%d orders were accepted, the statuses add up to %d", accepted, gauges)
	}
	for _, r := range b.records {
		n, _ := strconv.ParseInt(r["n"], 10, 64)
		attempts += n
	}
	whole := b.counter("accepted") == int64(len(b.records))
	if counted := b.counter("attempts"); counted < attempts || (whole && counted != attempts) {
		b.problem("%d attempts are counted, the records have %d", counted, attempts)
	}
	retried := b.counter("retried")
	if from := b.counter("y:failed") + b.counter("y:rejected"); from != retried {
		b.problem("%d orders were retried, %d of them from failed or rejected", retried, from)
	}
	if observed := b.observations("end_to_end"); observed != decided+retried {
		b.problem("%d orders are decided and %d were retried, %d durations observed", decided, retried, observed)
	}
	if begun, processed := b.observations("queue_wait"), b.observations("processing"); processed > begun {
		b.problem("%d orders were begun, %d processed", begun, processed)
	}
}

func (b *books) observations(measure string) int64 {
	var n int64
	for name := range b.counters {
		if strings.HasPrefix(name, "l:"+measure+":") {
			n += b.counter(name)
		}
	}
	return n
}
