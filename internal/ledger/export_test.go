package ledger

import (
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ClockOfBreaker is the key of the time, in seconds and microseconds, that the circuit
// breaker of a test goes by if the test has set it.
const ClockOfBreaker = "clock"

// stopClock replaces the script once for all tests.
var stopClock sync.Once

// StopClockOfBreaker makes breaker.lua go by the time in ClockOfBreaker.
func StopClockOfBreaker() {
	stopClock.Do(func() {
		source := strings.Replace(lua("breaker"), "redis.call('TIME')",
			"redis.call('EXISTS', '"+ClockOfBreaker+"') == 1 and redis.call('HMGET', '"+ClockOfBreaker+"', 's', 'us') or redis.call('TIME')", 1)
		breakerScript = redis.NewScript(source)
	})
}
