package cli_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"orderprocessor/internal/programtest"
)

const watched = `{"active_workers":8,"workers":1,"completed_per_second":2.5,"by_status":{"pending":1,"held":5,"retrying":3,"completed":6},` +
	`"queues":{"low":{"pending":1,"active":2}},"latency_ms":{"end_to_end":{"p95":7.5}},` +
	`"redis":{"memory_used_bytes":1048576,"memory_limit_bytes":0},"ledger":{"accepted":7,"drift":0}}`

// newWatchAPI returns an API with an event, and with these answers to requests for the
// statistics.
func newWatchAPI(t *testing.T, stats ...reply) *fakeAPI {
	t.Helper()
	return newFakeAPI(t, routes{"GET /events": {openStream(begins + change("2-0", "order-2", "pending", ""))}, "GET /stats": stats, "GET /health": {{status: 503, body: downHealth}}})
}

// downHealth is what GET /health says while the shop is down.
const downHealth = `{"status":"unhealthy","reason":"x","verdict":{"level":"bad","cause":"shop_down","what":"The shop takes no orders",` +
	`"since":"2026-11-24T11:00:00Z","advice":"Orders wait.\u001b[2J"}}`

// TestWatchWritesLines checks that what is no terminal gets a line each interval, and
// that an API that is away does not end it.
func TestWatchWritesLines(t *testing.T) {
	t.Parallel()
	api := newWatchAPI(t, reply{body: watched}, reply{status: 503, body: away}, reply{body: watched})
	c := &command{}
	c.start(t, "watch", "--interval", "100ms", "--api", api.URL)
	const line = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  completed 2\.5/s  failed 0\.0/s  retrying 3  waiting 1  active 2  settled 6 of 7  p95 7\.5 ms  slots 8  drift 0` +
		`  held 5  bad: The shop takes no orders since 2026-11-24T11:00:00Z\. Orders wait\. \[2J\n`
	c.waitFor(t, `^`+line+line)
	if status := c.interrupt(t); status != 0 || !regexp.MustCompile(`^(`+line+`)+$`).MatchString(c.stdout.String()) {
		t.Errorf("it ended with %d and wrote %q", status, c.stdout.String())
	}
	if got := c.stderr.String(); got != "orderctl: get stats: 503: Redis is unavailable; run orderctl doctor for details\n" {
		t.Errorf("it wrote %q", got)
	}
}

// TestWatchOfEarlierVersion needs no verdict.
func TestWatchOfEarlierVersion(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t, routes{"GET /stats": {{body: watched}}, "GET /health": {{body: `{"status":"healthy"}`}}})
	c := &command{}
	c.start(t, "watch", "--interval", "100ms", "--api", api.URL)
	c.waitFor(t, `(?m) drift 0  held 5$`)
	if status := c.interrupt(t); status != 0 || c.stderr.String() != "" {
		t.Errorf("it ended with %d and wrote %q", status, c.stderr.String())
	}
}

func TestWatchIsRefused(t *testing.T) {
	t.Parallel()
	api := newScript(t, exchange{"GET /stats", 403, problem(403, "The key lacks the scope read.", "")})
	orderctl(t, "watch", "--api", api.URL).mustPrint(t, 1, "", "orderctl: get stats: 403: The key lacks the scope read.\n")
}

// inTerminal runs a command in a terminal of 80 columns of its own, and returns what
// that shows and its keyboard.
func inTerminal(t *testing.T, args string, environ ...string) (shown *programtest.Log, keyboard io.Writer) {
	t.Helper()
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("there is no script of util-linux, which makes a terminal")
	}
	// The settings of the terminal are printed before and after, to be compared.
	line := fmt.Sprintf(`stty cols 80 rows 24; stty -g; sh -c 'echo pid $$; exec "$0" %s' '%s'; echo ended $?; stty -g`,
		args, os.Args[0])
	cmd := exec.Command(script, "-qec", line, "/dev/null")
	// The library that reads the keyboard races with its own end, now and then; with the race
	// detector that is not to be the exit status.
	races := "GORACE=exitcode=0 log_path=" + filepath.Join(t.TempDir(), "race")
	cmd.Env = append(append(os.Environ(), asCommand+"=1", "TERM=xterm", races), environ...)
	shown = &programtest.Log{}
	cmd.Stdout, cmd.Stderr = shown, shown
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = keys.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return shown, keys
}

// TestTablesInTerminal checks that tables fit a real terminal of 80 columns.
func TestTablesInTerminal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 4)
	list := newScript(t, exchange{"GET /orders?limit=50", 200, page("", record(long, "priority_processing", `,"error":"`+long+`"`))})
	for line, want := range map[string]string{
		"list --api " + list.URL:          `…  priority_processing   12\.50  2026-11-23T12:00:00Z\n`,
		"doctor --api http://127.0.0.1:1": `\nproblem      api: health\n    no answer from the API [^→]*\n    → start the API, or set --api right\n`,
	} {
		shown, _ := inTerminal(t, line)
		programtest.Until(t, "it has ended", func() bool { return strings.Contains(shown.String(), "\nended ") })
		_, text, _ := strings.Cut(strings.ReplaceAll(shown.String(), "\r", ""), "\npid ")
		text, _, _ = strings.Cut(text, "\nended ")
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("%s lacks %s:\n%s", line, want, text)
		}
		for row := range strings.Lines(text) {
			if utf8.RuneCountInString(row) > 81 && !strings.HasPrefix(row, "redis: ") { // the log of go-redis
				t.Errorf("a row of %s is too long: %s", line, row)
			}
		}
	}
}

// TestWatchInTerminal draws on a real terminal, obeys keys and signals, and leaves the
// terminal as it was.
func TestWatchInTerminal(t *testing.T) {
	t.Parallel()
	pid := regexp.MustCompile(`pid (\d+)`)
	for name, stop := range map[string]func(shown *programtest.Log, keyboard io.Writer){
		"q":      func(_ *programtest.Log, keyboard io.Writer) { _, _ = io.WriteString(keyboard, "q") },
		"Ctrl-C": func(_ *programtest.Log, keyboard io.Writer) { _, _ = io.WriteString(keyboard, "\x03") },
		"SIGTERM": func(shown *programtest.Log, _ io.Writer) {
			id, _ := strconv.Atoi(pid.FindStringSubmatch(shown.String())[1])
			_ = syscall.Kill(id, syscall.SIGTERM)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newWatchAPI(t, reply{body: watched}, reply{status: 503, body: away})
			shown, keyboard := inTerminal(t, "watch --interval 100ms --api "+api.URL, "NO_COLOR=1")
			shows := func(what string) {
				t.Helper()
				programtest.Until(t, "the terminal shows "+what, func() bool { return strings.Contains(shown.String(), what) })
			}
			shows("completed 2.5 /s   failed 0.0 /s   retrying 3")
			shows("! The shop takes no orders since 2026-11-24T11:00:00Z")
			shows("order-2  pending")
			_, _ = io.WriteString(keyboard, "p")
			shows("continue")
			_, _ = io.WriteString(keyboard, "p")
			shows("503: Redis is unavailable")
			stop(shown, keyboard)
			shows("ended 0\r\n")
			mustBeRestored(t, shown)
			if regexp.MustCompile(`\x1b\[[0-9;]*3[0-9]m`).MatchString(shown.String()) {
				t.Error("it is coloured in spite of NO_COLOR")
			}
		})
	}
}

// mustBeRestored compares the settings of the terminal, and checks that
// it shows its first screen again.
func mustBeRestored(t *testing.T, shown *programtest.Log) {
	t.Helper()
	settings := regexp.MustCompile(`(?m)[0-9a-f]+(:[0-9a-f]+){10,}`)
	programtest.Until(t, "the settings are printed twice", func() bool { return len(settings.FindAllString(shown.String(), -1)) == 2 })
	if printed := settings.FindAllString(shown.String(), -1); printed[0] != printed[1] {
		t.Errorf("the terminal was %s and is %s", printed[0], printed[1])
	}
	text := shown.String()
	for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h"} {
		if begin, end := strings.LastIndex(text, on), strings.LastIndex(text, off); begin < 0 || end < begin {
			t.Errorf("%q was not followed by %q: %q", on, off, text)
		}
	}
}
