package systems

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Durability is when Redis brings its append-only file to the disk.
type Durability string

// The durabilities.
const (
	// Off keeps no file.
	Off Durability = "off"
	// Everysec syncs once a second, in the background.
	Everysec Durability = "everysec"
	// Always syncs before it answers.
	Always Durability = "always"
)

// Redis is one private redis-server with the settings of deploy/redis.conf.
type Redis struct {
	*process

	dir    string
	addr   string
	client *redis.Client
}

// OpenRedis starts a redis-server that keeps its data below dir, and waits until it
// answers. What is measured reaches it by TCP, as in a deployment, and the suite by a
// unix socket. Settings in redis.conf form come last, as in
// "--hash-max-listpack-value", "64". It has no bound for its memory, as some
// scenarios need more than the deployed one.
func OpenRedis(ctx context.Context, root, dir string, d Durability, settings ...string) (*Redis, error) {
	dir, err := os.MkdirTemp(dir, "r")
	if err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	r := &Redis{dir: dir, addr: addr}
	conf := filepath.Join(dir, "redis.conf")
	if err := copySettings(filepath.Join(root, "deploy", "redis.conf"), conf); err != nil {
		return nil, err
	}
	args := []string{
		conf, "--bind", "127.0.0.1", "--port", strings.TrimPrefix(addr, "127.0.0.1:"),
		"--unixsocket", r.Socket(), "--dir", dir, "--maxmemory", "0",
	}
	if d == Off {
		args = append(args, "--appendonly", "no")
	} else {
		args = append(args, "--appendfsync", string(d))
	}
	if r.process, err = start(filepath.Join(dir, "log"), nil, "redis-server", append(args, settings...)...); err != nil {
		return nil, err
	}
	r.client = redis.NewClient(&redis.Options{Network: "unix", Addr: r.Socket()})
	err = r.await(ctx, "redis-server answers", func() bool { return r.client.Ping(ctx).Err() == nil })
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// freeAddr is an address of this machine that nobody listens on at the moment.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// copySettings copies a redis.conf without its directory: Redis goes there as soon
// as it reads the line, and the deployed one is not on this machine.
func copySettings(from, to string) error {
	text, err := os.ReadFile(from) //nolint:gosec // a path of our own making
	if err != nil {
		return fmt.Errorf("read the settings of Redis: %w", err)
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "dir ") {
			kept.WriteString(line)
		}
	}
	if err := os.WriteFile(to, []byte(kept.String()), 0o600); err != nil {
		return fmt.Errorf("write the settings of Redis: %w", err)
	}
	return nil
}

// Socket is the path of its unix socket.
func (r *Redis) Socket() string { return filepath.Join(r.dir, "s") }

// URL is its address as REDIS_URL takes it.
func (r *Redis) URL() string { return "redis://" + r.addr + "/0" }

// Client is a client of it, which closes with it.
func (r *Redis) Client() *redis.Client { return r.client }

// Memory is how many bytes it uses.
func (r *Redis) Memory(ctx context.Context) (int64, error) {
	text, err := r.client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory:"); ok {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("read memory: no used_memory in %.200q", text)
}

// AwaitRest waits until no rewriting of the append-only file goes on: writing a
// million orders starts one, which takes a core for a while.
func (r *Redis) AwaitRest(ctx context.Context) error {
	return r.await(ctx, "redis-server has rewritten its file", func() bool {
		text, err := r.client.Info(ctx, "persistence").Result()
		return err == nil && strings.Contains(text, "aof_rewrite_in_progress:0") && strings.Contains(text, "aof_rewrite_scheduled:0")
	})
}

// KeyMemory is how many bytes one key takes, all of it looked at.
func (r *Redis) KeyMemory(ctx context.Context, key string) (int64, error) {
	const all = 0
	used, err := r.client.MemoryUsage(ctx, key, all).Result()
	if err != nil {
		return 0, fmt.Errorf("read memory of %s: %w", key, err)
	}
	return used, nil
}

// Version is that of the server.
func (r *Redis) Version(ctx context.Context) (string, error) {
	text, err := r.client.Info(ctx, "server").Result()
	if err != nil {
		return "", fmt.Errorf("read version: %w", err)
	}
	_, rest, _ := strings.Cut(text, "redis_version:")
	version, _, _ := strings.Cut(rest, "\r\n")
	return version, nil
}

// Close ends the server and removes its data. It may be called twice.
func (r *Redis) Close() {
	_ = r.client.Close()
	r.stop()
	_ = os.RemoveAll(r.dir)
}
