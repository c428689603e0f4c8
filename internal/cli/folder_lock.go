//go:build unix

package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockName is the file whose lock says that the data folder is in use.
const lockName = "orderctl.lock"

// lockFolder takes the folder for this process, or says who has it. Two servers
// that append to the same file would destroy it. The server inherits the lock,
// so that it holds for as long as either of the two lives.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // in the folder that the user names
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, f.Truncate(0)
	}
	defer func() { _ = f.Close() }()
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("lock the data folder %s: %w", dir, err)
	}
	return nil, fmt.Errorf("the data folder %s is in use%s: stop that one first, or take another folder with --data", dir, holder(f))
}

// sign writes down which server has the folder.
func (r *privateRedis) sign() error {
	if err := r.lock.Truncate(0); err != nil {
		return err
	}
	_, err := r.lock.WriteAt([]byte(strconv.Itoa(r.cmd.Process.Pid)), 0)
	return err
}

// holder names the server that has the folder, if it has signed already.
func holder(f *os.File) string {
	text, err := os.ReadFile(f.Name())
	pid, notNumber := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || notNumber != nil {
		return ""
	}
	return fmt.Sprintf(" by another orderctl dev (redis-server process %d)", pid)
}
