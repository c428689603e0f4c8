package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

// leadTimeout bounds asking to lead several books together: one that does not answer must
// not keep a process from leading the others.
const leadTimeout = 700 * time.Millisecond

// candidacy is a process that asks to lead a book.
type candidacy struct {
	book            *Book
	name            string
	term, retention time.Duration
}

// Lead makes the named process the leader of recovery unless another process is, and
// returns whether it leads and what there is to do. A leader leads for the term after its
// last call, by the clock of Redis. Settled orders are kept for the retention. It returns
// order.ErrUnavailable when Redis does not answer.
func (b *Book) Lead(ctx context.Context, name string, term, retention time.Duration) (order.Duty, error) {
	cmd, err := b.leads.Do(ctx, candidacy{b, name, term, retention})
	if err != nil {
		return order.Duty{}, wrap(err, "lead recovery")
	}
	answer, err := cmd.Int64Slice()
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		c := candidacy{b, name, term, retention}
		answer, err = leadScript.Eval(ctx, b.rdb, c.keys(), c.args()...).Int64Slice()
	}
	if err != nil {
		return order.Duty{}, wrap(err, "lead recovery")
	}
	if len(answer) != 5 {
		return order.Duty{}, fmt.Errorf("lead recovery: script answered %v", answer)
	}
	return order.Duty{
		Leads: answer[0] == 1, At: time.UnixMicro(answer[1]).UTC(),
		HoldExpired: answer[2] == 1, RetentionOver: answer[3] == 1, Unsettled: answer[4] == 1,
	}, nil
}

func (c candidacy) keys() []string {
	keys := []string{c.book.keys.leader, c.book.keys.expiries}
	for _, s := range unsettled() {
		keys = append(keys, c.book.keys.index(s))
	}
	for _, s := range order.Statuses() {
		if s.Settled() {
			keys = append(keys, c.book.keys.index(s))
		}
	}
	return keys
}

func (c candidacy) args() []any {
	return []any{c.name, c.term.Milliseconds(), c.retention.Microseconds(), len(unsettled())}
}

// newLeads returns the batcher of concurrent candidacies, those for all books, which share a
// pipeline. Each command keeps its own error.
func newLeads(rdb redis.UniversalClient, books int) *batch.Batcher[candidacy, *redis.Cmd] {
	timeout := scriptTimeout
	if books > 1 {
		timeout = leadTimeout
	}
	return batch.New(
		batch.Config{MaxBatch: order.MaxBooks, MaxWaiting: maxWaiting, Timeout: timeout},
		func(ctx context.Context, all []candidacy) ([]*redis.Cmd, error) {
			pipe := rdb.Pipeline()
			answers := make([]*redis.Cmd, len(all))
			for i, c := range all {
				answers[i] = leadScript.EvalSha(ctx, pipe, c.keys(), c.args()...)
			}
			_, _ = pipe.Exec(ctx)
			return answers, nil
		})
}
