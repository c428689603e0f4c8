//go:build unix

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// canRunRedis reports whether this system can run a private redis-server.
const canRunRedis = true

const (
	// redisLogName and lockName are the files in the data folder that are not
	// Redis's own. A lock of the second one means that the folder is in use.
	redisLogName = "redis-server.log"
	lockName     = "orderctl.lock"
	// privateRedisMemory bounds a private Redis; near it new orders are refused.
	privateRedisMemory = "1gb"
	// redisLoadTimeout bounds the wait for a private Redis, which reads its
	// append-only file first, and redisStopTimeout the wait for it to write that file
	// and end.
	redisLoadTimeout = 2 * time.Minute
	redisStopTimeout = 20 * time.Second
	redisPollEvery   = 5 * time.Millisecond
	// maxLogTail bounds what is shown of a private Redis's log, in bytes.
	maxLogTail = 600
)

// privateRedis is a redis-server that nobody else knows, with its data in a folder.
type privateRedis struct {
	dir       string
	socketDir string   // temporary, as a socket's path must be short
	lock      *os.File // the server inherits it, so it holds as long as either lives
	cmd       *exec.Cmd
	ended     chan struct{}
	err       error // how it ended
}

// openPrivateRedis starts a redis-server on the folder, which it creates, and
// returns when it has loaded the data. The server appends every change to a file,
// written to disk once a second.
func openPrivateRedis(ctx context.Context, program, folder string) (_ *devRedis, err error) {
	r := &privateRedis{ended: make(chan struct{})}
	defer func() {
		if err != nil {
			_ = r.close()
		}
	}()
	if err := r.prepare(folder); err != nil {
		return nil, err
	}
	socket := filepath.Join(r.socketDir, "redis.sock")
	at, err := config.ParseRedis((&url.URL{Scheme: "unix", Path: socket}).String())
	if err != nil {
		return nil, err
	}
	if err := r.start(program, socket); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	if err := r.await(ctx, at); err != nil {
		return nil, err
	}
	return &devRedis{
		config: at, kept: "in " + r.dir + " (append-only file, written to disk once a second)",
		folder: r.dir, ended: r.ended, why: r.why, stop: r.close,
	}, nil
}

// prepare makes the folders and locks that of the data: two servers that append to
// the same file would destroy it.
func (r *privateRedis) prepare(folder string) (err error) {
	if r.dir, err = filepath.Abs(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if r.socketDir, err = os.MkdirTemp("", "orderctl"); err != nil {
		return err
	}
	r.lock, err = os.OpenFile(filepath.Join(r.dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(r.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("the data folder %s is in use%s: stop that one first, or choose another folder with --data", r.dir, holder(r.lock))
	}
	if err != nil {
		return fmt.Errorf("lock the data folder %s: %w", r.dir, err)
	}
	return r.lock.Truncate(0)
}

// holder names the server that has the folder, once its process is written down.
func holder(lock *os.File) string {
	text, err := os.ReadFile(lock.Name())
	pid, notNumber := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || notNumber != nil {
		return ""
	}
	return fmt.Sprintf(" by another orderctl dev (redis-server process %d)", pid)
}

// start runs the server in a process group of its own, so that Ctrl-C reaches it
// only through this process, after everything else has stopped.
func (r *privateRedis) start(program, socket string) error {
	log, err := os.Create(filepath.Join(r.dir, redisLogName))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	r.cmd = exec.Command(program, //nolint:gosec,noctx // from the PATH; close terminates it
		"--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", "./", "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		"--maxmemory", privateRedisMemory, "--maxmemory-policy", "noeviction")
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = r.dir, log, log
	r.cmd.ExtraFiles = []*os.File{r.lock}
	r.cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // where the system ends the child with its parent, the parent is this thread
		err := r.cmd.Start()
		started <- err
		if err == nil {
			r.err = r.cmd.Wait()
			close(r.ended)
		}
	}()
	if err := <-started; err != nil {
		r.cmd = nil
		return err
	}
	_, err = r.lock.WriteAt([]byte(strconv.Itoa(r.cmd.Process.Pid)), 0)
	return err
}

// await returns when the server answers.
func (r *privateRedis) await(ctx context.Context, at config.Redis) error {
	ctx, cancel := context.WithTimeout(ctx, redisLoadTimeout)
	defer cancel()
	for pingRedis(ctx, at) != nil {
		select {
		case <-time.After(redisPollEvery):
		case <-r.ended:
			return fmt.Errorf("the private Redis did not start: %w", r.why())
		case <-ctx.Done():
			return fmt.Errorf("the private Redis did not answer: %w", ctx.Err())
		}
	}
	return nil
}

// why returns how the server ended, with the end of its log.
func (r *privateRedis) why() error {
	err := r.err
	if err == nil {
		err = errors.New("somebody stopped it")
	}
	path := filepath.Join(r.dir, redisLogName)
	text, _ := os.ReadFile(path) //nolint:gosec // in the folder of this Redis
	text = text[max(0, len(text)-maxLogTail):]
	return fmt.Errorf("%w; %s ends with: %s", err, path, order.Printable(strings.TrimSpace(string(text))))
}

// close stops the server, which writes everything to its file first, and returns
// when it has ended.
func (r *privateRedis) close() (err error) {
	if r.cmd != nil {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-r.ended:
		case <-time.After(redisStopTimeout):
			_ = r.cmd.Process.Kill()
			<-r.ended
			err = fmt.Errorf("the private Redis did not stop within %v and was killed", redisStopTimeout)
		}
	}
	if r.socketDir != "" {
		_ = os.RemoveAll(r.socketDir)
	}
	_ = r.lock.Close() // nil is an error that does not matter
	return err
}
