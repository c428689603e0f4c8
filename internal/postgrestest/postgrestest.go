// Package postgrestest runs a private PostgreSQL for tests: a real server as a child
// process, with its data and its unix socket in a folder for temporary files. Nothing
// listens on the network. A test may kill and restart its server.
package postgrestest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// account is the user of the database, and the one that the server runs as when the
	// test is root's, which PostgreSQL refuses; its packages create it.
	account = "postgres"
	// patience bounds the wait for the server. It only ends tests that hang.
	patience = 5 * time.Minute
	pause    = 10 * time.Millisecond
)

// ErrMissing means that this machine has no PostgreSQL server.
var ErrMissing = errors.New("there is no PostgreSQL server: neither initdb on the PATH nor in /usr/lib/postgresql")

// Server is a private PostgreSQL. It is not safe for concurrent use, but for Database.
type Server struct {
	bin   string // of its programs
	dir   string
	args  []string
	owner *syscall.Credential // nil for this process's user
	cmd   *exec.Cmd
	done  chan struct{} // closed when it has ended
}

// Start makes an empty cluster and runs it. The caller must Close it. Arguments are
// settings, as in "fsync=off". It returns ErrMissing.
func Start(settings ...string) (*Server, error) {
	bin, ok := programs()
	if !ok {
		return nil, ErrMissing
	}
	dir, err := os.MkdirTemp("", "pg") // short, as the path of a socket has 100 bytes at most
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir}
	for _, setting := range append([]string{"listen_addresses=", "unix_socket_directories=" + dir}, settings...) {
		s.args = append(s.args, "-c", setting)
	}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) create() error {
	if err := s.chooseOwner(); err != nil {
		return err
	}
	initdb := s.command("initdb", "-D", s.data(), "-U", account, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s.Restart()
}

// Database makes an empty database and returns its address.
func (s *Server) Database(name string) (string, error) {
	if out, err := s.command("createdb", "-h", s.dir, "-U", account, name).CombinedOutput(); err != nil {
		return "", fmt.Errorf("createdb: %w: %s", err, out)
	}
	return "postgres://" + account + "@/" + name + "?host=" + url.QueryEscape(s.dir), nil
}

// Kill ends the server and all its processes at once, as kill -9 does.
func (s *Server) Kill() {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	_ = s.cmd.Process.Signal(syscall.SIGSTOP) // so that it starts no more of them
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	_ = s.cmd.Process.Kill()
	for child := range strings.FieldsSeq(string(children)) {
		if n, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	<-s.done
}

// Restart runs the server again with what it had on the disk, and waits until it answers.
// It refuses to start while a process of its last life has not ended yet; then Restart
// tries again.
func (s *Server) Restart() error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pause) {
		if err := s.run(); err != nil {
			return err
		}
		for s.runs() {
			if s.command("pg_isready", "-q", "-h", s.dir).Run() == nil {
				return nil
			}
			if time.Now().After(end) {
				break
			}
			time.Sleep(pause)
		}
	}
	text, _ := os.ReadFile(s.log())
	return fmt.Errorf("PostgreSQL does not answer: %s", text)
}

func (s *Server) run() error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := s.command("postgres", append([]string{"-D", s.data()}, s.args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	s.cmd, s.done = cmd, done
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return nil
}

// runs reports whether the server's first process has not ended.
func (s *Server) runs() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// Close ends the server and removes its data.
func (s *Server) Close() error {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGINT)
		<-s.done
	}
	return os.RemoveAll(s.dir)
}

// Used returns how much CPU the server and its processes have used, once it is closed.
func (s *Server) Used() time.Duration {
	return s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.owner, Setpgid: true}
	return cmd
}

// programs returns the folder of the server's programs, which Debian keeps off the PATH.
func programs() (dir string, ok bool) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err == nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", false
	}
	return filepath.Dir(found[len(found)-1]), true
}

// chooseOwner gives the folder to another user if this process is root's.
func (s *Server) chooseOwner() error {
	if os.Geteuid() != 0 {
		return nil
	}
	other, err := user.Lookup(account)
	if err != nil {
		return fmt.Errorf("root needs another user for PostgreSQL: %w", err)
	}
	uid, err := strconv.ParseUint(other.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(other.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return s.Own(s.dir)
}

// Own gives a folder to the user that the server runs as.
func (s *Server) Own(folder string) error {
	if s.owner == nil {
		return nil
	}
	return os.Chown(folder, int(s.owner.Uid), int(s.owner.Gid))
}
