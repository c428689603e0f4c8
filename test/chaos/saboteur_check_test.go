package chaos_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/redistest"
)

// TestSaboteur runs a script again and again, of which some runs break as planned.
func TestSaboteur(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		plan []breakage
		want []string // answers; each that is missing broke
	}{
		"dropped, then unheard": {[]breakage{{true, 1}, {false, 1}}, []string{"1", "", "2", "", "4", "5"}},
		"unheard three times":   {[]breakage{{false, 3}}, []string{"1", "", "", "", "5", "6"}},
		"dropped three times":   {[]breakage{{true, 3}}, []string{"1", "", "", "", "2", "3"}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			s := &system{t: t, redis: server, rdb: server.Client()}
			url, b := s.sabotage("test", knowScripts(s))
			b.plan = row.plan
			opts, err := redis.ParseURL(url)
			if err != nil {
				t.Fatal(err)
			}
			opts.MaxRetries = -1
			c := redis.NewClient(opts)
			t.Cleanup(func() { _ = c.Close() })
			increment := redis.NewScript(`return redis.call('INCR', KEYS[1])`)
			if err := increment.Load(t.Context(), c).Err(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for range row.want {
				got = append(got, redisText(increment.Run(t.Context(), c, []string{"n"})))
			}
			if diff := cmp.Diff(row.want, got); diff != "" || len(b.broken()) != 1 || len(b.open()) != 0 {
				t.Errorf("broken %v, open %v, answers (-want +got):\n%s", b.broken(), b.open(), diff)
			}
		})
	}
}
