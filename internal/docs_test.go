package internal_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	for _, document := range append(documents, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md", "../SECURITY.md") {
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
	named := regexp.MustCompile("`((?:internal|cmd|docs|deploy|test)/[a-z_/.]+)`")
	for _, document := range []string{
		"../docs/ARCHITECTURE.md", "../docs/ORDER-LIFECYCLE.md", "../docs/OPERATIONS.md", "../docs/TESTING.md", "../CONTRIBUTING.md",
	} {
		for _, match := range named.FindAllStringSubmatch(read(t, document), -1) {
			if _, err := os.Stat(filepath.Join("..", match[1])); err != nil {
				t.Errorf("%s names %s: %v", document, match[1], err)
			}
		}
	}
}

// TestOperationsExplainsAlarms holds that every warning and error which the
// programs can log is explained to whoever is paged by it.
func TestOperationsExplainsAlarms(t *testing.T) {
	t.Parallel()
	operations := read(t, "../docs/OPERATIONS.md")
	found := 0
	for dir, files := range sources(t) {
		if !strings.HasPrefix(dir, "internal/") || dir == "internal/ctl" {
			continue
		}
		for _, f := range files {
			for _, message := range alarms(f) {
				found++
				if !strings.Contains(operations, "`"+message+"`") {
					t.Errorf("%s logs %q, which docs/OPERATIONS.md does not explain", dir, message)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("found only %d warnings and errors", found)
	}
}

// alarms returns the messages that a file logs as warnings or errors.
func alarms(f *ast.File) []string {
	places := map[string]int{"Warn": 0, "Error": 0, "WarnContext": 1, "ErrorContext": 1}
	var messages []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		place, logs := places[method.Sel.Name]
		if !logs || place >= len(call.Args) {
			return true
		}
		literal, isText := call.Args[place].(*ast.BasicLit)
		if !isText {
			return true
		}
		if message, err := strconv.Unquote(literal.Value); err == nil {
			messages = append(messages, message)
		}
		return true
	})
	return messages
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
