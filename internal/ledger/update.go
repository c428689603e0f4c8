package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
	"orderprocessor/internal/order"
)

const (
	// maxBatch is how many orders one script updates at most: about a millisecond of
	// Redis.
	maxBatch = 100
	// maxWaiting bounds the updates of one kind that wait for their script. A worker
	// waits with as many as it has slots, and an API with as many as it has requests.
	maxWaiting = 10_000
	// scriptTimeout bounds one script, with the client's own retries.
	scriptTimeout = 5 * time.Second
)

// update is what a script is to do with one order.
type update struct {
	id    string
	other string // the other key that the script needs for the order, if any
	args  []any
}

// answer is what a script returns for one order: a word, and what follows it.
type answer struct {
	word string
	rest []any
}

// batchers collect concurrent updates, by script: callers of one script share a run.
type batchers map[*redis.Script]*batch.Batcher[update, answer]

func newBatchers(run func(context.Context, *redis.Script, []update) ([]answer, error)) batchers {
	b := batchers{}
	for _, s := range []*redis.Script{
		attemptScript, cancelScript, retryScript, lostScript, requeuedScript,
		holdScript, releaseScript, rejectScript, eraseScript,
	} {
		b[s] = batch.New(
			batch.Config{MaxBatch: maxBatch, MaxWaiting: maxWaiting, Timeout: scriptTimeout},
			func(ctx context.Context, all []update) ([]answer, error) { return run(ctx, s, all) })
	}
	return b
}

// update runs a script for one order, together with concurrent updates of its kind.
func (b *Book) update(ctx context.Context, s *redis.Script, u update) (word string, rest []any, err error) {
	a, err := b.batchers[s].Do(ctx, u)
	if err != nil {
		return "", nil, err
	}
	if a.word == "error" {
		return "", nil, replied(a.rest)
	}
	return a.word, a.rest, nil
}

// runScript runs a script for all these orders and returns an answer for each, in
// turn. See scripts/prelude.lua for its keys and arguments.
//
// One of the keys, the prefix of the indexes, never exists. So while the slot of the book
// moves to another node of a Cluster, key by key, Redis answers TRYAGAIN, and no script runs
// without keys that have moved already.
func (b *Book) runScript(ctx context.Context, s *redis.Script, all []update) ([]answer, error) {
	keys := make([]string, 0, 3+2*len(all))
	keys = append(keys, b.keys.counters, b.keys.events, b.keys.indexes)
	width := 0 // of the arguments of an order, which are filled up with empty ones
	for _, u := range all {
		width = max(width, len(u.args))
	}
	args := make([]any, 0, 3+len(all)*(1+width))
	args = append(args, maxEntries, b.marks, len(all))
	for _, u := range all {
		keys = append(keys, b.keys.record(u.id))
		if u.other != "" {
			keys = append(keys, u.other)
		}
		args = append(append(args, u.id), u.args...)
		for range width - len(u.args) {
			args = append(args, "")
		}
	}
	replies, err := s.Run(ctx, b.rdb, keys, args...).Slice()
	if err != nil {
		return nil, err
	}
	if len(replies) != len(all) {
		return nil, fmt.Errorf("script %.8s answered for %d of %d orders", s.Hash(), len(replies), len(all))
	}
	answers := make([]answer, len(replies))
	for i, reply := range replies {
		answers[i] = parseAnswer(reply)
	}
	return answers, nil
}

// parseAnswer reads the answer for one order: words separated by tabs, or a table.
func parseAnswer(reply any) answer {
	switch reply := reply.(type) {
	case string:
		word, rest, found := strings.Cut(reply, "\t")
		a := answer{word: word}
		for found {
			var next string
			next, rest, found = strings.Cut(rest, "\t")
			a.rest = append(a.rest, next)
		}
		return a
	case []any:
		if len(reply) > 0 {
			word, _ := reply[0].(string)
			return answer{word, reply[1:]}
		}
	}
	return answer{}
}

// replyError is the error reply of Redis to a command of a script.
type replyError string

// Error implements error.
func (e replyError) Error() string { return string(e) }

// RedisError implements redis.Error.
func (replyError) RedisError() {}

var _ redis.Error = replyError("")

// replied returns the error that a script has answered for one order.
func replied(rest []any) error {
	if len(rest) == 1 {
		if text, ok := rest[0].(string); ok {
			return replyError(text)
		}
	}
	return errors.New(fmt.Sprint("script answered an error ", rest))
}

// recordOr reads the answer of a script that the order's status may refuse: the
// record after the update, or the status.
func recordOr(word string, rest []any, operation, id string) (order.Record, error) {
	switch word {
	case "wait":
		return order.Record{}, fmt.Errorf("%s order %s: %w", operation, id, order.ErrNotItsTurn)
	case "known", "cancelled", "retried", "released", "rejected":
		fields, err := pairs(rest)
		if err != nil {
			return order.Record{}, fmt.Errorf("%s order %s: %w", operation, id, err)
		}
		return parseRecord(id, fields)
	case "status", "unknown":
		status, _ := rest[0].(string)
		return order.Record{}, fmt.Errorf("%s order %s: %w", operation, id,
			&order.StatusError{Status: order.Status(status), Unknown: word == "unknown"})
	default:
		return order.Record{}, refusal(word, operation, id)
	}
}

// refusal returns the error for the word with which a script refused an update.
func refusal(word, operation, id string) error {
	known := map[string]error{
		"missing": order.ErrNotFound, "settled": order.ErrSettled, "stale": order.ErrStale,
		"decided": order.ErrDecided, "held": order.ErrHeld,
	}
	if err, ok := known[word]; ok {
		return fmt.Errorf("%s order %s: %w", operation, id, err)
	}
	return fmt.Errorf("%s order %s: unknown answer %q", operation, id, word)
}
