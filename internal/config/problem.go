package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"orderprocessor/internal/order"
)

// Error is a configuration that the service does not start with.
type Error struct {
	// Problems lists everything that is wrong, sorted by name; it is never
	// empty.
	Problems []Problem
}

// Problem is one thing wrong with one variable.
type Problem struct {
	// Name is the variable.
	Name string
	// Value is what it holds, up to 100 printable bytes; empty where it could
	// be a secret or has nothing to do with the problem.
	Value string
	// Message says what is allowed instead; it reads on after name and value.
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

// problems gathers what is wrong while the reading goes on: one problem for
// each variable, as a second one mostly follows from the first.
type problems struct{ found []Problem }

func (p *problems) add(one Problem) {
	one.Name = cut(one.Name, maxNameBytes)
	if len(p.found) < maxProblems && !p.about(one.Name) {
		p.found = append(p.found, one)
	}
}

// about says whether one of the variables has a problem already.
func (p *problems) about(names ...string) bool {
	return slices.ContainsFunc(p.found, func(one Problem) bool { return slices.Contains(names, one.Name) })
}

// check asks every rule.
func (p *problems) check(s *settings) {
	for _, r := range rules() {
		if !r.ok(s) {
			p.add(r.problem(s.text, r.reason(s.text[r.name])))
		}
	}
}

// refuse reports a value that could not be parsed.
func (p *problems) refuse(name string, text map[string]string, reason error) {
	for _, r := range rules() {
		if r.name == name {
			p.add(r.problem(text, reason))
		}
	}
}

// reason says more about a value that is not ok, or nothing.
func (r rule) reason(value string) error {
	if r.why == nil {
		return nil
	}
	return r.why(value, r.hide == nil || !r.hide(value))
}

// problem says what is wrong with the value. The reason is repeated only if it
// is a refusal, as other errors quote the value.
func (r rule) problem(text map[string]string, reason error) Problem {
	value := text[r.name]
	p := Problem{Name: r.name, Value: cut(value, maxValueBytes), Message: "must be " + r.allowed}
	if r.hide != nil && r.hide(value) {
		p.Value = ""
	}
	var known refusal
	if errors.As(reason, &known) {
		p.Message += ": it " + known.Error()
	}
	return p
}

// refusal is a reason that quotes nothing of the value, so that it can be shown
// even for a secret. It reads on after the word it.
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

// cut makes a text from outside fit to show: printable, and not endless.
func cut(text string, bytes int) string {
	text = order.Printable(text)
	if len(text) <= bytes {
		return text
	}
	return strings.ToValidUTF8(text[:bytes], "") + "…"
}
