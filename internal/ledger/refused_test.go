package ledger_test

import (
	"errors"
	"testing"

	"orderprocessor/internal/order"
)

// TestRefusalsAreUnavailable checks that what Redis refuses for want of rights or of a
// primary is no fault of the order: it can be sent again.
func TestRefusalsAreUnavailable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		rules   []any
		command []any // of the administrator
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
			b := open(t)
			restricted := b.restricted(t, row.rules...)
			if row.command != nil {
				if err := b.rdb.Do(t.Context(), row.command...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			if err := accept(sample("o1")).run(t.Context(), restricted); !errors.Is(err, order.ErrUnavailable) {
				t.Errorf("accept answered %v", err)
			}
		})
	}
}
