package systems

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadAddresses finds the line among others, and says when it has not come.
func TestReadAddresses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, log string
		want      addresses
		err       error
	}{
		{"nothing yet", "", addresses{}, errNoAddress},
		{"no JSON", "listening on addr 127.0.0.1:1\n", addresses{}, errNoAddress},
		{"another line", `{"msg":"waiting for Redis"}` + "\n", addresses{}, errNoAddress},
		{"half a line", `{"addr":"127.0.0.1:1","adm`, addresses{}, errNoAddress},
		{
			"among others", "{\"msg\":\"x\"}\n" + `{"msg":"API is listening","addr":"127.0.0.1:1","admin_addr":"127.0.0.1:2"}` + "\n",
			addresses{HTTP: "127.0.0.1:1", Admin: "127.0.0.1:2"},
			nil,
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(log, []byte(row.log), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readAddresses(log)
			if diff := cmp.Diff(row.want, got); diff != "" || !errors.Is(err, row.err) {
				t.Errorf("%v, addresses (-want +got):\n%s", err, diff)
			}
		})
	}
}
