package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"orderprocessor/internal/order"
)

// Error is an invalid configuration.
type Error struct {
	// Problems is sorted by name and never empty.
	Problems []Problem
}

// Problem is one thing wrong with one variable.
type Problem struct {
	// Name is the variable.
	Name string
	// Value is its value, up to 100 printable bytes; empty if it could be a secret or is
	// irrelevant.
	Value string
	// Message says what is allowed; it continues a sentence that begins with name and
	// value.
	Message string
}

// Error writes one problem to a line.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString("invalid configuration:")
	for _, p := range e.Problems {
		text.WriteString("\n  " + p.String())
	}
	return text.String()
}

// String joins the parts of the problem.
func (p Problem) String() string {
	if p.Value == "" {
		return p.Name + " " + p.Message
	}
	return fmt.Sprintf("%s=%q %s", p.Name, p.Value, p.Message)
}

const (
	maxNameBytes  = 100 // a name from outside, longer than any of ours
	maxValueBytes = 100 // enough to find the value again
	maxProblems   = 100 // an environment may hold any number of unknown names
)

// problems collects one problem for each variable: a second one mostly follows from the
// first.
type problems struct{ found []Problem }

func (p *problems) add(one Problem) {
	one.Name = cut(one.Name, maxNameBytes)
	if len(p.found) < maxProblems && !p.about(one.Name) {
		p.found = append(p.found, one)
	}
}

// about reports whether one of the variables has a problem already.
func (p *problems) about(names ...string) bool {
	return slices.ContainsFunc(p.found, func(one Problem) bool { return slices.Contains(names, one.Name) })
}

// problem describes a value that was refused. Only a refusal becomes part of the message,
// because other errors quote the value.
func (s *setting) problem(value string, reason error) Problem {
	p := Problem{Name: s.name, Value: cut(value, maxValueBytes), Message: "must be " + s.allowed}
	if s.secret(value) {
		p.Value = ""
	}
	var known refusal
	if errors.As(reason, &known) {
		p.Message += ": it " + known.Error()
	}
	return p
}

// refusal is a reason that quotes nothing of the value, so that it can be shown even for
// a secret. It continues a sentence that begins with "it".
type refusal string

// Error implements error.
func (r refusal) Error() string { return string(r) }

func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortFunc(p.found, func(a, b Problem) int { return cmp.Compare(a.Name, b.Name) })
	return &Error{Problems: p.found}
}

// cut makes a text from outside printable and limits its length.
func cut(text string, bytes int) string {
	text = order.Printable(text)
	if len(text) <= bytes {
		return text
	}
	return strings.ToValidUTF8(text[:bytes], "") + "…"
}
