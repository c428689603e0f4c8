// Package redistest starts a private Redis for a test: a real redis-server, or the server
// of REDIS_SERVER, as a child process on its own unix socket. Tests can therefore run in
// parallel, and can stop, kill and restart their server. Breaker breaks single commands in
// the two ways a network can.
package redistest

import (
	"cmp"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience bounds the wait for an answer of the server, which usually starts within 10 ms.
// It only ends tests that hang.
const patience = 5 * time.Minute

// Server is one private redis-server. Its methods fail the test on errors and
// are not safe for concurrent use.
type Server struct {
	tb   testing.TB
	dir  string
	args []string
	cmd  *exec.Cmd
	away bool // killed or frozen
}

// Program returns the server that tests and measurements start: that of the environment
// variable REDIS_SERVER, a name on the PATH or an absolute path, or else redis-server.
func Program() string { return cmp.Or(os.Getenv("REDIS_SERVER"), "redis-server") }

// Start runs a redis-server that keeps nothing on disk and never evicts, and
// waits until it answers. It stops with the test. Extra arguments are settings
// in redis.conf form, as in "--appendonly", "yes".
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	if _, err := exec.LookPath(Program()); err != nil {
		tb.Fatalf("these tests need a redis-server on the PATH; `make redis` installs it: %v", err)
	}
	// Socket paths are limited to about 100 bytes, so not below tb.TempDir.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, dir: dir, args: append([]string{
		"--port", "0", "--unixsocket", filepath.Join(dir, "s"), "--dir", dir,
		"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
	}, settings...)}
	tb.Cleanup(s.remove)
	s.start()
	return s
}

// URL returns the address of the server for REDIS_URL.
func (s *Server) URL() string { return "unix://" + filepath.Join(s.dir, "s") }

// Client returns a client of the server that closes with the test. It never repeats a
// command, so that a test sees each fault, and like the programs it does not say who it is.
func (s *Server) Client() *redis.Client {
	s.tb.Helper()
	opts, err := redis.ParseURL(s.URL())
	if err != nil {
		s.tb.Fatal(err)
	}
	opts.MaxRetries = -1
	opts.ContextTimeoutEnabled, opts.DisableIdentity = true, true
	opts.PoolSize = 64
	// The machine may be busy. A test that must not wait uses a context with a deadline.
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = patience, patience, patience, patience
	c := redis.NewClient(opts)
	s.tb.Cleanup(func() { _ = c.Close() })
	return c
}

// Freeze stops the server without closing its connections: commands hang, as they do
// when a machine stalls.
func (s *Server) Freeze() {
	s.tb.Helper()
	s.signal(syscall.SIGSTOP)
	s.away = true
}

// Thaw continues a frozen server.
func (s *Server) Thaw() {
	s.tb.Helper()
	s.signal(syscall.SIGCONT)
	s.away = false
}

// Kill ends the server at once, as kill -9 does. Restart brings it back.
func (s *Server) Kill() {
	s.tb.Helper()
	s.signal(syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd, s.away = nil, true
}

// Restart starts a killed server again in the same place, with what it had on
// disk, and waits until it answers.
func (s *Server) Restart() {
	s.tb.Helper()
	s.start()
}

func (s *Server) start() {
	s.tb.Helper()
	s.cmd = exec.Command(Program(), s.args...)
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatalf("start %s: %v", Program(), err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !answers(ctx, filepath.Join(s.dir, "s")) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.tb.Fatalf("redis-server did not answer within %v", patience)
		}
	}
	s.away = false
}

// answers reports whether the server accepts connections and has loaded its data. It
// dials itself, because go-redis would wait longer after each failure. It asks for PING
// alone, which is all that a user of a deployment without a password may do.
func answers(ctx context.Context, socket string) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return false
	}
	_ = conn.Close()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	return c.Ping(ctx).Err() == nil
}

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatalf("signal redis-server: %v", err)
	}
}

func (s *Server) remove() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
	_ = os.RemoveAll(s.dir)
}
