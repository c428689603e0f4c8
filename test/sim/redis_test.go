package sim_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledgertest"
)

// openRedis starts a Redis within the bubble, whose clock is that of the bubble. It returns
// a client that the bus does not disturb.
func openRedis() (*miniredis.Miniredis, *redis.Client) {
	m := miniredis.NewMiniRedis()
	m.ClockTTL(true)
	return m, redis.NewClient(&redis.Options{
		Dialer: func(context.Context, string, string) (net.Conn, error) { return m.Dial() },
		Addr:   noHost, DisableIdentity: true, Protocol: 2, PoolSize: 1, MaxRetries: -1, ReadTimeout: -1, WriteTimeout: -1, ConnMaxIdleTime: -1,
	})
}

// wire is a go-redis hook that sends the commands of a process over the bus.
type wire struct {
	sim *sim
	p   *process
}

var _ redis.Hook = wire{}

func (s *sim) dial(p *process) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: noHost, Protocol: 2, MaxRetries: -1})
	rdb.AddHook(wire{s, p})
	return rdb
}

// DialHook implements redis.Hook.
func (wire) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (w wire) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return w.send(ctx, []redis.Cmder{cmd}) }
}

// ProcessPipelineHook implements redis.Hook.
func (w wire) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook { return w.send }

func (w wire) send(ctx context.Context, cmds []redis.Cmder) error {
	err := w.sim.send(ctx, &message{
		sender: sender(ctx, w.p), what: w.sim.describe(cmds), from: w.p, kind: request,
		apply: func(unheard bool) { w.sim.execute(cmds, unheard) },
	})
	if err != nil {
		for _, cmd := range cmds {
			cmd.SetErr(err)
		}
		return err
	}
	for _, cmd := range cmds {
		if cmd.Err() != nil {
			return cmd.Err()
		}
	}
	return nil
}

// execute runs commands. Those whose answers nobody will get run on copies, as their sender
// may be reading them.
func (s *sim) execute(cmds []redis.Cmder, unheard bool) {
	pipe := s.redis.Pipeline()
	for _, cmd := range cmds {
		if unheard {
			cmd = redis.NewCmd(context.Background(), cmd.Args()...)
		}
		_ = pipe.Process(context.Background(), cmd)
		s.learn(cmd)
	}
	_, _ = pipe.Exec(context.Background())
	if s.defect.executed != nil {
		for _, cmd := range cmds {
			s.defect.executed(s, s.scripts[hashOf(cmd)], cmd)
		}
	}
}

// describe names commands by what stays the same in every run of a seed.
func (s *sim) describe(cmds []redis.Cmder) string {
	var words []string
	for i, cmd := range cmds {
		if i == 0 || cmd.Name() != cmds[i-1].Name() {
			words = append(words, cmd.Name()+hashOf(cmd))
		}
		words = append(words, idsOf(cmd)...)
	}
	return strings.Join(words, " ")
}

// idsOf returns the orders whose records a command uses.
func idsOf(cmd redis.Cmder) (ids []string) {
	for _, arg := range cmd.Args() {
		if text, ok := arg.(string); ok && strings.HasPrefix(text, ledgertest.RecordKey("")) {
			ids = append(ids, strings.TrimPrefix(text, ledgertest.RecordKey("")))
		}
	}
	return ids
}

// hashOf returns the beginning of the hash of a script, empty for any other command.
func hashOf(cmd redis.Cmder) string {
	args := cmd.Args()
	switch cmd.Name() {
	case "evalsha":
		return ":" + args[1].(string)[:8]
	case "eval":
		return ":" + redis.NewScript(args[1].(string)).Hash()[:8]
	default:
		return ""
	}
}

// learn remembers the name of a script when it is sent with its source.
func (s *sim) learn(cmd redis.Cmder) {
	if cmd.Name() != "eval" {
		return
	}
	for name, source := range sources {
		if source != "" && strings.HasSuffix(cmd.Args()[1].(string), source) {
			s.scripts[hashOf(cmd)] = name
		}
	}
}

// trace returns all lines, with the names of scripts instead of their hashes.
func (s *sim) trace() string {
	var names []string
	for hash, name := range s.scripts {
		names = append(names, "evalsha"+hash, name, "eval"+hash, name+" with source")
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = strings.NewReplacer(names...).WriteString(columns, strings.Join(s.lines, "\n")+"\n")
	_ = columns.Flush()
	return text.String()
}

// sources are the scripts of the ledger by name.
var sources = map[string]string{}

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // every run of a script allocates a Lua state of 100 KB
	files, _ := filepath.Glob("../../internal/ledger/scripts/*.lua")
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		sources[strings.TrimSuffix(filepath.Base(file), ".lua")] = string(source)
	}
	os.Exit(m.Run())
}

// noHost is the address of all clients, which never dial it. An address that is a name would
// be resolved outside of the bubble.
const noHost = "127.0.0.1:0"
