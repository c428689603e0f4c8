package app

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/ledger"
)

// judgeWritable looks at whether Redis takes what the programs write: it must be no
// replica, refuse no write, and let its user run every command that is needed. Lacking
// names commands that it refuses, and refusal is what a question or a write ended with.
func judgeWritable(s ledger.Settings, lacking []string, refusal error) check {
	c := check{Name: checkWritable, State: checkFailed}
	switch {
	case s.Replica:
		c.Detail = "this Redis is a replica: no order can be written to it"
	case len(lacking) > 0:
		c.Detail = "the user of REDIS_URL may not run " + brief(lacking)
	case refusal != nil && !redis.IsOOMError(refusal):
		c.Detail = refusalText(refusal)
	default:
		c.State, c.Detail = checkOK, "Redis takes writes, and its user may do everything that is needed"
	}
	return c
}

// refusalText says in words why Redis refuses a command. It shows nothing that only the
// log should have, as GET /health needs no key.
func refusalText(err error) string {
	switch {
	case redis.IsAuthError(err):
		return "Redis refuses the user or password of REDIS_URL"
	case redis.IsPermissionError(err):
		return "the user of REDIS_URL may not run a command that is needed, or not on its keys"
	case redis.IsReadOnlyError(err):
		return "this Redis is a replica: no order can be written to it"
	case redis.IsMasterDownError(err):
		return "this Redis is a replica and has lost its master"
	case redis.IsLoadingError(err):
		return "Redis is loading its data"
	}
	var reply redis.Error
	if !errors.As(err, &reply) {
		return "Redis does not answer"
	}
	word, _, _ := strings.Cut(reply.Error(), " ")
	if because := map[string]string{
		"NOREPLICAS": "too few replicas follow closely (min-replicas-to-write)",
		"MISCONF":    "it cannot write its files to disk",
		"BUSY":       "it is busy with a script",
	}[word]; because != "" {
		return "Redis refuses writes: " + because
	}
	return "Redis refuses what the programs ask (" + word + ")"
}

// isReply says whether an error is an answer of Redis.
func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// tryLogin repeats the login of the client: connections that are open stay so when a
// password is changed or a user is switched off, and the next one would be refused.
func tryLogin(ctx context.Context, rdb redis.UniversalClient) error {
	var user, password string
	switch c := rdb.(type) {
	case *redis.Client:
		user, password = c.Options().Username, c.Options().Password
	case *redis.ClusterClient:
		user, password = c.Options().Username, c.Options().Password
	}
	if password == "" {
		return nil
	}
	return rdb.Do(ctx, "auth", cmp.Or(user, "default"), password).Err()
}
