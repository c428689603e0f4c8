package app

import (
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"orderprocessor/internal/ledger"
)

// commit is what the program was built from, in the form of git describe --dirty. The
// linker sets it with -X orderprocessor/internal/app.commit=… where the go command
// cannot see the repository; otherwise it is empty.
var commit string //nolint:gochecknoglobals // only the linker can set it

const (
	// dirty is the suffix of a commit with uncommitted changes.
	dirty = "-dirty"
	// noCommit is the version of a build whose commit is unknown.
	noCommit = "commit unknown"
)

// Version returns what this program was built from: the commit, whether files were
// changed since, and the version of Go.
func Version() string {
	var settings []debug.BuildSetting
	if info, ok := debug.ReadBuildInfo(); ok {
		settings = info.Settings
	}
	return versionOf(commit, settings)
}

// versionOf prefers the commit of the linker to that of the go command.
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

// NamesCommit reports whether a version, in the form of Version, names a commit.
func NamesCommit(version string) bool { return !strings.HasPrefix(version, noCommit) }

// AdviceOneBuild is what to do about programs of several builds.
const AdviceOneBuild = "use one build of the API, the workers and orderctl"

// checkVersions compares the versions of the running programs with each other and with
// own, unless own names no commit.
func checkVersions(programs []ledger.Program, own string) Finding {
	if len(programs) == 0 {
		return unchecked("no API and no worker is known to run")
	}
	running := map[string]map[string]int{} // by version and kind
	for _, p := range programs {
		if running[p.Version] == nil {
			running[p.Version] = map[string]int{}
		}
		running[p.Version][p.Kind]++
	}
	var builds []string
	for _, version := range slices.Sorted(maps.Keys(running)) {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(running[version])) {
			kinds = append(kinds, fmt.Sprintf("%d %s", running[version][kind], kind))
		}
		builds = append(builds, strings.Join(kinds, " and ")+" of "+version)
	}
	found := strings.Join(builds, "; ")
	switch {
	case running[own] == nil && NamesCommit(own):
		return warning(found + "; orderctl is of " + own).advise(AdviceOneBuild)
	case len(running) > 1:
		return warning(found).advise("this is normal during an update; otherwise restart the programs of the older build")
	default:
		return good(found)
	}
}
