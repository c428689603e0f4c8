package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

// TestArchived finds, exports and groups orders that have left Redis, with the programs as
// they run.
func TestArchived(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in := world{environ: []string{"ORDERCTL_API=" + startService(t, "ORDERS_ARCHIVE_URL=sqlite://"+folder+"/archive.db", "ORDERS_RETENTION=1s")}}
	marked := strings.Replace(withID("marked"), "}", `,"metadata":{"basket":"77"}}`, 1)
	orderctlIn(t, in, "submit", fileOf(t, marked+"\n"+strings.Replace(withID("export"), "12.50", "10000.01", 1))).mustExit(t, 0, `accepted +2`)
	for _, id := range []string{"marked", "export"} {
		programtest.Until(t, id+" has left Redis", func() bool {
			return strings.Contains(orderctlIn(t, in, "get", id).stdout.String(), "yes, it has left Redis")
		})
	}
	orderctlIn(t, in, "get", "marked").mustExit(t, 0, `id +marked\nstatus +completed\n`, `decision +approve, standard`)
	orderctlIn(t, in, "list").mustExit(t, 0, `^id .*\n(export|marked) .*\n(export|marked) .*\n$`)
	orderctlIn(t, in, "list", "--metadata", "basket=77").mustExit(t, 0, `^id .*\nmarked .*\nThis is what the archive had at \S+Z\.\n$`)
	orderctlIn(t, in, "list", "--status", "rejected", "--error-contains", "limit", "--currency", "USD").mustExit(t, 0, `^id .*\nexport .*\n`)
	file := filepath.Join(folder, "orders.csv")
	orderctlIn(t, in, "export", "--file", file).mustPrint(t, 0, "", "2 orders are in "+file+".\n")
	if text, err := os.ReadFile(file); strings.Count(string(text), "\r\n") != 3 {
		t.Errorf("the file is %s, %v", text, err)
	}
	orderctlIn(t, in, "export", "--amount-min", "10000").mustExit(t, 0, `^{"id":"export",.*"archived":true}\n$`)
	orderctlIn(t, in, "failures").mustExit(t, 0, `^No order is failed\.\n`)
}
