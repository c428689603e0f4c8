package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
)

//go:embed page
var pageFiles embed.FS

const (
	// LivePagePath is the path of the live page.
	LivePagePath = "/"
	// LivePageFiles is the path of the files that the live page loads. A version follows,
	// so that a browser never mixes the files of two programs.
	LivePageFiles = "/page/"
	// pageIndex is the file of the live page itself.
	pageIndex = "index.html"
	// versionMark is replaced in the files by the version.
	versionMark = "{{version}}"
	// versionChars is how many characters of a hash make a version.
	versionChars = 12
)

type pageFile struct {
	mediaType string
	content   []byte
}

// LivePage returns a handler for the live page and all that it loads. It returns an
// error when the media type of a file is unknown.
func LivePage() (fiber.Handler, error) {
	files, version, err := readPageFiles()
	if err != nil {
		return nil, err
	}
	served := map[string]pageFile{}
	for name, file := range files {
		file.content = []byte(strings.ReplaceAll(string(file.content), versionMark, version))
		served[LivePageFiles+version+"/"+name] = file
	}
	index := LivePageFiles + version + "/" + pageIndex
	served[LivePagePath] = served[index]
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

// readPageFiles returns the files by name, and a version that changes with the name or the
// content of any of them.
func readPageFiles() (files map[string]pageFile, version string, err error) {
	types := map[string]string{
		".html": fiber.MIMETextHTMLCharsetUTF8, ".css": "text/css; charset=utf-8",
		".js": fiber.MIMETextJavaScriptCharsetUTF8, ".svg": "image/svg+xml",
	}
	files = map[string]pageFile{}
	hash := sha256.New()
	err = fs.WalkDir(pageFiles, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		mediaType, known := types[path.Ext(name)]
		if !known {
			return fmt.Errorf("the media type of %s is unknown", name)
		}
		content, err := pageFiles.ReadFile(name)
		content = withoutComments(content)
		files[path.Base(name)] = pageFile{mediaType, content}
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content) // a hash returns no errors
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the live page: %w", err)
	}
	return files, hex.EncodeToString(hash.Sum(nil))[:versionChars], nil
}

// withoutComments leaves out the comments of a script or style sheet that have lines of
// their own: browsers have no use for an eighth of all bytes. The lines keep their numbers.
func withoutComments(content []byte) []byte {
	comments := regexp.MustCompile(`(?ms)^[ \t]*(/\*.*?\*/|//[^\n]*)$`)
	return comments.ReplaceAllFunc(content, func(comment []byte) []byte {
		return bytes.Repeat([]byte("\n"), bytes.Count(comment, []byte("\n")))
	})
}
