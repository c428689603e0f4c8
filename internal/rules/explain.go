package rules

import (
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"orderprocessor/internal/order"
)

// explain says what is wrong with an expression, in the words of the documentation.
// parsed is nil if it could not be parsed.
func (c *compiler) explain(when string, parsed *ast.AST, issues *cel.Issues) []mistake {
	lines := strings.Split(when, "\n")
	all := issues.Errors()
	found := make([]mistake, len(all))
	for i, issue := range all {
		m := mistake{1, 0, order.CodeInvalid, c.message(parsed, issue)}
		if at := issue.Location; at.Line() > 0 && at.Line() <= len(lines) {
			m.line, m.column = at.Line(), nameColumn([]rune(lines[at.Line()-1]), max(at.Column(), 0), quoted(issue.Message))
		}
		found[i] = m
	}
	return found
}

// nameColumn returns where the name begins that is wrong. CEL has the place of the dot in
// front of it, or of the bracket behind it.
func nameColumn(line []rune, column int, name string) int {
	length := len([]rune(name))
	switch {
	case name == "" || column >= len(line):
	case line[column] == '.' && strings.HasPrefix(string(line[column+1:]), name):
		return column + 1
	case line[column] == '(' && strings.HasSuffix(string(line[:column]), name):
		return column - length
	}
	return column
}

// quoted returns the name that a message quotes first.
func quoted(message string) string {
	_, rest, _ := strings.Cut(message, "'")
	name, _, _ := strings.Cut(rest, "'")
	return name
}

func (c *compiler) message(parsed *ast.AST, issue *cel.Error) string {
	text, name := issue.Message, quoted(issue.Message)
	switch {
	case strings.HasPrefix(text, "undefined field "):
		return "must use a field that exists, not " + name + ": " + c.fieldsNear(parsed, issue.ExprID)
	case strings.HasPrefix(text, "undeclared reference to "):
		return "must use what exists, not " + name + ": order, customer, money, and the functions of CEL"
	case strings.HasPrefix(text, "found no matching overload for "):
		return mismatch(name, text)
	case strings.HasPrefix(text, "must "): // of a macro
		return text
	case strings.HasPrefix(text, "expected "), strings.HasPrefix(text, "type "):
		return "must have the right types: " + text
	default:
		text, _, _ = strings.Cut(strings.TrimPrefix(text, "Syntax error: "), " expecting {") // dozens of tokens
		return "must be an expression: " + text
	}
}

// fieldsNear lists the fields of what a field is selected from.
func (c *compiler) fieldsNear(parsed *ast.AST, id int64) string {
	name := itemType
	ast.PreOrderVisit(parsed.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() != id || e.Kind() != ast.SelectKind || e.AsSelect().Operand().Kind() != ast.IdentKind {
			return
		}
		switch e.AsSelect().Operand().AsIdent() {
		case orderName:
			name = orderType
		case customerName:
			name = customerType
		}
	}))
	return c.objects.describe(name)
}

// mismatch says which types an operator or a function does not take.
func mismatch(function, message string) string {
	applied := regexp.MustCompile(`applied to '(.*)'`).FindStringSubmatch(message)
	if applied == nil {
		return "must be an expression: " + message
	}
	if symbol, found := operators.FindReverse(function); found && symbol != "" {
		function = symbol
	}
	hint := ""
	if strings.Contains(applied[1], "int, double") || strings.Contains(applied[1], "double, int") {
		hint = `; amounts are whole numbers, as money("1.50") is`
	}
	return "must use " + function + " with other types, not " + applied[1] + hint
}
