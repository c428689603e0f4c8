package app

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// commit is what the programs are built from, as git describe --dirty writes it. The
// linker sets it, with -X orderprocessor/internal/app.commit=…, where the go command
// cannot see the repository itself; else it is empty.
var commit string //nolint:gochecknoglobals // only the linker can set it

const (
	// dirty ends a commit with changes that are not committed.
	dirty = "-dirty"
	// noCommit is a build that nobody told its commit.
	noCommit = "commit unknown"
)

// Version says what this program is built from: the commit, whether files were changed
// since, and the version of Go.
func Version() string {
	var settings []debug.BuildSetting
	if info, ok := debug.ReadBuildInfo(); ok {
		settings = info.Settings
	}
	return versionOf(commit, settings)
}

// versionOf writes the commit that the linker was told, else that of the go command.
func versionOf(commit string, settings []debug.BuildSetting) string {
	revision, modified := strings.CutSuffix(commit, dirty)
	for _, s := range settings {
		switch {
		case commit != "":
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified":
			modified = s.Value == "true"
		}
	}
	text := noCommit
	if revision != "" {
		text = "commit " + revision
	}
	if modified {
		text += " (modified)"
	}
	return text + ", " + runtime.Version()
}

// TellsBuild says whether a version, as Version writes it, names what was built.
func TellsBuild(version string) bool { return !strings.HasPrefix(version, noCommit) }
