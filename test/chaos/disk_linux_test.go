package chaos_test

import (
	"os/signal"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// TestDiskFull lets Redis write no more to its append-only file, as if the disk
// were full, and makes room again. Clients are refused meanwhile; what was accepted
// survives that Redis is killed afterwards.
func TestDiskFull(t *testing.T) {
	// A file that may not grow raises a signal as well, which a full disk does not.
	// Redis inherits that it is ignored; nobody else meets it.
	signal.Ignore(syscall.SIGXFSZ)
	s := open(t, "i the disk of Redis is full")
	s.addAPIs(1)
	s.addWorkers(2)
	var outages []outage
	s.whileSubmitting(8, shortOrLong(50, 200), mixed, func() {
		for range shortOrLong(2, 10) {
			s.awaitCalls(20 + s.rand.IntN(50))
			outages = append(outages, s.diskFull(shortOrLong(2*time.Second, 10*time.Second)))
			s.awaitCalls(30)
		}
		outages = append(outages, s.redisDown(100*time.Millisecond))
		s.awaitCalls(10)
	})
	s.conclude().checkOutages(outages)
}

// diskFull keeps Redis from writing to files for a while after it has noticed.
func (s *system) diskFull(span time.Duration) outage {
	s.t.Helper()
	s.faults.Add(1)
	pid, size := number(s.redisInfo("Server", "process_id")), number(s.redisInfo("Persistence", "aof_current_size"))
	o := outage{from: time.Now()}
	limitFiles(s.t, int(pid), uint64(size))
	s.until("Redis cannot write", func() bool { return s.redisInfo("Persistence", "aof_last_write_status") == "err" })
	wait(span)
	limitFiles(s.t, int(pid), ^uint64(0))
	o.to = time.Now()
	return o
}

// limitFiles bounds the size, in bytes, to which a running process may let its files
// grow.
func limitFiles(t *testing.T, pid int, most uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: most, Max: ^uint64(0)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		t.Fatalf("limit the files of process %d: %v", pid, errno)
	}
}
