package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"orderprocessor/internal/archive"
	"orderprocessor/internal/order"
	"orderprocessor/internal/postgrestest"
	"orderprocessor/internal/programtest"
)

// batchOf returns orders of a batch, each with a label.
func batchOf(number, size int) []order.History {
	batch := make([]order.History, size)
	for i := range batch {
		batch[i] = completed(fmt.Sprintf("b%d-%d", number, i), tagged(fmt.Sprint("batch", number)))
	}
	return batch
}

// whole checks that of each batch all orders are there or none, and returns which are.
func (b *bundle) whole(t *testing.T, batches, size int) map[int]bool {
	t.Helper()
	there, n := map[int]bool{}, 0
	for number := range batches {
		found := len(b.found(t, order.Filter{Further: order.Further{Tag: fmt.Sprint("batch", number)}}, 1000))
		if found != 0 && found != size {
			t.Errorf("%d of %d orders of batch %d are there", found, size, number)
		}
		there[number], n = found > 0, n+found
	}
	b.count(t, n, n)
	return there
}

// TestPostgresKilled kills PostgreSQL while orders are put, and starts it again.
func TestPostgresKilled(t *testing.T) {
	t.Parallel()
	server, err := postgrestest.Start()
	address := database(t, server, err)
	t.Cleanup(func() { _ = server.Close() })
	b := open(t, address)
	const size, rounds = 500, 3
	confirmed, number := map[int]bool{}, 0
	for range rounds {
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond) // any moment will do
			server.Kill()
		}()
		for err = nil; err == nil; {
			if err = b.Put(t.Context(), batchOf(number, size)); err == nil {
				confirmed[number] = true
				number++
			}
		}
		<-killed
		if !errors.Is(err, order.ErrUnavailable) || !strings.Contains(err.Error(), "archive 500 orders") {
			t.Errorf("Put while PostgreSQL is killed: %v", err)
		}
		if _, _, err := b.Get(t.Context(), "b0-0"); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("Get while PostgreSQL is away: %v", err)
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		number++ // that batch may be there or not
		b.recovers(t, batchOf(number, size))
		confirmed[number] = true
		number++
	}
	there := b.whole(t, number, size)
	for n := range confirmed {
		if !there[n] {
			t.Errorf("batch %d was confirmed and is gone", n)
		}
	}
}

// recovers holds that the connections heal by themselves, at the first calls.
func (b *bundle) recovers(t *testing.T, batch []order.History) {
	t.Helper()
	for range 10 { // a connection may tell of the kill only when it is used
		_, _, err := b.Get(t.Context(), "none")
		if errors.Is(err, order.ErrNotFound) && b.Put(t.Context(), batch) == nil {
			return
		}
	}
	t.Error("neither reads nor writes recover after PostgreSQL started again")
}

// TestWriterKilled kills a process that puts orders, at any moment.
func TestWriterKilled(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		for range 3 {
			writer := exec.Command(os.Args[0])
			writer.Env = append(os.Environ(), openAndFill+"="+b.address)
			out, err := writer.StdoutPipe()
			if err == nil {
				err = writer.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			var confirmed int
			if _, err := fmt.Fscan(out, &confirmed); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond) // any moment will do
			if err := writer.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for n := 0; err == nil; _, err = fmt.Fscan(out, &n) {
				confirmed = max(confirmed, n)
			}
			_ = writer.Wait() // it was killed
			if !b.sqlite {
				programtest.Until(t, "PostgreSQL has ended what the process had begun", func() bool {
					n, err := b.Count(t.Context(), "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'")
					return n == 0 && err == nil
				})
			}
			there := b.whole(t, confirmed+2, filled) // the last one may be there
			for n := range confirmed + 1 {
				if !there[n] {
					t.Errorf("batch %d was confirmed and is gone", n)
				}
			}
			if err := b.Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestFull fills the file of SQLite, as a full disk does, and makes room again.
func TestFull(t *testing.T) {
	t.Parallel()
	b := open(t, sqliteAddress(t))
	const size = 200
	b.put(t, batchOf(0, size)...)
	if err := b.Exec(t.Context(), "PRAGMA max_page_count = 250"); err != nil {
		t.Fatal(err)
	}
	var err error
	number := 1
	for ; err == nil && number < 20; number++ {
		err = b.Put(t.Context(), batchOf(number, size))
	}
	if !errors.Is(err, order.ErrUnavailable) || !strings.Contains(err.Error(), "full") {
		t.Errorf("Put into a full file: %v", err)
	}
	if there := b.whole(t, number, size); !there[0] || there[number-1] {
		t.Errorf("there are %v", there)
	}
	if err := b.Exec(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	b.put(t, batchOf(number-1, size)...)
	b.whole(t, number, size)
}

// smallDisk mounts a file system of a few megabytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "disk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m", "none", folder).CombinedOutput(); err != nil {
		t.Skipf("not tested on a small disk, which needs the right to mount: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	return folder
}

func remount(t *testing.T, folder, options string) {
	t.Helper()
	if out, err := exec.Command("mount", "-o", "remount,"+options, folder).CombinedOutput(); err != nil {
		t.Fatalf("remount: %s", out)
	}
}

// fills puts batches until the disk is full, and again after it has grown.
func (b *bundle) fills(t *testing.T, folder string) {
	t.Helper()
	const size = 200
	var err error
	number := 0
	for ; err == nil && number < 50; number++ {
		err = b.Put(t.Context(), batchOf(number, size))
	}
	if !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("Put on a full disk: %v", err)
	}
	if there := b.whole(t, number, size); !there[0] || there[number-1] {
		t.Errorf("there are %v", there)
	}
	remount(t, folder, "size=30m")
	b.put(t, batchOf(number-1, size)...)
	b.whole(t, number, size)
}

// TestSmallDisk fills a real file system, and makes it read-only.
func TestSmallDisk(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	b := open(t, "sqlite://"+folder+"/archive.db")
	b.fills(t, folder)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	remount(t, folder, "ro")
	if _, err := archive.Open(t.Context(), b.address); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("opened on a read-only disk: %v", err)
	}
}

// TestSmallDiskOfPostgres fills the one that PostgreSQL keeps the orders on.
func TestSmallDiskOfPostgres(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	server, err := postgrestest.Start("fsync=off")
	address := database(t, server, err)
	t.Cleanup(func() { _ = server.Close() })
	if err := server.Own(folder); err != nil {
		t.Fatal(err)
	}
	b := open(t, address)
	for _, statement := range []string{"CREATE TABLESPACE small LOCATION '" + folder + "'", "ALTER TABLE orders SET TABLESPACE small"} {
		if err := b.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	b.fills(t, folder)
}

// TestReadOnlyFile opens a file that nobody may write.
func TestReadOnlyFile(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write every file; TestSmallDisk has a read-only disk")
	}
	address := sqliteAddress(t)
	if err := open(t, address).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(strings.TrimPrefix(address, "sqlite://"), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Open(t.Context(), address); !errors.Is(err, order.ErrUnavailable) {
		t.Errorf("opened a file that nobody may write: %v", err)
	}
}

// TestCorrupt opens files that are no archive, or no longer. Waiting would not help.
func TestCorrupt(t *testing.T) {
	t.Parallel()
	address := sqliteAddress(t)
	path := strings.TrimPrefix(address, "sqlite://")
	b := open(t, address)
	b.put(t, batchOf(0, 500)...)
	if err := b.Close(); err != nil { // which moves all into one file
		t.Fatal(err)
	}
	intact, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]int{"from the start": 0, "from the second page": 4096, "from the middle": len(intact) / 2} {
		broken := append([]byte(nil), intact...)
		for i := from; i < len(broken); i++ {
			broken[i] ^= 0xa5
		}
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := archive.Open(t.Context(), address)
		if err == nil {
			err = errors.Join(a.Put(t.Context(), batchOf(0, 500)), a.Put(t.Context(), batchOf(1, 500)), a.Close())
		}
		if err == nil || errors.Is(err, order.ErrUnavailable) {
			t.Errorf("corrupt %s: %v", name, err)
		}
	}
}

// TestStops holds that calls end with their context, whatever keeps them, and leave
// nothing behind.
func TestStops(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		release, err := open(t, b.address).Hold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := b.Put(ctx, batchOf(0, 3)); !errors.Is(err, order.ErrUnavailable) {
			t.Errorf("Put while another process writes: %v", err)
		}
		if took := time.Since(start); took > 4*time.Second { // less than the wait for the lock
			t.Errorf("Put ended %v after it began", took)
		}
		if err := release(); err != nil {
			t.Fatal(err)
		}
		b.endless(t)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, getErr := b.Get(cancelled, "o1")
		_, _, searchErr := b.Search(cancelled, order.Filter{}, order.Position{}, 1)
		for _, err := range []error{b.Put(cancelled, batchOf(0, 3)), getErr, searchErr} {
			if !errors.Is(err, context.Canceled) || errors.Is(err, order.ErrUnavailable) {
				t.Errorf("with a context that has ended: %v", err)
			}
		}
		b.count(t, 0, 0)
	})
}

// endless holds that a read ends in the database with the deadline of its context, so that
// more of them than there are connections do not keep others out.
func (b *bundle) endless(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := b.Count(ctx, "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT i FROM n) AS endless")
			if err == nil {
				t.Error("a query without an end has ended")
			}
		})
	}
	all.Wait()
	if _, _, err := b.Get(t.Context(), "none"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("Get after queries without an end: %v", err)
	}
}

// TestPutAtOnce puts the same orders by many at the same time, in different order.
func TestPutAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *bundle) {
		other := open(t, b.address)
		var all sync.WaitGroup
		for n := range 6 {
			all.Go(func() {
				for range 5 {
					batch := batchOf(0, 300)
					for i := range batch {
						batch[i].Sequence = 3 + n
					}
					rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
					err := order.ErrUnavailable
					for errors.Is(err, order.ErrUnavailable) { // as when the others take long
						err = []*bundle{b, other}[n%2].Put(t.Context(), batch)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		b.count(t, 300, 300)
	})
}
