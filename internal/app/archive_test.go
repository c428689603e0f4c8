package app_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"orderprocessor/internal/archive"
	orders "orderprocessor/internal/order"
	"orderprocessor/internal/ordertest"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// TestArchiveAwayAtStart checks that both programs are ready without their archive, say so,
// and use it once it can be opened.
func TestArchiveAwayAtStart(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "disk")
	s := startReady(t, environ(redistest.Start(t).URL(), "ORDERS_ARCHIVE_URL=sqlite://"+folder+"/archive.db"))
	for name, p := range s.programs() {
		if got := checkState(t, p, "archive"); got != "200 warning" {
			t.Errorf("%s: the check of the archive is %s", name, got)
		}
	}
	h := orders.History{Record: orders.Record{Order: ordertest.Order(t, ordertest.WithID("o1")), Status: orders.StatusPending, CreatedAt: time.Now()}, Sequence: 1}
	if err := s.worker.Archive.Put(t.Context(), []orders.History{h}); !errors.Is(err, orders.ErrUnavailable) {
		t.Errorf("an archive that is not open answers %v", err)
	}
	must(t, os.Mkdir(folder, 0o700))
	for name, p := range s.programs() {
		programtest.Until(t, name+": the archive answers", func() bool { return checkState(t, p, "archive") == "200 ok" })
	}
	must(t, s.worker.Archive.Put(t.Context(), []orders.History{h}))
	if rec, _, err := s.api.Archive.Get(t.Context(), "o1"); err != nil || rec.ID != "o1" {
		t.Errorf("the API finds %v, %v", rec, err)
	}
}

// TestArchiveOfNewerVersion checks that no program runs beside an archive that it does not
// understand.
func TestArchiveOfNewerVersion(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "archive.db")
	a, err := archive.Open(t.Context(), "sqlite://"+file)
	must(t, err)
	must(t, a.Close())
	db, err := sql.Open("sqlite", "file:"+file)
	must(t, err)
	_, err = db.ExecContext(t.Context(), "INSERT INTO schema_version (version) VALUES (1000)")
	must(t, errors.Join(err, db.Close()))
	for name, p := range newBoth(t, environ(redistest.Start(t).URL(), "ORDERS_ARCHIVE_URL=sqlite://"+file)) {
		r := start(t, p)
		<-r.done
		if !errors.Is(r.err, archive.ErrNewer) {
			t.Errorf("%s ends with %v", name, r.err)
		}
	}
}
