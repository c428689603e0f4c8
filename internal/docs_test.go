package internal_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orderprocessor/internal/config"
)

// TestSettings holds the table of settings, and every name of one in any document, to
// the configuration.
func TestSettings(t *testing.T) {
	t.Parallel()
	table := read(t, "../docs/CONFIGURATION.md")
	for _, name := range config.Names() {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("CONFIGURATION.md does not name %s", name)
		}
	}
	for _, document := range documents(t) {
		for _, name := range regexp.MustCompile(`\bORDERS_[A-Z_]*[A-Z]\b`).FindAllString(read(t, document), -1) {
			if !slices.Contains(config.Names(), name) {
				t.Errorf("%s names %s, which the configuration does not know", document, name)
			}
		}
	}
}

// TestDefaults holds the defaults that the table of settings tells to the real ones.
func TestDefaults(t *testing.T) {
	t.Parallel()
	table := read(t, "../docs/CONFIGURATION.md")
	told := 0
	for _, settings := range []reflect.Type{reflect.TypeFor[config.API](), reflect.TypeFor[config.Worker]()} {
		for _, f := range reflect.VisibleFields(settings) {
			name, value := f.Tag.Get("env"), f.Tag.Get("envDefault")
			if value == "" {
				continue
			}
			told++
			row := regexp.MustCompile("(?m)^\\| .*`" + name + "`.*? \\| (.*?) \\|").FindStringSubmatch(table)
			if row == nil || !strings.Contains(row[1], "`"+value+"`") {
				t.Errorf("the default of %s is %s, and the table has %q", name, value, row)
			}
		}
	}
	if told < 20 {
		t.Errorf("only %d defaults are told", told)
	}
}

// documents lists all documents for people.
func documents(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(all, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md", "../SECURITY.md")
}

// TestLinks holds that what the documents point to exists.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	for _, document := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, document), -1) {
			target := document
			if match[1] != "" {
				target = filepath.Join(filepath.Dir(document), match[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s points to %s: %v", document, match[1], err)
			}
			if anchor := strings.TrimPrefix(match[2], "#"); anchor != "" && !slices.Contains(headings(t, target), anchor) {
				t.Errorf("%s points to %s, which has no heading %s", document, match[1], anchor)
			}
		}
	}
}

// headings are the places within a document that links can name.
func headings(t *testing.T, document string) []string {
	t.Helper()
	var all []string
	for _, match := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(read(t, document), -1) {
		plain := regexp.MustCompile("[^a-z0-9 -]").ReplaceAllString(strings.ToLower(match[1]), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}

// TestNamedFiles holds that the files which ARCHITECTURE names exist.
func TestNamedFiles(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile("`((?:internal|cmd|docs|deploy|test)/[a-z_/.]+)`")
	for _, document := range documents(t) {
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
		if !strings.HasPrefix(dir, "internal/") || dir == "internal/cli" {
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
