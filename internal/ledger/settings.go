package ledger

import (
	"context"
	"strconv"
	"strings"

	"orderprocessor/internal/order"
)

// Settings is how Redis is set up to keep the books.
type Settings struct {
	// Version is that of Redis.
	Version string
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

// Settings reads how Redis is set up. It returns order.ErrUnavailable when Redis did not
// answer.
func (l *Ledger) Settings(ctx context.Context) (Settings, error) {
	info, err := l.info(ctx)
	if err != nil {
		return Settings{}, wrap(err, "read the settings of redis")
	}
	bytes, _ := strconv.ParseInt(info["maxmemory"], 10, 64)
	return Settings{
		Version: info["redis_version"], EvictionPolicy: info["maxmemory_policy"], MaxMemory: bytes,
		Replica:     info["role"] == "slave",
		AppendOnly:  info["aof_enabled"] == "1",
		AppendFsync: l.rdb.ConfigGet(ctx, "appendfsync").Val()["appendfsync"],
	}, nil
}

// Writable returns nil when Redis accepts writes, and otherwise the error. It deletes a
// key that never exists, which changes nothing and needs no memory. The error wraps
// order.ErrUnavailable.
func (l *Ledger) Writable(ctx context.Context) error {
	return wrap(l.rdb.Del(ctx, writableKey).Err(), "try a write")
}

// Memory returns how much memory Redis uses and how much it may use, in bytes;
// limit is 0 when there is no bound.
func (l *Ledger) Memory(ctx context.Context) (used, limit int64, err error) {
	info, err := l.info(ctx, "memory")
	if err != nil {
		return 0, 0, wrap(err, "read memory use")
	}
	used, _ = strconv.ParseInt(info["used_memory"], 10, 64)
	limit, _ = strconv.ParseInt(info["maxmemory"], 10, 64)
	return used, limit, nil
}

// Settled returns how many orders have ever reached their outcome, without those that
// were retried since. It returns order.ErrUnavailable when Redis did not answer.
func (l *Ledger) Settled(ctx context.Context) (int64, error) {
	var gauges []string
	for _, s := range order.Statuses() {
		if s.Settled() {
			gauges = append(gauges, "g:"+string(s))
		}
	}
	values, err := l.rdb.HMGet(ctx, countersKey, gauges...).Result()
	if err != nil {
		return 0, wrap(err, "count settled orders")
	}
	var total int64
	for _, value := range values {
		text, _ := value.(string)
		n, _ := strconv.ParseInt(text, 10, 64)
		total += n
	}
	return total, nil
}

// info reads one section of INFO, or all.
func (l *Ledger) info(ctx context.Context, section ...string) (map[string]string, error) {
	text, err := l.rdb.Info(ctx, section...).Result()
	values := map[string]string{}
	for line := range strings.SplitSeq(text, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			values[name] = value
		}
	}
	return values, err
}
