package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

const (
	// maxAudit is roughly how many entries the audit keeps, the newest ones: about 10 MB.
	maxAudit = 50_000
	// auditRepeats is within which time a repeated Audit is recognised. Clients of Redis
	// repeat a call within seconds.
	auditRepeats = 30 * time.Second
	// auditPage is how many entries of the audit are read at once.
	auditPage = 500
	// maxAuditExamined is how many entries AuditEntries examines for one page.
	maxAuditExamined = 5000
)

// Audit writes an entry for a change that is about to be made elsewhere than in the books.
// ID and At of the entry are given by Redis. The token names the call: repeating it within
// half a minute writes nothing. Changes of the books write their entries themselves, in the
// same script.
func (l *Ledger) Audit(ctx context.Context, e order.AuditEntry, token string) error {
	return wrap(auditScript.Run(ctx, l.rdb, []string{auditKey, countersKey}, token, string(e.Action), order.Printable(e.Actor),
		order.Printable(e.Target), order.Printable(e.Reason), e.RequestID, auditRepeats.Milliseconds()).Err(), "audit %s", e.Action)
}

// AuditEntries returns a page of the audit, newest first: at most limit entries that match,
// older than the entry with the id after; empty for the start. Next is the id to continue
// after, empty when there are no more; even an empty page may have a next one. It returns
// order.ErrUnavailable when Redis did not answer.
func (l *Ledger) AuditEntries(ctx context.Context, f order.AuditFilter, after string, limit int) (
	entries []order.AuditEntry, next string, err error,
) {
	for examined := 0; examined < maxAuditExamined; {
		newest := "+"
		if after != "" {
			newest = "(" + after
		}
		page, err := l.rdb.XRevRangeN(ctx, auditKey, newest, "-", auditPage).Result()
		if err != nil {
			return nil, "", wrap(err, "read the audit")
		}
		for i, message := range page {
			after = message.ID
			if e := parseAuditEntry(message); f.Matches(e) {
				entries = append(entries, e)
			}
			if len(entries) == limit && (i < len(page)-1 || len(page) == auditPage) {
				return entries, after, nil
			}
		}
		if len(page) < auditPage {
			return entries, "", nil
		}
		examined += len(page)
	}
	return entries, after, nil
}

// parseAuditEntry reads what the scripts write; see scripts/entry.lua.
func parseAuditEntry(m redis.XMessage) order.AuditEntry {
	text := func(name string) string {
		value, _ := m.Values[name].(string)
		return value
	}
	ms, _, _ := strings.Cut(m.ID, "-")
	at, _ := strconv.ParseInt(ms, 10, 64)
	return order.AuditEntry{
		ID: m.ID, At: time.UnixMilli(at).UTC(), Action: order.AuditAction(text("a")), Actor: text("w"), Target: text("t"),
		Reason: text("r"), RequestID: text("q"),
	}
}
