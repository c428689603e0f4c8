package systems

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/redistest"
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
	*Process

	dir    string
	addr   string
	client *redis.Client
}

// OpenRedis starts a redis-server that keeps its data below dir, and waits until it
// answers. What is measured reaches it by TCP, as in a deployment, and the suite by a
// unix socket. Settings in redis.conf form come last, as in
// "--hash-max-listpack-value", "64". Its memory has no bound, as some scenarios need
// more than the deployed one. Root is the folder of the main module.
func OpenRedis(ctx context.Context, root, dir string, d Durability, settings ...string) (*Redis, error) {
	dir, err := os.MkdirTemp(dir, "r")
	if err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	conf, socket := filepath.Join(dir, "redis.conf"), filepath.Join(dir, "s")
	if err := copySettings(filepath.Join(root, "deploy", "redis.conf"), conf); err != nil {
		return nil, err
	}
	args := []string{
		conf, "--bind", "127.0.0.1", "--port", strings.TrimPrefix(addr, "127.0.0.1:"),
		"--unixsocket", socket, "--dir", dir, "--maxmemory", "0",
	}
	if d == Off {
		args = append(args, "--appendonly", "no")
	} else {
		args = append(args, "--appendfsync", string(d))
	}
	r := &Redis{dir: dir, addr: addr, client: redis.NewClient(&redis.Options{Network: "unix", Addr: socket})}
	cmd := exec.Command(redistest.Program(), append(args, settings...)...) //nolint:gosec,noctx // paths of our own making, and Close ends it
	if r.Process, err = Start(filepath.Join(dir, "log"), cmd); err != nil {
		return nil, err
	}
	err = r.Await(ctx, "redis-server answers", func() bool { return r.client.Ping(ctx).Err() == nil })
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// freeAddr returns an address of this machine that nobody listens on at the moment.
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

// Addr returns its TCP address.
func (r *Redis) Addr() string { return r.addr }

// Client returns a client of it, which closes with it.
func (r *Redis) Client() *redis.Client { return r.client }

// Info returns one line of its INFO.
func (r *Redis) Info(ctx context.Context, section, name string) (string, error) {
	info, err := r.client.InfoMap(ctx, section).Result()
	if err != nil {
		return "", fmt.Errorf("read %s of Redis: %w", name, err)
	}
	return info[section][name], nil
}

// Memory returns how many bytes it uses.
func (r *Redis) Memory(ctx context.Context) (int64, error) {
	used, err := r.Info(ctx, "Memory", "used_memory")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(used, 10, 64)
}

// AwaitRest waits until no rewriting of the append-only file goes on: writing a
// million orders starts one, which takes a core for a while.
func (r *Redis) AwaitRest(ctx context.Context) error {
	return r.Await(ctx, "redis-server has rewritten its file", func() bool {
		info, err := r.client.InfoMap(ctx, "Persistence").Result()
		running := info["Persistence"]
		return err == nil && running["aof_rewrite_in_progress"] == "0" && running["aof_rewrite_scheduled"] == "0"
	})
}

// KeyMemory returns how many bytes one key takes, measured over all its elements.
func (r *Redis) KeyMemory(ctx context.Context, key string) (int64, error) {
	const all = 0
	used, err := r.client.MemoryUsage(ctx, key, all).Result()
	if err != nil {
		return 0, fmt.Errorf("read memory of %s: %w", key, err)
	}
	return used, nil
}

// Close ends the server and removes its data. It may be called twice.
func (r *Redis) Close() {
	_ = r.client.Close()
	r.Stop(syscall.SIGKILL)
	_ = os.RemoveAll(r.dir)
}
