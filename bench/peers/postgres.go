package peers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

const (
	// postgresUser is the account that the server runs under when this process is
	// root's, which PostgreSQL refuses; its packages make it.
	postgresUser = "postgres"
	// postgresPort names the socket; nothing listens on the network.
	postgresPort = "5432"
)

// cluster is a PostgreSQL server of one peer.
type cluster struct {
	bin   string
	data  string
	near  string
	owner *syscall.Credential
}

// startPostgres makes a cluster, runs it and returns the address of its
// database. A root's cluster lies in the folder for temporary files, because its
// owner cannot see what root keeps elsewhere.
func startPostgres(ctx context.Context, h *home) (address string, err error) {
	c, err := newCluster(h)
	if err != nil {
		return "", err
	}
	if err := c.create(ctx); err != nil {
		return "", err
	}
	address = fmt.Sprintf("host=%s port=%s user=%s dbname=postgres", c.near, postgresPort, postgresUser)
	p := program{
		name: "postgres", path: filepath.Join(c.bin, "postgres"), args: c.settings(), dir: c.data,
		quit: syscall.SIGINT, owner: c.owner,
	}
	return address, h.start(ctx, p, func(ctx context.Context) error { return askPostgres(ctx, address) })
}

func newCluster(h *home) (*cluster, error) {
	bin, ok := postgresPrograms()
	if !ok {
		return nil, Skipped{Reason: "there is no PostgreSQL server: neither initdb on the PATH nor in /usr/lib/postgresql"}
	}
	c := &cluster{bin: bin, data: filepath.Join(h.dir, "postgres"), near: h.near}
	if os.Geteuid() != 0 {
		return c, nil
	}
	c.data = filepath.Join(h.near, "postgres")
	var err error
	if c.owner, err = credential(postgresUser); err != nil {
		return nil, Skipped{Reason: fmt.Sprintf("PostgreSQL does not run as root, and there is no user for it: %v", err)}
	}
	if err := os.Chown(h.near, int(c.owner.Uid), int(c.owner.Gid)); err != nil {
		return nil, fmt.Errorf("give PostgreSQL its folder: %w", err)
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

func credential(name string) (*syscall.Credential, error) {
	account, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// create makes an empty cluster that trusts whoever reaches its socket.
func (c *cluster) create(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), //nolint:gosec // found above
		"--pgdata", c.data, "--username", postgresUser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = c.near, apart(c.owner)
	if out, err := cmd.CombinedOutput(); err != nil {
		return Skipped{Reason: fmt.Sprintf("initdb: %v: %s", err, lastLine(out))}
	}
	return nil
}

// settings gives the server enough memory and log that no checkpoint falls into a
// run; all else is the default. Commits do not wait for the log, which the server
// syncs every 200 ms: a crash loses three times that at most, a little less than
// Redis may lose.
func (c *cluster) settings() []string {
	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + c.near, "port=" + postgresPort,
		"max_connections=" + strconv.Itoa(connections+10),
		"shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=30min",
		"fsync=on", "synchronous_commit=off", "wal_writer_delay=200ms",
	}
	args := make([]string, 0, 2+2*len(settings))
	args = append(args, "-D", c.data)
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

func askPostgres(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.Ping(ctx)
}

// lastLine returns the last line that a tool wrote, which gives the reason of a failure.
func lastLine(out []byte) string {
	text := strings.TrimSpace(string(out))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
