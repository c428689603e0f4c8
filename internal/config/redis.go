package config

import (
	"cmp"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is the address of Redis and the login. It comes from the configuration or from
// ParseRedis; Client panics on its zero value. It shows no user and no password when it
// is printed, logged or encoded. Everything is behind one pointer, because package fmt
// calls no methods of unexported fields.
type Redis struct{ server *server }

// server holds the one set of options that the URL asks for; the other two are
// nil.
type server struct {
	single   *redis.Options
	sentinel *redis.FailoverOptions
	cluster  *redis.ClusterOptions
	shown    string // the URL without credentials and parameters
}

// nodeTimeout bounds the read and write timeouts in a Cluster. There a command is repeated
// once at the same node before the client turns to the one that has the slot by then, so a
// node that hangs costs twice as much.
const nodeTimeout = time.Second

// Tuning is how a program uses its connections. A parameter of the URL takes precedence,
// and go-redis has defaults for what neither sets.
type Tuning struct {
	// PoolSize is the maximum number of connections, in a Cluster to each node.
	PoolSize int
	// DialTimeout bounds opening a connection.
	DialTimeout time.Duration
	// ReadTimeout bounds waiting for a reply, in a Cluster to a second.
	ReadTimeout time.Duration
	// WriteTimeout bounds sending a command, likewise.
	WriteTimeout time.Duration
	// MaxRetries is how often a command is repeated after a network error; -1
	// means never. A client of a Cluster repeats it up to three times, at the node that
	// has the slot by then.
	MaxRetries int
}

// Client returns a client that has opened no connection yet. The caller must close it.
// A context always ends a command, so a Redis that hangs cannot delay a caller for
// longer than that.
func (r Redis) Client(t Tuning) redis.UniversalClient {
	switch s := r.server; {
	case s.sentinel != nil:
		o := *s.sentinel
		tune(t, &o.PoolSize, &o.MaxRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		o.ContextTimeoutEnabled, o.DisableIdentity, o.DialerRetries = true, true, 1
		return redis.NewFailoverClient(&o)
	case s.cluster != nil:
		o := *s.cluster
		t.MaxRetries = -1 // for each node
		t.ReadTimeout, t.WriteTimeout = min(t.ReadTimeout, nodeTimeout), min(t.WriteTimeout, nodeTimeout)
		tune(t, &o.PoolSize, &o.MaxRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		o.ContextTimeoutEnabled, o.DisableIdentity, o.DialerRetries = true, true, 1
		cluster := redis.NewClusterClient(&o)
		followNodes(cluster)
		return cluster
	default:
		o := *s.single
		tune(t, &o.PoolSize, &o.MaxRetries, &o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout)
		o.ContextTimeoutEnabled, o.DisableIdentity, o.DialerRetries = true, true, 1
		return redis.NewClient(&o)
	}
}

// tune sets what the URL does not. Dialling is tried once: callers repeat commands
// anyway, and then see why it failed instead of a timeout.
func tune(t Tuning, pool, retries *int, dial, read, write *time.Duration) {
	*pool = cmp.Or(*pool, t.PoolSize)
	*retries = cmp.Or(*retries, t.MaxRetries)
	*dial = cmp.Or(*dial, t.DialTimeout)
	*read = cmp.Or(*read, t.ReadTimeout)
	*write = cmp.Or(*write, t.WriteTimeout)
}

// String returns the URL with only the addresses, the database and the name of the
// Sentinel master.
func (r Redis) String() string {
	if r.server == nil {
		return ""
	}
	return r.server.shown
}

// GoString implements fmt.GoStringer.
func (r Redis) GoString() string { return r.String() }

// LogValue implements slog.LogValuer.
func (r Redis) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText implements encoding.TextMarshaler, and with it JSON.
func (r Redis) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// show sets the text of String.
func (s *server) show(scheme string) {
	switch {
	case s.sentinel != nil:
		s.shown = join(scheme, s.sentinel.SentinelAddrs, s.sentinel.DB, "master_name="+s.sentinel.MasterName)
	case s.cluster != nil:
		s.shown = join(scheme, s.cluster.Addrs, 0)
	case scheme == "unix":
		s.shown = "unix://" + s.single.Addr + "?db=" + strconv.Itoa(s.single.DB)
	default:
		s.shown = join(scheme, []string{s.single.Addr}, s.single.DB)
	}
}

func join(scheme string, addrs []string, db int, parameters ...string) string {
	for _, addr := range addrs[1:] {
		parameters = append(parameters, "addr="+addr)
	}
	shown := scheme + "://" + addrs[0] + "/" + strconv.Itoa(db)
	if len(parameters) == 0 {
		return shown
	}
	return shown + "?" + strings.Join(parameters, "&")
}
