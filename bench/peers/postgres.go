package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"orderprocessor/bench/systems"
)

// postgresUser is the account that the server runs under when this process is root's,
// which PostgreSQL refuses; its packages create it.
const postgresUser = "postgres"

// cluster is a PostgreSQL server with its data and its socket in one folder.
type cluster struct {
	*systems.Process

	bin     string // of its programs
	dir     string
	commits string              // the setting synchronous_commit
	owner   *syscall.Credential // nil for this process's user
}

// openPostgres makes a cluster in a folder for temporary files, where its owner can
// reach it, and runs it with this setting of synchronous_commit. A server that does not
// start is Skipped.
func openPostgres(ctx context.Context, commits string) (*cluster, error) {
	bin, ok := postgresPrograms()
	if !ok {
		return nil, Skipped{Reason: "there is no PostgreSQL server: neither initdb on the PATH nor in /usr/lib/postgresql"}
	}
	dir, err := os.MkdirTemp("", "peer")
	if err != nil {
		return nil, fmt.Errorf("make the folder of PostgreSQL: %w", err)
	}
	c := &cluster{bin: bin, dir: dir, commits: commits}
	if err := c.start(ctx); err != nil {
		if ctx.Err() == nil {
			err = Skipped{Reason: fmt.Sprintf("PostgreSQL does not start: %v", err)}
		}
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// postgresPrograms returns the folder of the server's programs, which Debian
// keeps off the PATH.
func postgresPrograms() (dir string, ok bool) {
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

// address is where clients find the database. Nothing listens on the network.
func (c *cluster) address() string {
	return fmt.Sprintf("host=%s port=5432 user=%s dbname=postgres", c.dir, postgresUser)
}

// start makes an empty cluster that trusts whoever reaches its socket, and runs it.
func (c *cluster) start(ctx context.Context) error {
	if err := c.chooseOwner(); err != nil {
		return err
	}
	initdb := c.command("initdb", "--username", postgresUser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLine(out))
	}
	var err error
	if c.Process, err = systems.Start(filepath.Join(c.dir, "log"), c.command("postgres", c.settings()...)); err != nil {
		return err
	}
	return c.Await(ctx, "PostgreSQL answers", func() bool {
		conn, err := pgx.Connect(ctx, c.address())
		if err != nil {
			return false
		}
		return errors.Join(conn.Ping(ctx), conn.Close(ctx)) == nil
	})
}

// chooseOwner gives the folder to another user if this process is root's.
func (c *cluster) chooseOwner() error {
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup(postgresUser)
	if err != nil {
		return fmt.Errorf("root needs another user for it: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return err
	}
	c.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(c.dir, int(uid), int(gid))
}

func (c *cluster) command(program string, args ...string) *exec.Cmd {
	args = append([]string{"-D", filepath.Join(c.dir, "data")}, args...)
	cmd := exec.Command(filepath.Join(c.bin, program), args...) //nolint:gosec,noctx // found above; close ends it
	cmd.Dir, cmd.SysProcAttr = c.dir, &syscall.SysProcAttr{Credential: c.owner}
	return cmd
}

// settings gives the server enough memory and log that no checkpoint falls into a
// run; all else is the default but synchronous_commit. Where that is off, commits do not
// wait for the log, which the server syncs every 200 ms: a crash loses three times that
// at most, a little less than Redis may lose.
func (c *cluster) settings() []string {
	var args []string
	for _, setting := range []string{
		"listen_addresses=", "port=5432", "unix_socket_directories=" + c.dir, "max_connections=" + strconv.Itoa(connections+10),
		"shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=30min",
		"fsync=on", "synchronous_commit=" + c.commits, "wal_writer_delay=200ms",
	} {
		args = append(args, "-c", setting)
	}
	return args
}

// close ends the server, whose clients have been closed, and removes its data.
func (c *cluster) close() error {
	if c.Process != nil {
		c.Stop(syscall.SIGINT)
	}
	return os.RemoveAll(c.dir)
}

// lastLine returns the last line that a tool wrote, which gives the reason of a failure.
func lastLine(out []byte) string {
	text := strings.TrimSpace(string(out))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
