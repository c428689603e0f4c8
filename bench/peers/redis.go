package peers

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// startRedis runs a private redis-server and returns its address, which is reached
// by TCP as in a deployment. Everything but the append-only file is as our own Redis has it: no snapshots,
// no eviction.
func startRedis(ctx context.Context, h *home) (addr string, err error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", Skipped{Reason: "there is no redis-server on the PATH"}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port for redis-server: %w", err)
	}
	addr = l.Addr().String()
	_ = l.Close() // for redis-server to take
	p := program{name: "redis-server", path: path, dir: h.dir, quit: syscall.SIGTERM}
	p.args = []string{
		"--appendonly", "yes", "--appendfsync", "everysec", "--bind", "127.0.0.1", "--port", strings.TrimPrefix(addr, "127.0.0.1:"),
		"--unixsocket", filepath.Join(h.near, "redis"), "--unixsocketperm", "700", "--dir", h.dir, "--daemonize", "no",
		"--save", "", "--maxmemory-policy", "noeviction",
	}
	return addr, h.start(ctx, p, func(ctx context.Context) error { return pingRedis(ctx, addr) })
}

func pingRedis(ctx context.Context, addr string) error {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	defer func() { _ = c.Close() }()
	return c.Ping(ctx).Err()
}
