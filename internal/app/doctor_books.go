package app

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/queue"
)

// balance looks at whether the books balance.
func (e *examiner) balance(ctx context.Context) ([]Finding, error) {
	const check = "drift"
	totals, err := e.books.Totals(ctx)
	if err != nil {
		return nil, err
	}
	if drift := totals.Drift(); drift != 0 {
		return []Finding{problem(check, fmt.Sprintf("%d: the books do not balance", drift),
			"keep the log and a copy of the data; keys were changed or lost: see evicted keys, restores, failovers, and who else writes here")}, nil
	}
	if totals.Accepted == 0 {
		return []Finding{good(check, "0: there are no orders yet")}, nil
	}
	return []Finding{good(check, fmt.Sprintf("0: all %d accepted orders are in one status each", totals.Accepted))}, nil
}

// wellKnown returns the keys that all orders share, and what Redis must hold there.
func wellKnown() map[string]string {
	keys := ledger.KeyTypes()
	maps.Copy(keys, queue.KnownKeys())
	return keys
}

// keys looks at whether the well-known keys hold what the programs expect.
func (e *examiner) keys(ctx context.Context) ([]Finding, error) {
	const check = "types of keys"
	if e.refuses("type") {
		return []Finding{unchecked(check, "this user may not run TYPE")}, nil
	}
	wanted := wellKnown()
	wrong, present, err := e.types(ctx, wanted)
	switch {
	case err != nil:
		return nil, err
	case len(wrong) > 0:
		return []Finding{problem(check, brief(wrong),
			"somebody else writes to this Redis: find out who, keep a copy of the data, and give this service a Redis or a database of its own")}, nil
	}
	found := []Finding{good(check, fmt.Sprintf("%d of %d well-known keys are there, and as expected", present, len(wanted)))}
	return e.form(ctx, found)
}

// types compares the types of keys; a key that is not there is fine.
func (e *examiner) types(ctx context.Context, wanted map[string]string) (wrong []string, present int, err error) {
	names := slices.Sorted(maps.Keys(wanted))
	pipe := e.rdb.Pipeline()
	kinds := make([]*redis.StatusCmd, len(names))
	for i, name := range names {
		kinds[i] = pipe.Type(ctx, name)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, 0, fmt.Errorf("read the types of keys: %w", err)
	}
	for i, name := range names {
		switch kind := kinds[i].Val(); kind {
		case "none":
		case wanted[name]:
			present++
		default:
			wrong = append(wrong, fmt.Sprintf("%s is a %s and should be a %s", name, kind, wanted[name]))
		}
	}
	return wrong, present, nil
}

// form adds in which form the newest order of some status is kept.
func (e *examiner) form(ctx context.Context, found []Finding) ([]Finding, error) {
	const check = "form of records"
	if e.refuses("object encoding") {
		return append(found, unchecked(check, "this user may not run OBJECT ENCODING")), nil
	}
	id, form, err := e.books.RecordEncoding(ctx)
	switch {
	case err != nil || id == "":
		return found, err
	case slices.Contains([]string{"listpack", "ziplist"}, form):
		return append(found, good(check, fmt.Sprintf("order %s is kept as a %s", id, form))), nil
	default:
		return append(found, warning(check, fmt.Sprintf("order %s is kept as a %s, at nearly twice the memory", id, form),
			"CONFIG SET hash-max-listpack-value 1024, which counts for orders from then on; one with very long texts is so anyway")), nil
	}
}
