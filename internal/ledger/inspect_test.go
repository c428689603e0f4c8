package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// TestKeyTypes brings orders into every status, and compares the keys in Redis with
// KeyTypes, both ways.
func TestKeyTypes(t *testing.T) {
	b, _ := archived(t)
	b.confirm(t, nil, "archive", 1)
	b.SetIDTerm(time.Hour)
	b.do(t, accept(sample("forgotten")), cancel("forgotten", ""))
	b.archiveAll(t)
	b.do(t, forget())
	later := sample("scheduled")
	later.ProcessAt = time.Now().Add(time.Hour)
	b.do(t, accept(later), accept(sample("pending")), accept(sample("cancelled")), cancel("cancelled", ""))
	for _, h := range []order.Handling{order.HandlingStandard, order.HandlingPriority, order.HandlingExpedited} {
		c := claim(string(h), "t-"+string(h))
		c.Handling = h
		b.do(t, accept(sample(c.ID)), begin(c))
	}
	r := claim("retrying", "r")
	b.do(t, accept(sample(r.ID)), begin(r), fail(r))
	for _, out := range []order.Outcome{completed(), {Status: order.StatusRejected, Error: "no"}, {Status: order.StatusFailed, Error: "no"}} {
		c := claim(string(out.Status), "t-"+string(out.Status))
		b.do(t, accept(sample(c.ID)), begin(c), settle(c, out))
	}
	b.do(t, accept(sample("held")), hold("held", time.Hour), quarantine("pending"))
	b.do(t, activate("v1"), createJob("j1", order.JobRetry))
	if _, err := b.Books()[0].Lead(t.Context(), "one", time.Minute, time.Hour); err != nil {
		t.Fatal(err)
	}
	must(t, b.Fix(t.Context()))
	b.report(t, takes(1))
	must(t, b.SaveSample(t.Context(), sampleAt(time.Unix(60, 0), 1), stats.Verdict{Cause: stats.CausePaused, What: "Paused"}))
	found := map[string]string{}
	for _, key := range b.rdb.Keys(t.Context(), "*").Val() {
		if key != endpointState && !strings.HasPrefix(key, ledgertest.RecordKey("")) && key != "orders:{b0}:j:j1" && !strings.HasPrefix(key, strings.TrimSuffix(ledgertest.CustomerKeys, "*")) && !strings.HasPrefix(key, ledgertest.Book+"d:") {
			found[key] = b.rdb.Type(t.Context(), key).Val()
		}
	}
	if diff := cmp.Diff(found, ledger.KeyTypes(1)); diff != "" {
		t.Errorf("known keys (-found +known):\n%s", diff)
	}
}

func TestRecordEncoding(t *testing.T) {
	b := open(t)
	wantEncoding := func(wantID, want string) {
		t.Helper()
		if id, got, err := b.RecordEncoding(t.Context()); id != wantID || got != want || err != nil {
			t.Errorf("order %q is a %q, %v; want %q, %q", id, got, err, wantID, want)
		}
	}
	wantEncoding("", "")
	b.rdb.ConfigSet(t.Context(), "hash-max-listpack-value", "8")
	b.do(t, accept(sample("o1")))
	b.rdb.ConfigSet(t.Context(), "hash-max-listpack-value", "1024")
	wantEncoding("o1", "hashtable")
	b.do(t, accept(sample("o2")))
	wantEncoding("o2", "listpack")
	b.rdb.Rename(t.Context(), ledgertest.RecordKey("o2"), "kept")
	wantEncoding("", "")
	b.rdb.Rename(t.Context(), "kept", ledgertest.RecordKey("o2"))

	b.server.Kill()
	if _, _, err := b.RecordEncoding(t.Context()); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("without Redis it answered %v", err)
	}
	b.server.Restart()
}
