package ledger

import (
	"context"
)

// Requeued counts one repair of an unsettled order that had no task, and says
// whether it did: an order that has met its outcome meanwhile needed none. The
// token names the repair: repeating it counts nothing.
func (l *Ledger) Requeued(ctx context.Context, id, token string) (counted bool, err error) {
	word, _, err := l.update(ctx, requeuedScript, update{id: id, args: []any{token}})
	return word == "counted", wrap(err, "count requeued order %s", id)
}
