package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// media answers with a body of a media type.
func media(kind, body string) reply { return reply{body: body, headers: "Content-Type: " + kind} }

func TestExport(t *testing.T) {
	t.Parallel()
	const lines = `{"id":"a","customer":"say \"hi\""}` + "\n" + `{"id":"b"}` + "\n"
	const table = "id,notes\r\na,\"two\r\nlines, \"\"quoted\"\"\"\r\nb,\r\n"
	api := newFakeAPI(t, routes{"GET /orders/export": {media("application/x-ndjson", lines), media("text/csv; charset=utf-8; header=present", table)}})
	orderctl(t, "export", "--tag", "a&b", "--metadata", "shop=x=y", "--api", api.URL).mustPrint(t, 0, lines, "")
	folder := t.TempDir()
	file := filepath.Join(folder, "orders.csv")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	orderctl(t, "export", "--file", file, "--api", api.URL).mustPrint(t, 0, "", "2 orders are in "+file+".\n")
	if got, err := os.ReadFile(file); string(got) != table {
		t.Errorf("the file has %q, %v", got, err)
	}
	api.mustReceive(t, "GET /orders/export?format=ndjson&metadata.shop=x%3Dy&tag=a%26b", "GET /orders/export?format=csv")
	orderctl(t, "export", "--file", folder, "--api", api.URL).mustExit(t, 1, "is not a regular file")
	orderctl(t, "export", "--api", answering(t, 200, "{}")).mustExit(t, 1, "^orderctl: export orders: the answer is not that of an order API")
}

// TestExportThatIsCut leaves no file, and the earlier one as it was.
func TestExportThatIsCut(t *testing.T) {
	t.Parallel()
	cut := reply{body: `{"id":"a"}` + "\n" + `{"id":"b"`, headers: "Content-Type: application/x-ndjson\nContent-Length: 1000"}
	api := newFakeAPI(t, routes{"GET /orders/export": {cut}})
	const why = "orderctl: after 1 orders the export was cut, so it is not whole: unexpected EOF\n"
	orderctl(t, "export", "--api", api.URL).mustPrint(t, 1, cut.body, why)
	folder := t.TempDir()
	file := filepath.Join(folder, "orders.ndjson")
	orderctl(t, "export", "--file", file, "--api", api.URL).mustPrint(t, 1, "", why)
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	orderctl(t, "export", "--file", file, "--api", api.URL).mustPrint(t, 1, "", why)
	found, err := os.ReadDir(folder)
	if text, _ := os.ReadFile(file); len(found) != 1 || string(text) != "old" {
		t.Errorf("the folder has %v, %v, the file %q", found, err, text)
	}
	orderctl(t, "export", "--file", filepath.Join(folder, "none", "x"), "--api", api.URL).mustExit(t, 1, "export orders: .*no such file")
}

// TestFilterFlags sends each flag as the parameter of its name, and none that is empty.
func TestFilterFlags(t *testing.T) {
	t.Parallel()
	const at, escaped = "2026-11-23T00:00:00Z", "2026-11-23T00%3A00%3A00Z"
	line := "--id-prefix o# --queue low --handling expedited --tag vip --currency JPY --country DE --amount-min 1.5 --amount-max 2 --error-contains a%b" +
		" --error-fingerprint shop# --settled-from " + at + " --settled-to " + at + " --metadata basket=77 --metadata b=c"
	const query = "amount_max=2&amount_min=1.5&country=DE&currency=JPY&error_contains=a%25b&error_fingerprint=shop%23&handling=expedited&id_prefix=o%23" +
		"&limit=50&metadata.b=c&metadata.basket=77&queue=low&settled_from=" + escaped + "&settled_to=" + escaped + "&tag=vip"
	runScripted(
		t,
		scripted{
			"all", "list " + line,
			[]exchange{{"GET /orders?" + query, 200, `{"orders":[],"as_of":"2026-11-23T12:00:00.000000Z"}`}},
			0, "No order matches.\n",
			"This is what the archive had at 2026-11-23T12:00:00.000000Z.\n",
		},
		scripted{
			"incomplete", "list",
			[]exchange{{"GET /orders?limit=50", 200, `{"orders":[],"incomplete":true}`}},
			0, "No order matches.\n",
			"Not complete: orders that have left Redis are missing, as the archive is unavailable.\n",
		},
	)
	for _, command := range []string{"list", "export"} {
		for _, flag := range []string{"customer", "id-prefix", "tag", "currency", "country", "amount-min", "error-contains", "error-fingerprint"} {
			orderctl(t, command, "--"+flag, "").mustExit(t, 2, "--"+flag+" must not be empty")
		}
		for _, pair := range []string{"", "basket", "=77", "basket=", "a b=c"} {
			orderctl(t, command, "--metadata", pair).mustExit(t, 2, "--metadata must be a key and its value")
		}
		orderctl(t, command, "--settled-from", "today").mustExit(t, 2, "must be a time")
		orderctl(t, command, "--queue", "fast").mustExit(t, 2, "must be one of critical, default, low")
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	const answer = `{"groups":[{"fingerprint":"shop answered 503","error":"shop answered 503","note":"try\nlater","orders":1946,"first_seen":"2026-11-23T12:00:00.5Z",` +
		`"last_seen":"2026-11-23T13:00:00Z","queue":"low","example_ids":["o1","o2"]},{"fingerprint":"no #","error":"no 7","orders":1,` +
		`"first_seen":"2026-11-23T12:00:00Z","last_seen":"2026-11-23T12:00:00Z","queue":"default","example_ids":[]}],"as_of":"2026-11-23T13:00:01.000000Z"}`
	const shown = "orders   first seen             last seen              queue     example   error\n" +
		"1946     2026-11-23T12:00:00Z   2026-11-23T13:00:00Z   low       o1        shop answered 503; the shop answered: try later\n" +
		"1        2026-11-23T12:00:00Z   2026-11-23T12:00:00Z   default             no 7\n"
	runScripted(
		t,
		scripted{
			"table", "failures", []exchange{{"GET /failures?limit=20", 200, answer}}, 0, shown, "This is what the archive had at 2026-11-23T13:00:01.000000Z.\n",
		},
		scripted{
			"none", "failures --since 2026-11-23T00:00:00+01:00 --limit 1000",
			[]exchange{{"GET /failures?limit=1000&since=2026-11-23T00%3A00%3A00%2B01%3A00", 200, `{"groups":[]}`}},
			0, "No order is failed.\n", "",
		},
		scripted{"no API", "failures", []exchange{{"GET /failures?limit=20", 200, `{}`}}, 1, "", "orderctl: get the failures: " + notAPI},
	)
	api := newFakeAPI(t, routes{"GET /failures": {{body: answer}}})
	orderctl(t, "failures", "--since", "2h", "-o", "json", "--api", api.URL).mustExit(t, 0, `"fingerprint": "no #"`)
	if got := api.requests()[0].target; !strings.HasPrefix(got, "/failures?limit=20&since=20") || !strings.HasSuffix(got, "Z") {
		t.Errorf("asked for %s", got)
	}
	orderctl(t, "failures", "--limit", "0").mustExit(t, 2, "--limit must be 1 to 1000")
	orderctl(t, "failures", "--since", "-2h").mustExit(t, 2, "must be an age")
}
