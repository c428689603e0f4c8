package kit

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Blocks returns the blocks of a document that are marked sh.
func Blocks(tb testing.TB, document string) []string {
	tb.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		tb.Fatal(err)
	}
	return BlocksOf(string(text))
}

// BlocksOf returns the blocks of a text that are marked sh.
func BlocksOf(text string) []string {
	var blocks []string
	for _, found := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}

// Forms are the forms of commands that a test of a document knows. The key is a pattern
// for the whole command. The function runs or checks a command; it receives the match and
// its groups.
type Forms map[string]func(found []string) error

// RunCommands runs every command in the blocks of a document by the form that it matches.
// A command that does not match one form, and a form without a command fail the test.
func RunCommands(tb testing.TB, document string, forms Forms) {
	tb.Helper()
	used := map[string]bool{}
	for _, block := range Blocks(tb, document) {
		for _, command := range commands(block) {
			matches := 0
			for pattern, run := range forms {
				found := regexp.MustCompile("(?s)^(?:" + pattern + ")$").FindStringSubmatch(command)
				if found == nil {
					continue
				}
				matches++
				used[pattern] = true
				if err := run(found); err != nil {
					tb.Errorf("%s\n%v", command, err)
				}
			}
			if matches != 1 {
				tb.Errorf("%s\nmatches %d forms, want 1", command, matches)
			}
		}
	}
	for pattern := range forms {
		if !used[pattern] {
			tb.Errorf("no command matches %s", pattern)
		}
	}
}

// commands splits a block into its commands, without comments. A command continues on
// the next line inside quotation marks.
func commands(block string) []string {
	var all []string
	open := false
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "   #")
		line = strings.TrimRight(line, " \n")
		if open {
			all[len(all)-1] += "\n" + line
		} else {
			all = append(all, line)
		}
		open = open != (strings.Count(line, "'")%2 == 1)
	}
	return all
}

// Bash runs a command in a folder, with more variables in its environment. A failure has
// the output in its error.
func Bash(tb testing.TB, folder, command string, env ...string) error {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "bash", "-eu", "-o", "pipefail", "-c", command)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
