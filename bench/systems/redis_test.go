package systems_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/bench/systems"
)

// TestOpenRedis runs it with the deployed settings, but for durability, folder and
// bound, and ends it.
func TestOpenRedis(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		durability         systems.Durability
		appendOnly, fsync  string
		further            []string
		wantListpackLength string
	}{
		{systems.Off, "no", "everysec", nil, "1024"},
		{systems.Everysec, "yes", "everysec", nil, "1024"},
		{systems.Always, "yes", "always", []string{"--hash-max-listpack-value", "64"}, "64"},
	} {
		t.Run(string(row.durability), func(t *testing.T) {
			t.Parallel()
			r, err := systems.OpenRedis(t.Context(), "../..", t.TempDir(), row.durability, row.further...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(r.Close)
			want := map[string]string{
				"appendonly": row.appendOnly, "appendfsync": row.fsync, "save": "", "maxmemory": "0",
				"maxmemory-policy": "noeviction", "hash-max-listpack-value": row.wantListpackLength, "bind": "127.0.0.1",
			}
			got := map[string]string{}
			for name := range want {
				value, err := r.Client().ConfigGet(t.Context(), name).Result()
				if err != nil {
					t.Fatal(err)
				}
				got[name] = value[name]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if used, err := r.Memory(t.Context()); used <= 0 || err != nil {
				t.Errorf("it uses %d bytes, %v", used, err)
			}
		})
	}
}
