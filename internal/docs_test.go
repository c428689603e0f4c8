package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orderprocessor/internal/config"
)

// TestReadmeNamesEverySetting holds the README's table to the configuration.
func TestReadmeNamesEverySetting(t *testing.T) {
	t.Parallel()
	readme := read(t, "../README.md")
	for _, name := range config.Names() {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`(ORDERS_[A-Z_]+)`").FindAllStringSubmatch(readme, -1) {
		if !slices.Contains(config.Names(), name[1]) {
			t.Errorf("README.md names %s, which the configuration does not know", name[1])
		}
	}
}

// TestLinks holds that what the documents point to exists.
func TestLinks(t *testing.T) {
	t.Parallel()
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, document := range append(documents, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md") {
		for _, match := range link.FindAllStringSubmatch(read(t, document), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), match[1])); err != nil {
				t.Errorf("%s points to %s: %v", document, match[1], err)
			}
		}
	}
}

// TestNamedFiles holds that the files which ARCHITECTURE names exist.
func TestNamedFiles(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile("`((?:internal|cmd|docs|deploy)/[a-z_/.]+)`")
	for _, document := range []string{"../docs/ARCHITECTURE.md", "../docs/ORDER-LIFECYCLE.md", "../CONTRIBUTING.md"} {
		for _, match := range named.FindAllStringSubmatch(read(t, document), -1) {
			if _, err := os.Stat(filepath.Join("..", match[1])); err != nil {
				t.Errorf("%s names %s: %v", document, match[1], err)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
