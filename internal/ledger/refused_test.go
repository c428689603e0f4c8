package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/ledgertest"
	"orderprocessor/internal/order"
	"orderprocessor/internal/redistest"
)

// TestRefusalsAreUnavailable holds that what Redis refuses for want of rights or of
// a master is no fault of the order: it can be sent again.
func TestRefusalsAreUnavailable(t *testing.T) {
	t.Parallel()
	all := []any{"acl", "setuser", "orders", "on", ">secret", "allkeys", "allchannels", "+@all"}
	for _, row := range []struct {
		name  string
		rules []any
		more  []any // a command of the administrator
	}{
		{"evalsha and eval", []any{"-evalsha", "-eval"}, nil},
		{"a command of a script", []any{"-hset"}, nil},
		{"its first command", []any{"-hmget", "-hget", "-hgetall", "-time"}, nil},
		{"everything", []any{"-@all"}, nil},
		{"keys", []any{"resetkeys", "~asynq:*"}, nil},
		{"another password", []any{"resetpass", ">another"}, nil},
		{"off", []any{"off"}, nil},
		{"a replica", nil, []any{"replicaof", "127.0.0.1", "1"}},
		{"no replicas", nil, []any{"config", "set", "min-replicas-to-write", "1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			admin := server.Client()
			for _, args := range [][]any{append(append([]any(nil), all...), row.rules...), row.more} {
				if args == nil {
					continue
				}
				if err := admin.Do(t.Context(), args...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			opts, err := redis.ParseURL(strings.Replace(server.URL(), "unix://", "unix://orders:secret@", 1))
			if err != nil {
				t.Fatal(err)
			}
			rdb := redis.NewClient(opts)
			defer func() { _ = rdb.Close() }()
			_, _, err = ledgertest.Accept(t.Context(), ledger.New(rdb), sample("o1"), order.QueueDefault)
			if !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("accept answered %v", err)
			}
		})
	}
}
