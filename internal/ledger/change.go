package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/batch"
)

const (
	// maxGroup is how many orders one script changes at most: about a millisecond of
	// Redis.
	maxGroup = 100
	// maxWaiting bounds the changes of one kind that wait for their script. A worker
	// waits with as many as it has slots, and so does an API with its requests.
	maxWaiting = 10_000
	// groupTimeout bounds one script, with what the client tries again by itself.
	groupTimeout = 5 * time.Second
)

// change is what a script is to do with one order.
type change struct {
	id    string
	other string // the other key that the script's change has, if any
	args  []any
}

// answer is what a script says of one order: a word, and what follows it.
type answer struct {
	word string
	rest []any
}

// groups are the changes that wait for their script, by script.
type groups map[*redis.Script]*batch.Batcher[change, answer]

func newGroups(rdb redis.UniversalClient) groups {
	g := groups{}
	for _, s := range changes() {
		g[s] = batch.New(
			batch.Config{MaxBatch: maxGroup, MaxWaiting: maxWaiting, Timeout: groupTimeout},
			func(ctx context.Context, all []change) ([]answer, error) { return run(ctx, rdb, s, all) })
	}
	return g
}

// change changes one order, in one step with what others change at the same time.
func (l *Ledger) change(ctx context.Context, s *redis.Script, c change) (word string, rest []any, err error) {
	a, err := l.groups[s].Do(ctx, c)
	if err != nil {
		return "", nil, err
	}
	if a.word == "error" {
		return "", nil, replied(a.rest)
	}
	return a.word, a.rest, nil
}

// run runs a script for all these orders.
func run(ctx context.Context, rdb redis.UniversalClient, s *redis.Script, all []change) ([]answer, error) {
	keys := make([]string, 0, 3+2*len(all))
	keys = append(keys, countersKey, eventsKey, indexPrefix)
	args := make([]any, 0, 2+len(all)*(1+len(all[0].args)))
	args = append(args, maxEntries, len(all))
	for _, c := range all {
		keys = append(keys, recordKey(c.id))
		if c.other != "" {
			keys = append(keys, c.other)
		}
		args = append(append(args, c.id), c.args...)
	}
	replies, err := s.Run(ctx, rdb, keys, args...).Slice()
	if err != nil {
		return nil, err
	}
	if len(replies) != len(all) {
		return nil, fmt.Errorf("script %.8s answered for %d of %d orders", s.Hash(), len(replies), len(all))
	}
	answers := make([]answer, len(replies))
	for i, reply := range replies {
		words, _ := reply.([]any)
		if len(words) > 0 {
			answers[i].word, _ = words[0].(string)
			answers[i].rest = words[1:]
		}
	}
	return answers, nil
}

// replyError is an error that Redis has answered to a command of a script.
type replyError string

// Error implements error.
func (e replyError) Error() string { return string(e) }

// RedisError marks it as an answer of Redis.
func (replyError) RedisError() {}

var _ redis.Error = replyError("")

func replied(rest []any) error {
	if len(rest) == 1 {
		if text, ok := rest[0].(string); ok {
			return replyError(text)
		}
	}
	return errors.New(fmt.Sprint("script answered an error ", rest))
}
