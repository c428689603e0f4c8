package chaos_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
)

const (
	bookStart  = "orders:{b"
	book       = bookStart + "0}:" // the first one
	queueStart = "asynq:{"
)

// checkKeys wants every key in Redis to belong to something: to an order that is
// listed, to the books as a whole, or to Asynq's own running.
func (a *audit) checkKeys() {
	ctx, customers := a.s.t.Context(), map[string]bool{}
	for _, o := range a.listed {
		sum := sha256.Sum256([]byte(o.Customer))
		customers[base64.RawURLEncoding.EncodeToString(sum[:16])] = true
	}
	keys, err := ledgertest.Keys(ctx, a.s.rdb, "*")
	if err != nil {
		a.s.t.Errorf("list the keys: %v", err)
	}
	for _, key := range keys {
		if why := a.leaked(key, customers); why != "" {
			a.find(&a.verdict.Leaked, "key %s is left behind: %s", key, why)
		}
	}
}

// leaked returns why a key should not be there, empty if it may.
func (a *audit) leaked(key string, customers map[string]bool) string {
	if rest, ok := strings.CutPrefix(key, bookStart); ok {
		_, rest, _ = strings.Cut(rest, "}:")
		return a.leakedBook(rest, key, customers)
	}
	if rest, ok := strings.CutPrefix(key, queueStart); ok {
		return a.leakedQueue(rest)
	}
	switch kind, _, owned := strings.Cut(strings.TrimPrefix(key, "asynq:"), ":"); {
	case kind == "queues", (kind == "servers" || kind == "workers") && !owned:
		return ""
	case kind == "servers" || kind == "workers" || kind == "leases":
		return a.unbounded(key)
	}
	return "it belongs to nothing"
}

func (a *audit) leakedBook(rest, key string, customers map[string]bool) string {
	kind, name, _ := strings.Cut(rest, ":")
	_, listed := a.listed[name]
	_, status := a.stats.ByStatus[order.Status(name)]
	switch {
	case kind == "o" && listed, kind == "s" && status, kind == "u" && customers[name], rest == "a", rest == "b", rest == "c", rest == "d", rest == "e", rest == "r", rest == "h", kind == "j", rest == "k", rest == "n",
		kind == "t": // the number of books; samples and alerts, which are bounded
		return ""
	case rest == "l", rest == "i", rest == "p", kind == "f", kind == "d": // the leader of recovery, the order in quarantine, the programs that run, the circuit breakers, and ids
		return a.unbounded(key)
	default:
		return "it belongs to no order and no book"
	}
}

// leakedQueue checks a key of one queue. A task may stay only while it is
// archived, for an order that failed.
func (a *audit) leakedQueue(rest string) string {
	queue, kind, _ := strings.Cut(rest, "}:")
	name, id, _ := strings.Cut(kind, ":")
	switch name {
	case "pending", "active", "scheduled", "retry", "archived", "lease", "completed", "paused", "processed", "failed",
		"corrupt", "corrupt_at":
		return ""
	case "t":
		archived := a.s.rdb.ZScore(a.s.t.Context(), queueStart+queue+"}:archived", id).Err() == nil
		if o := a.listed[id]; !archived || o.Status != "failed" {
			return "the order is " + string(o.Status)
		}
		return ""
	default:
		return "it is no bookkeeping of Asynq"
	}
}

// unbounded wants a key to expire.
func (a *audit) unbounded(key string) string {
	if ttl := a.s.rdb.TTL(a.s.t.Context(), key).Val(); ttl == -1 {
		return "it has no expiry"
	}
	return ""
}
