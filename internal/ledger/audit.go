package ledger

import (
	"cmp"
	"context"
	"slices"
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
func (s *service) Audit(ctx context.Context, e order.AuditEntry, token string) error {
	return wrap(auditScript.Run(ctx, s.rdb, []string{s.keys.audit, s.keys.counters}, token, string(e.Action), order.Printable(e.Actor),
		order.Printable(e.Target), order.Printable(e.Reason), e.RequestID, auditRepeats.Milliseconds()).Err(), "audit %s", e.Action)
}

// AuditEntries returns a page of the audit, newest first: at most limit entries that match,
// older than the entry with the id after; empty for the start. Next is the id to continue
// after, empty when there are no more; even an empty page may have a next one. It returns
// order.ErrUnavailable when Redis did not answer.
func (l *Ledger) AuditEntries(ctx context.Context, f order.AuditFilter, after string, limit int) (
	entries []order.AuditEntry, next string, err error,
) {
	if len(l.books) == 1 {
		return l.first().auditEntries(ctx, f, after, limit)
	}
	type page struct {
		entries []order.AuditEntry
		next    string
	}
	pages, err := each(l.books, func(b *Book) (p page, err error) {
		p.entries, p.next, err = b.auditEntries(ctx, f, b.auditAfter(after), limit)
		return p, err
	})
	if err != nil {
		return nil, "", err
	}
	for n, p := range pages {
		for _, e := range p.entries {
			e.ID = auditID(e.ID, n)
			entries = append(entries, e)
		}
		if p.next == "" {
			continue
		}
		if end := auditID(p.next, n); next == "" || compareAudit(end, next) < 0 {
			next = end // up to here, each page is complete
		}
	}
	slices.SortFunc(entries, func(a, b order.AuditEntry) int { return compareAudit(a.ID, b.ID) })
	if next != "" {
		entries = slices.DeleteFunc(entries, func(e order.AuditEntry) bool { return compareAudit(e.ID, next) > 0 })
	}
	if len(entries) > limit {
		entries = entries[:limit]
		next = entries[limit-1].ID
	}
	return entries, next, nil
}

// With several books, the id of an entry is followed by its book: <ms>-<n>.<book>.
func auditID(id string, book int) string { return id + "." + strconv.Itoa(book) }

// splitAuditID returns what auditID has joined; the zero id and no book for anything else.
func splitAuditID(text string) (id order.EventID, book int) {
	before, after, _ := strings.Cut(text, ".")
	id, _ = order.ParseEventID(before)
	book, _ = strconv.Atoi(after)
	return id, book
}

// compareAudit compares ids as the audit lists them: the newest first.
func compareAudit(a, b string) int {
	x, bookX := splitAuditID(a)
	y, bookY := splitAuditID(b)
	return cmp.Or(y.Compare(x), cmp.Compare(bookY, bookX))
}

// auditAfter returns the id in this book from which on entries follow that of all books.
func (b *Book) auditAfter(after string) string {
	if after == "" {
		return ""
	}
	id, book := splitAuditID(after)
	if b.number < book { // of the same id, this book's entry comes after it
		id.Number++
	}
	return id.String()
}

func (b *Book) auditEntries(ctx context.Context, f order.AuditFilter, after string, limit int) (
	entries []order.AuditEntry, next string, err error,
) {
	for examined := 0; examined < maxAuditExamined; {
		newest := "+"
		if after != "" {
			newest = "(" + after
		}
		page, err := b.rdb.XRevRangeN(ctx, b.keys.audit, newest, "-", auditPage).Result()
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
