package chaos_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/redistest"
)

// TestProxy breaks the second run of a script in both ways, and wants all other
// commands to pass, in pipelines too.
func TestProxy(t *testing.T) {
	t.Parallel()
	increment := redis.NewScript(`return redis.call('INCR', KEYS[1])`)
	for name, row := range map[string]struct {
		drop bool
		want []string
	}{
		"dropped":             {true, []string{"1", "", "2"}},
		"applied, reply lost": {false, []string{"1", "", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openProxy(t, redistest.Start(t).URL(), nil)
			c := dial(t, p.URL())
			var called atomic.Int64
			p.set(trap{match: func(keys []string) bool { return len(keys) == 1 && keys[0] == "n" }, nth: 2, drop: row.drop, then: func() { called.Add(1) }})
			// Redis does not know the script at the first run, which is none.
			_ = c.ScriptLoad(t.Context(), `return redis.call('INCR', KEYS[1])`)
			var got []string
			for range 3 {
				got = append(got, redisText(increment.Run(t.Context(), c, []string{"n"})))
				pipe := c.Pipeline()
				pipe.Set(t.Context(), "other", "x", 0)
				value := pipe.Get(t.Context(), "other")
				if _, err := pipe.Exec(t.Context()); err != nil || value.Val() != "x" {
					t.Errorf("the pipeline answered %q, %v", value.Val(), err)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" || called.Load() != 1 || !p.sprung() {
				t.Errorf("answers (-want +got), called %d times:\n%s", called.Load(), diff)
			}
		})
	}
}

// dial returns a client that tries each command once.
func dial(t *testing.T, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opts.MaxRetries, opts.DialerRetries = -1, 1
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// redisText is the answer as text, empty after an error.
func redisText(c *redis.Cmd) string {
	if c.Err() != nil {
		return ""
	}
	return fmt.Sprint(c.Val())
}
