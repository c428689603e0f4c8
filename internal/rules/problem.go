package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"orderprocessor/internal/order"
)

// maxProblems bounds how many problems of a document are listed.
const maxProblems = 100

// Problem is one mistake in a document.
type Problem struct {
	// Field is the path to the value, as in "rules[2].when"; "rules" for the document.
	Field string `json:"field"`
	// Code names the kind of problem for programs.
	Code order.Code `json:"code"`
	// Line and Column are where in the document, in lines and characters from 1.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Message explains it for people; it continues a sentence that begins with the field.
	Message string `json:"message"`
}

// FieldError returns the problem as those of an order are listed, with the place in its
// message.
func (p Problem) FieldError() order.FieldError {
	return order.FieldError{Field: p.Field, Code: p.Code, Message: fmt.Sprintf("line %d, column %d: %s", p.Line, p.Column, p.Message)}
}

// Invalid is a document that is not a rule set. It is its author's fault.
type Invalid struct { //nolint:errname // the callers' word for it
	// Problems lists every problem by its place, the first 100 of them. It is never empty.
	Problems []Problem
}

// Error joins all problems into one line.
func (e *Invalid) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		f := p.FieldError()
		parts[i] = f.Field + " " + f.Message
	}
	return "invalid rules: " + strings.Join(parts, "; ")
}

// FieldErrors returns the problems as those of an order are listed.
func (e *Invalid) FieldErrors() []order.FieldError {
	all := make([]order.FieldError, len(e.Problems))
	for i, p := range e.Problems {
		all[i] = p.FieldError()
	}
	return all
}

// place is a place in a document: lines and characters from 1.
type place struct{ line, column int }

// problems collects everything that is wrong with a document.
type problems struct{ found []Problem }

func (p *problems) add(at place, field string, code order.Code, format string, args ...any) {
	p.found = append(p.found, Problem{field, code, at.line, at.column, order.Printable(fmt.Sprintf(format, args...))})
}

// err returns nil if there are no problems.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Invalid{Problems: p.found[:min(len(p.found), maxProblems)]}
}
