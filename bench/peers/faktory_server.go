package peers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

const (
	// faktoryProgram is the server's package, which go.mod pins as a tool.
	faktoryProgram = "github.com/contribsys/faktory/cmd/faktory"
	// faktoryRedisConf is where every Faktory writes the settings of its Redis, or
	// takes those that are there already. It stays when Faktory ends.
	faktoryRedisConf = "/tmp/redis.conf"
	// faktoryMark is in the file that Faktory writes.
	faktoryMark = "# Created by Faktory"
)

// startFaktory builds and runs a server and returns its address. It brings up a
// redis-server itself, which by Faktory's settings takes snapshots alone, under
// load every 30 s: a crash would lose the jobs since. So that it keeps what its
// rivals keep, its Redis is switched to the append-only file of the durability,
// and snapshots are off.
func startFaktory(ctx context.Context, h *home, d Durability) (address string, err error) {
	if err := checkFaktory(); err != nil {
		return "", err
	}
	path := filepath.Join(h.dir, "faktory")
	if err := buildFaktory(ctx, path); err != nil {
		return "", err
	}
	listen, err := freeAddresses(ctx, 2)
	if err != nil {
		return "", err
	}
	data := filepath.Join(h.near, "faktory")
	p := program{
		name: "faktory-server", path: path, dir: h.dir, quit: syscall.SIGTERM,
		args: []string{"-b", listen[0], "-w", listen[1], "-d", data, "-c", h.near, "-l", "warn"},
	}
	if err := h.start(ctx, p, func(ctx context.Context) error { return dialable(ctx, listen[0]) }); err != nil {
		return "", err
	}
	return listen[0], keepFaktory(ctx, filepath.Join(data, "redis.sock"), d)
}

// checkFaktory looks for what Faktory needs and for what would mislead it.
func checkFaktory() error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return Skipped{Reason: "there is no redis-server on the PATH for Faktory"}
	}
	text, err := os.ReadFile(faktoryRedisConf)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !strings.Contains(string(text), faktoryMark) || !ours(faktoryRedisConf) {
		return Skipped{Reason: "Faktory would use " + faktoryRedisConf + ", which it did not write for this user"}
	}
	return nil
}

// ours says whether this user owns the file; anybody may put one there.
func ours(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// buildFaktory builds the pinned server, which takes the cache of modules or the
// network, and the folder of this module as the present one.
func buildFaktory(ctx context.Context, path string) error {
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, faktoryProgram).CombinedOutput() //nolint:gosec // constants
	if err != nil {
		return Skipped{Reason: fmt.Sprintf("the Faktory server cannot be built: %v: %s", err, lastLine(out))}
	}
	return nil
}

// freeAddresses returns addresses of this machine that nobody listens on.
// Faktory cannot choose its own, and somebody may come first.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	addresses := make([]string, 0, n)
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // all at the end, so that no two are the same
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

func dialable(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// keepFaktory sets the durability of the Redis on the socket.
func keepFaktory(ctx context.Context, socket string, d Durability) error {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer func() { _ = c.Close() }()
	settings := []string{"save", ""}
	if d != Off {
		settings = append(settings, "appendfsync", string(d), "appendonly", "yes")
	}
	for n := 0; n < len(settings); n += 2 {
		if err := c.ConfigSet(ctx, settings[n], settings[n+1]).Err(); err != nil {
			return fmt.Errorf("set %s of Faktory's Redis: %w", settings[n], err)
		}
	}
	return nil
}
