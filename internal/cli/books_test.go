package cli_test

import (
	"regexp"
	"testing"

	"orderprocessor/internal/redistest"
)

// TestBooks shows the one book of a Redis without orders, and where an order would be.
func TestBooks(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--maxmemory", "1gb")
	in := world{environ: []string{"REDIS_URL=" + server.URL()}}
	at := regexp.QuoteMeta(server.URL() + "?db=0")
	orderctlIn(t, in, "books").mustExit(t, 0, `^book +accepted +share +unsettled +kept +critical +default +low +drift +node\n`+
		`0 +0 +0\.0 % +0 +0 +0 +0 +0 +0 +`+at+`\n\n`+
		`node +books +queues +share +memory +operations/s\n`+at+` +1 +3 +0\.0 % +[0-9.]+ MiB of 1024 MiB +\d+\n$`)
	orderctlIn(t, in, "books", "-o", "json").mustExit(t, 0, `"accepted": 0,\n      "share": 0,\n      "unsettled": 0,\n      "kept": 0,\n      "waiting": \{`,
		`"memory_limit_bytes": 1073741824,`)
	orderctlIn(t, in, "books", "o1").mustExit(t, 0, `^order +book +node +critical +default +low\no1 +0 +(`+at+` *){4}\n$`)
	server.Kill()
	orderctlIn(t, in, "books").mustExit(t, 1, `^orderctl: read the books: .*unavailable`)
}
