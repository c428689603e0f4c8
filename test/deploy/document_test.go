package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orderprocessor/internal/config"
)

// document is what the commands and names are taken from.
const document = "../../docs/DEPLOYMENT.md"

// TestDocumentNamesWhatIsThere checks the files, folders and settings that the text names.
func TestDocumentNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	text := readFile(t, document)
	for _, found := range regexp.MustCompile("(?:`| )((?:deploy|docs|test|internal)/[A-Za-z0-9_/.@-]*[A-Za-z0-9])").FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", found[1])); err != nil {
			t.Errorf("%s is named: %v", found[1], err)
		}
	}
	for _, name := range regexp.MustCompile(`\bORDERS_[A-Z_]*[A-Z]\b`).FindAllString(text, -1) {
		if !slices.Contains(config.Names(), name) {
			t.Errorf("%s is no setting", name)
		}
	}
	for _, found := range regexp.MustCompile("`(rediss?://[^`]+)`").FindAllStringSubmatch(text, -1) {
		if _, err := config.ParseRedis(found[1]); err != nil && found[1] != "rediss://" {
			t.Errorf("%s: %v", found[1], err)
		}
	}
}

// TestDocumentLinksToHeadings checks that the headings that links name exist.
func TestDocumentLinksToHeadings(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`\]\(([A-Za-z./-]+\.md)#([a-z0-9-]+)\)`).FindAllStringSubmatch(readFile(t, document), -1)
	if len(links) == 0 {
		t.Fatal("the document has no such link")
	}
	for _, link := range links {
		headings := regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(readFile(t, filepath.Join("../../docs", link[1])), -1)
		if !slices.ContainsFunc(headings, func(h []string) bool {
			return strings.ReplaceAll(strings.ToLower(h[1]), " ", "-") == link[2]
		}) {
			t.Errorf("%s has no heading %s", link[1], link[2])
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
