package api

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

//go:embed page
var pageFiles embed.FS

const (
	// livePage shows the system as it works.
	livePage = "/"
	// pageAssets is where the files are that the live page loads. Behind it comes
	// their version, so that a browser never mixes those of two programs.
	pageAssets = "/page/"
	// pageIndex is the file that is the live page itself.
	pageIndex = "index.html"
	// versionMark stands in the files where the version belongs.
	versionMark = "{{version}}"
	// versionChars is how much of a hash makes a version.
	versionChars = 12
)

// pageFile is a file of the live page as it is sent.
type pageFile struct {
	mediaType string
	content   []byte
}

// readPage returns a handler for the live page and all that it loads. It returns
// an error when a file of the page is of a kind that no media type is known of.
func readPage() (fiber.Handler, error) {
	files, err := pageContents()
	if err != nil {
		return nil, err
	}
	version := pageVersion(files)
	served := map[string]pageFile{}
	for name, file := range files {
		file.content = []byte(strings.ReplaceAll(string(file.content), versionMark, version))
		served[pageAssets+version+"/"+name] = file
	}
	index := pageAssets + version + "/" + pageIndex
	served[livePage] = served[index]
	delete(served, index)
	return asPages(func(c *fiber.Ctx) error {
		file, ok := served[c.Path()]
		if !ok {
			return fiber.ErrNotFound
		}
		c.Set(fiber.HeaderContentType, file.mediaType)
		return c.Send(file.content)
	}, ""), nil
}

// pageContents returns the files by their names.
func pageContents() (map[string]pageFile, error) {
	types := map[string]string{
		".html": fiber.MIMETextHTMLCharsetUTF8, ".css": "text/css; charset=utf-8",
		".js": fiber.MIMETextJavaScriptCharsetUTF8, ".svg": "image/svg+xml",
	}
	files := map[string]pageFile{}
	err := fs.WalkDir(pageFiles, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		mediaType, known := types[path.Ext(name)]
		if !known {
			return fmt.Errorf("no media type is known of %s", name)
		}
		content, err := pageFiles.ReadFile(name)
		files[path.Base(name)] = pageFile{mediaType, content}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the live page: %w", err)
	}
	return files, nil
}

// pageVersion tells files from others: it changes with any name or content.
func pageVersion(files map[string]pageFile) string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(hash, "%s %d\n", name, len(files[name].content)) // a hash takes everything
		_, _ = hash.Write(files[name].content)
	}
	return hex.EncodeToString(hash.Sum(nil))[:versionChars]
}
