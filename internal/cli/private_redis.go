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
	"strings"
	"syscall"
	"time"

	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// canRunRedis says whether this system can run a private redis-server.
const canRunRedis = true

// The files in the data folder that are not Redis's own.
const (
	socketName = "redis.sock"
	logName    = "redis-server.log"
)

// privateRedis is a redis-server that nobody else knows, with its data in a
// folder.
type privateRedis struct {
	dir     string
	scratch string   // a folder for the socket, if its path were too long in dir
	lock    *os.File // held by the server as well
	cmd     *exec.Cmd
	ended   chan struct{}
	err     error // how it ended
}

// openPrivateRedis starts a redis-server on the folder, which it creates, and
// returns when it has loaded what is there. It appends every change to a file,
// written through to the disk once a second.
func openPrivateRedis(ctx context.Context, program, folder string) (_ *store, err error) {
	r := &privateRedis{ended: make(chan struct{})}
	defer func() {
		if err != nil {
			_ = r.close()
		}
	}()
	if err := r.prepare(folder); err != nil {
		return nil, err
	}
	socket, err := r.socket()
	if err != nil {
		return nil, err
	}
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
	return &store{
		redis: at, kept: "in " + r.dir + " (append-only file, written to disk once a second)",
		ended: r.ended, why: r.why, stop: r.close,
	}, nil
}

// prepare makes the folder and takes it for this process.
func (r *privateRedis) prepare(folder string) (err error) {
	if r.dir, err = filepath.Abs(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	r.lock, err = lockFolder(r.dir)
	return err
}

// socket returns a path that fits into a socket's address.
func (r *privateRedis) socket() (path string, err error) {
	if path = filepath.Join(r.dir, socketName); len(path) <= maxSocketPath {
		return path, nil
	}
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		if len(filepath.Join(parent, "orderctl0123456789", socketName)) > maxSocketPath {
			continue
		}
		r.scratch, err = os.MkdirTemp(parent, "orderctl")
		return filepath.Join(r.scratch, socketName), err
	}
	return "", errors.New("the path of the data folder is too long, and so is that of the folder for temporary files")
}

// start runs the server in a process group of its own, so that Ctrl-C reaches it
// only through this process, after everything else has stopped.
func (r *privateRedis) start(program, socket string) error {
	log, err := os.Create(filepath.Join(r.dir, logName))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	r.cmd = exec.Command(program, //nolint:gosec,noctx // from the PATH; it is stopped gently, by close
		"--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", "./", "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		"--maxmemory", privateRedisMemory, "--maxmemory-policy", "noeviction")
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = r.dir, log, log
	r.cmd.ExtraFiles = []*os.File{r.lock}
	r.cmd.SysProcAttr = apart()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // where a system ends the child with its parent, it means this thread
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
	return r.sign()
}

// await returns when the server answers.
func (r *privateRedis) await(ctx context.Context, at config.Redis) error {
	ctx, cancel := context.WithTimeout(ctx, redisLoadTimeout)
	defer cancel()
	tick := time.NewTicker(watchInterval / 4)
	defer tick.Stop()
	for ask(ctx, at, redisAnswerTimeout) != nil {
		select {
		case <-tick.C:
		case <-r.ended:
			return fmt.Errorf("the private Redis did not start: %w", r.why())
		case <-ctx.Done():
			return fmt.Errorf("the private Redis did not answer: %w", ctx.Err())
		}
	}
	return nil
}

// why says how the server ended, with the end of its log.
func (r *privateRedis) why() error {
	err := r.err
	if err == nil {
		err = errors.New("somebody stopped it")
	}
	path := filepath.Join(r.dir, logName)
	text, _ := os.ReadFile(path) //nolint:gosec // in the folder that the user names
	text = text[max(0, len(text)-maxLogTail):]
	return fmt.Errorf("%w; %s ends with: %s", err, path, order.Printable(strings.TrimSpace(string(text))))
}

// close stops the server, which writes everything to its file first, and
// returns when it has ended.
func (r *privateRedis) close() (err error) {
	if r.cmd != nil {
		err = r.terminate()
	}
	if r.scratch != "" {
		_ = os.RemoveAll(r.scratch)
	}
	if r.lock != nil {
		_ = r.lock.Close()
	}
	return err
}

func (r *privateRedis) terminate() error {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(redisStopTimeout)
	defer timer.Stop()
	select {
	case <-r.ended:
		return nil
	case <-timer.C:
		_ = r.cmd.Process.Kill()
		<-r.ended
		return fmt.Errorf("the private Redis did not stop within %v and was killed", redisStopTimeout)
	}
}
