package app_test

import (
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/app"
	"orderprocessor/internal/ledger"
	"orderprocessor/internal/redistest"
)

// TestProgramsTellTheirVersions holds that each program that runs is known in Redis
// with its version, and is not once it has stopped; that it logs it, and tells it on
// the admin address.
func TestProgramsTellTheirVersions(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	var logs [2]logBuffer
	api, worker := newAPI(t, &logs[0], environ(redis.URL())), newWorker(t, &logs[1], environ(redis.URL()))
	books := ledger.New(redis.Client())
	known := func() string {
		programs, err := books.Programs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, p := range programs {
			if p.Version != app.Version() || p.Name == "" {
				t.Errorf("%+v is known", p)
			}
			kinds = append(kinds, p.Kind)
		}
		return strings.Join(kinds, " ")
	}
	a, w := start(t, api), start(t, worker)
	eventually(t, "both are known", func() bool { k := known(); return k == "api worker" || k == "worker api" })
	for i, p := range []program{api, worker} {
		if got := readyz(t, p).body["version"]; got != app.Version() {
			t.Errorf("/readyz has the version %v", got)
		}
		if !strings.Contains(logs[i].String(), `"version":"`+app.Version()+`"`) {
			t.Errorf("the version is not logged: %s", &logs[i])
		}
	}
	for _, one := range []struct {
		r    *running
		left string
	}{{w, "api"}, {a, ""}} {
		one.r.stop()
		if err := one.r.wait(t); err != nil {
			t.Error(err)
		}
		if got := known(); got != one.left {
			t.Errorf("%q are known, want %q", got, one.left)
		}
	}
}

// TestProgramsAreForgotten holds that one that was killed does not stay known, and that
// there is no end to the set of them.
func TestProgramsAreForgotten(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	books := ledger.New(redis.Client())
	now := time.Now()
	for _, row := range []struct {
		name string
		at   time.Time
		want int
	}{{"killed", now.Add(-time.Hour), 0}, {"alive", now, 1}, {"as well", now, 2}} {
		if err := books.Announce(t.Context(), ledger.Program{Kind: "worker", Name: row.name, Version: "commit 1, go1"}, row.at); err != nil {
			t.Fatal(err)
		}
		if got, err := books.Programs(t.Context()); err != nil || len(got) != row.want {
			t.Errorf("%s: %v, %v", row.name, got, err)
		}
	}
	if n := redis.Client().ZCard(t.Context(), "orders:{b0}:p").Val(); n != 2 {
		t.Errorf("%d programs are kept", n)
	}
}
