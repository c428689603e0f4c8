package peers

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// startRedis runs a private redis-server and returns its address, which is reached
// by TCP as in a deployment. Everything but the append-only file is as our own Redis has it: no snapshots,
// no eviction.
func startRedis(ctx context.Context, h *home, d Durability) (addr string, err error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", Skipped{Reason: "there is no redis-server on the PATH"}
	}
	free, err := freeAddresses(ctx, 1)
	if err != nil {
		return "", fmt.Errorf("start redis-server: %w", err)
	}
	addr = free[0]
	p := program{name: "redis-server", path: path, dir: h.dir, quit: syscall.SIGTERM}
	p.args = append(appendOnly(d),
		"--bind", "127.0.0.1", "--port", strings.TrimPrefix(addr, "127.0.0.1:"),
		"--unixsocket", filepath.Join(h.near, "redis"), "--unixsocketperm", "700", "--dir", h.dir, "--daemonize", "no",
		"--save", "", "--maxmemory-policy", "noeviction")
	return addr, h.start(ctx, p, func(ctx context.Context) error { return pingRedis(ctx, addr) })
}

// appendOnly turns a durability into Redis's settings.
func appendOnly(d Durability) []string {
	if d == Off {
		return []string{"--appendonly", "no"}
	}
	return []string{"--appendonly", "yes", "--appendfsync", string(d)}
}

func pingRedis(ctx context.Context, addr string) error {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	defer func() { _ = c.Close() }()
	return c.Ping(ctx).Err()
}
