package spectest

import (
	"maps"
	"net/http"
	"slices"
	"testing"
)

// Statuses lists the statuses of each operation.
func Statuses(s *Spec) map[string][]string {
	all := map[string][]string{}
	for _, op := range s.operations {
		all[op.name()] = slices.Sorted(maps.Keys(op.responses))
	}
	return all
}

// Parse reads a specification, and Document is the real one.
func Parse(text []byte) (*Spec, error) { return parse(text) }

// Document is the real specification.
func Document() ([]byte, error) { return document() }

// TransportOf judges by another specification.
func TransportOf(s *Spec, tb testing.TB, next http.RoundTripper) http.RoundTripper {
	return &transport{spec: s, next: next, reports: reports{tb: tb}}
}

// The bounds of reports.
const (
	MaxReports = maxReports
	MaxShown   = maxShown
)
