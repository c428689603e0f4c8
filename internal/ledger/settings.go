package ledger

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// Settings is how Redis is set up to keep the books.
type Settings struct {
	// Node is the address of the node; see Node.
	Node string
	// Version is that of Redis, or for Valkey that of the Redis with which it is compatible.
	Version string
	// Valkey is the version of Valkey; empty for Redis.
	Valkey string
	// Replica is whether it replicates another Redis, which refuses writes or loses them
	// at the next synchronisation.
	Replica bool
	// EvictionPolicy is its maxmemory-policy.
	EvictionPolicy string
	// MaxMemory is how many bytes it may use; 0 when there is no bound.
	MaxMemory int64
	// AppendOnly is whether it keeps an append-only file.
	AppendOnly bool
	// AppendFsync is when it syncs that file: always, everysec or no. It is empty when
	// Redis refuses CONFIG, as a managed one may.
	AppendFsync string
}

// Server names the server: the version of Redis alone, or "Valkey" and its version.
func (s Settings) Server() string {
	if s.Valkey != "" {
		return "Valkey " + s.Valkey
	}
	return s.Version
}

// Settings reads how Redis is set up, in a Cluster each of its nodes that answers. It returns
// order.ErrUnavailable when Redis did not answer.
func (l *Ledger) Settings(ctx context.Context) ([]Settings, error) {
	nodes, err := askNodes(ctx, l.rdb, settingsOf)
	return nodes, wrap(err, "read the settings of redis")
}

func settingsOf(ctx context.Context, node Node) (Settings, error) {
	info, err := info(ctx, node)
	if err != nil {
		return Settings{}, err
	}
	bytes, _ := strconv.ParseInt(info["maxmemory"], 10, 64)
	return Settings{
		Node:    node.Addr,
		Version: info["redis_version"], Valkey: info["valkey_version"], EvictionPolicy: info["maxmemory_policy"], MaxMemory: bytes,
		Replica:     info["role"] == "slave",
		AppendOnly:  info["aof_enabled"] == "1",
		AppendFsync: node.ConfigGet(ctx, "appendfsync").Val()["appendfsync"],
	}, nil
}

// Writable returns nil when Redis accepts writes, in at least one book, and otherwise the
// error. It deletes a key that never exists, which changes nothing and needs no memory. The
// error wraps order.ErrUnavailable.
func (l *Ledger) Writable(ctx context.Context) error {
	errs := make([]error, len(l.books))
	_, _ = each(l.books, func(b *Book) (struct{}, error) {
		errs[b.number] = b.rdb.Del(ctx, b.keys.writable).Err()
		return struct{}{}, nil
	})
	if slices.Contains(errs, nil) {
		return nil
	}
	return wrap(errs[0], "try a write")
}

// Memory returns how much memory Redis uses and how much it may use, in bytes, of the
// fullest node in a Cluster; limit is 0 when there is no bound. It returns
// order.ErrUnavailable when no node answered.
func (l *Ledger) Memory(ctx context.Context) (used, limit int64, err error) {
	type memory struct{ used, limit int64 }
	nodes, err := askNodes(ctx, l.rdb, func(ctx context.Context, node Node) (m memory, err error) {
		values, err := info(ctx, node, "memory")
		m.used, _ = strconv.ParseInt(values["used_memory"], 10, 64)
		m.limit, _ = strconv.ParseInt(values["maxmemory"], 10, 64)
		return m, err
	})
	if err != nil {
		return 0, 0, wrap(err, "read memory use")
	}
	// As a.used/a.limit against b.used/b.limit, without a division by a limit that is 0.
	fullest := slices.MaxFunc(nodes, func(a, b memory) int {
		switch {
		case a.limit == 0 && b.limit == 0:
			return cmp.Compare(a.used, b.used)
		case a.limit == 0 || b.limit == 0:
			return cmp.Compare(a.limit, b.limit)
		default:
			return cmp.Compare(float64(a.used)*float64(b.limit), float64(b.used)*float64(a.limit))
		}
	})
	return fullest.used, fullest.limit, nil
}

// Settled returns how many orders have ever reached their outcome, without those that
// were retried since. It returns order.ErrUnavailable when one of the books did not answer.
func (l *Ledger) Settled(ctx context.Context) (total int64, err error) {
	parts, err := each(l.books, func(b *Book) (int64, error) { return b.settled(ctx) })
	for _, n := range parts {
		total += n
	}
	return total, err
}

func (b *Book) settled(ctx context.Context) (total int64, err error) {
	var gauges []string
	for _, s := range order.Statuses() {
		if s.Settled() {
			gauges = append(gauges, "g:"+string(s))
		}
	}
	values, err := b.rdb.HMGet(ctx, b.keys.counters, gauges...).Result()
	if err != nil {
		return 0, wrap(err, "count settled orders")
	}
	for _, value := range values {
		text, _ := value.(string)
		n, _ := strconv.ParseInt(text, 10, 64)
		total += n
	}
	return total, nil
}

// info reads one section of INFO, or all.
func info(ctx context.Context, rdb redis.Cmdable, section ...string) (map[string]string, error) {
	text, err := rdb.Info(ctx, section...).Result()
	values := map[string]string{}
	for line := range strings.SplitSeq(text, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			values[name] = value
		}
	}
	return values, err
}
