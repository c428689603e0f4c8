package chaos_test

import (
	"os"
	"strings"
	"sync"
	"testing"
)

// journal is a file outside Redis to which lines are only added. It is safe for
// concurrent use.
type journal struct {
	t    *testing.T
	path string
	mu   sync.Mutex
	file *os.File
}

func openJournal(t *testing.T, path string) *journal {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return &journal{t: t, path: path, file: file}
}

// write adds a line of fields.
func (j *journal) write(fields ...string) {
	line := strings.Join(fields, "\t") + "\n"
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.WriteString(line); err != nil {
		j.t.Errorf("write to the journal: %v", err)
	}
}

// lines reads the journal back. All lines have so many fields.
func (j *journal) lines(fields int) [][]string {
	j.t.Helper()
	text, err := os.ReadFile(j.path)
	if err != nil {
		j.t.Fatal(err)
	}
	var lines [][]string
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(parts) != fields {
			j.t.Fatalf("line %d of %s is %q", len(lines)+1, j.path, line)
		}
		lines = append(lines, parts)
	}
	return lines
}
