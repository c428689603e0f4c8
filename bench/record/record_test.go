package record_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/bench/record"
	"orderprocessor/internal/redistest"
)

// TestReplay writes down what a client does through the recorder, keeps what was
// useful, and does the same to another Redis.
func TestReplay(t *testing.T) {
	t.Parallel()
	from, to := redistest.Start(t), redistest.Start(t)
	socket := filepath.Join(filepath.Dir(strings.TrimPrefix(from.URL(), "unix://")), "p")
	proxy, err := record.Open(t.Context(), socket, strings.TrimPrefix(from.URL(), "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	grow := redis.NewScript(`if redis.call('GET', KEYS[1]) then return redis.call('INCRBY', KEYS[1], ARGV[1]) end`)
	for range 2 {
		if err := grow.Run(t.Context(), client, []string{"k"}, 2).Err(); !errors.Is(err, redis.Nil) {
			t.Fatalf("a script without its key answers %v", err)
		}
	}
	pipe := client.Pipeline()
	pipe.Set(t.Context(), "k", "1", 0)
	pipe.Get(t.Context(), "missing")
	grow.Run(t.Context(), pipe, []string{"k"}, 5)
	_, _ = pipe.Exec(t.Context())
	_ = client.Close()
	if err := proxy.Close(); err != nil {
		t.Fatal(err)
	}

	useful, err := record.Useful(t.Context(), redistest.Start(t).Client(), record.Changes(proxy.Commands()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range useful {
		names = append(names, c[0].(string))
	}
	if diff := cmp.Diff([]string{"eval", "set", "evalsha"}, names); diff != "" {
		t.Errorf("useful commands (-want +got):\n%s", diff)
	}
	rdb := to.Client()
	if took, err := record.Play(t.Context(), strings.TrimPrefix(to.URL(), "unix://"), useful); took <= 0 || err != nil {
		t.Fatalf("the replay took %v, %v", took, err)
	}
	if got, err := rdb.Get(t.Context(), "k").Result(); got != "6" || err != nil {
		t.Errorf("after the replay the key is %q, %v", got, err)
	}
}
