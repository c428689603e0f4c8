package cli

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// toldWait is the shortest wait that is told: shorter ones nobody wonders about.
const toldWait = time.Second

// waitTeller says why nothing happens, once for all orders that wait at the same time.
// It is safe for concurrent use.
type waitTeller struct {
	say func(text string)

	mu    sync.Mutex
	until time.Time // the end of the wait that was told last
}

// wait tells of a wait that begins now.
func (t *waitTeller) wait(why error, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if d < toldWait || now.Before(t.until) {
		return
	}
	t.until = now.Add(d)
	t.say(fmt.Sprintf("%s: trying again in %d s (Ctrl-C stops)", inShort(why), int(math.Ceil(d.Seconds()))))
}

// inShort says in a few words why a request has to wait.
func inShort(err error) string {
	var none *UnreachableError
	var answer *AnswerError
	switch {
	case noRoom(err):
		return "no room"
	case overLimit(err):
		return "over the rate limit"
	case errors.As(err, &none):
		return "no answer from the API"
	case errors.As(err, &answer) && answer.is(problemRedisAway):
		return redisAway
	default:
		return "the API is busy"
	}
}
