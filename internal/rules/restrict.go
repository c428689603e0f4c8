package rules

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"orderprocessor/internal/order"
)

// restrict finds what CEL allows in an expression and rules do not.
func restrict(checked *cel.Ast) []mistake {
	r := restrictions{tree: checked.NativeRep()}
	if !checked.OutputType().IsExactType(types.BoolType) {
		r.add(r.tree.Expr(), order.CodeWrongType, "must be true or false (bool), but is %s", checked.OutputType())
	}
	r.visit(r.tree.Expr(), nil, 0)
	return r.found
}

// restrictLoops finds the first loop that has too many around it, or after it. It comes
// before the types are checked.
func restrictLoops(parsed *ast.AST) []mistake {
	r := restrictions{tree: parsed}
	r.loops(parsed.Expr(), 0)
	return r.found[:min(len(r.found), 1)]
}

func (r *restrictions) loops(e ast.Expr, around int) {
	if e.Kind() == ast.ComprehensionKind {
		if around++; around > maxLoops {
			r.add(e, order.CodeTooMany, "must have at most %d loops within one another, or one after another", maxLoops)
			return
		}
	}
	for _, part := range partsOf(e) {
		r.loops(part, around)
	}
}

// partsOf returns the expressions of which an expression consists.
func partsOf(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.CallKind:
		if call := e.AsCall(); call.IsMemberFunction() {
			return append([]ast.Expr{call.Target()}, call.Args()...)
		}
		return e.AsCall().Args()
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.MapKind:
		var all []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			all = append(all, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return all
	case ast.StructKind:
		var all []ast.Expr
		for _, field := range e.AsStruct().Fields() {
			all = append(all, field.AsStructField().Value())
		}
		return all
	case ast.ComprehensionKind:
		loop := e.AsComprehension()
		return []ast.Expr{loop.IterRange(), loop.AccuInit(), loop.LoopCondition(), loop.LoopStep(), loop.Result()}
	default: // names and literals
		return nil
	}
}

// restrictions walks through an expression.
type restrictions struct {
	tree  *ast.AST
	found []mistake
}

// add reports a mistake where the expression begins.
func (r *restrictions) add(e ast.Expr, code order.Code, format string, args ...any) {
	at := r.tree.SourceInfo().GetStartLocation(leftmost(e).ID())
	r.found = append(r.found, mistake{at.Line(), at.Column(), code, fmt.Sprintf(format, args...)})
}

// leftmost returns the part of an expression that stands first. CEL has the place of an
// operator for the place of all it applies to.
func leftmost(e ast.Expr) ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		return leftmost(e.AsSelect().Operand())
	case ast.ComprehensionKind:
		return leftmost(e.AsComprehension().IterRange())
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			return leftmost(call.Target())
		}
		if _, infix := operators.FindReverseBinaryOperator(call.FunctionName()); infix || call.FunctionName() == operators.Index || call.FunctionName() == operators.Conditional {
			return leftmost(call.Args()[0])
		}
	default:
	}
	return e
}

// visit checks an expression within its parent, in so many loops over facts.
func (r *restrictions) visit(e, parent ast.Expr, loops int) {
	switch e.Kind() {
	case ast.IdentKind:
		r.ident(e, parent)
	case ast.StructKind:
		r.add(e, order.CodeInvalid, "must not make objects")
	case ast.SelectKind:
		r.visit(e.AsSelect().Operand(), e, loops)
	case ast.CallKind:
		r.call(e, loops)
	case ast.ListKind:
		for _, element := range e.AsList().Elements() {
			r.visit(element, e, loops)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			r.visit(entry.AsMapEntry().Key(), e, loops)
			r.visit(entry.AsMapEntry().Value(), e, loops)
		}
	case ast.ComprehensionKind:
		r.loop(e, loops)
	default: // literals
	}
}

// ident holds that order and customer are only asked for their fields.
func (r *restrictions) ident(e, parent ast.Expr) {
	name := r.tree.GetType(e.ID()).TypeName()
	if (name == orderType || name == customerType) && (parent == nil || parent.Kind() != ast.SelectKind) {
		r.add(e, order.CodeInvalid, "must name one of the fields of %s", e.AsIdent())
	}
}

// loop holds that loops over facts are not nested: their product may be a million. A map
// that is written in a rule has no order in which to go through it.
func (r *restrictions) loop(e ast.Expr, loops int) {
	loop := e.AsComprehension()
	r.visit(loop.IterRange(), e, loops)
	if r.tree.GetType(loop.IterRange().ID()).Kind() == types.MapKind && loop.IterRange().Kind() != ast.SelectKind {
		r.add(e, order.CodeInvalid, "must not go through a map that is written in the rule; use a list")
	}
	if loop.IterRange().Kind() != ast.ListKind {
		if loops++; loops == 2 {
			r.add(e, order.CodeInvalid, "must not go through a list for each member of another one, unless the inner list is written in the rule")
		}
	}
	for _, part := range []ast.Expr{loop.AccuInit(), loop.LoopCondition(), loop.LoopStep(), loop.Result()} {
		r.visit(part, e, loops)
	}
}

func (r *restrictions) call(e ast.Expr, loops int) {
	call := e.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	switch name := call.FunctionName(); {
	case name == operators.Equals || name == operators.NotEquals || name == operators.In:
		r.comparison(name, args)
	case name == overloads.TypeConvertTimestamp:
		r.literal(args[0], checkTimestamp)
	case name == overloads.TypeConvertDuration:
		r.literal(args[0], checkDuration)
	case name == overloads.Matches:
		r.constant(args[1], checkPattern)
	case strings.HasPrefix(name, "get") && len(args) == 2:
		r.constant(args[1], checkZone)
	}
	for _, arg := range args {
		r.visit(arg, e, loops)
	}
}

// comparison holds that only plain values and lists of them are compared.
func (r *restrictions) comparison(operator string, args []ast.Expr) {
	for i, arg := range args {
		compared := r.tree.GetType(arg.ID())
		if operator == operators.In && i == 1 && compared.Kind() == types.MapKind {
			continue
		}
		for compared.Kind() == types.ListKind {
			compared = compared.Parameters()[0]
		}
		if compared.Kind() == types.StructKind || compared.Kind() == types.MapKind {
			r.add(arg, order.CodeInvalid, "must compare single values, not whole objects")
		}
	}
}

// constant holds that an argument is a text in quotes which passes a check.
func (r *restrictions) constant(arg ast.Expr, check func(string) error) {
	if arg.Kind() != ast.LiteralKind {
		r.add(arg, order.CodeInvalid, "must have a text in quotes here, which is checked before any order is")
		return
	}
	r.literal(arg, check)
}

// literal checks an argument if it is a text in quotes.
func (r *restrictions) literal(arg ast.Expr, check func(string) error) {
	text, is := literalText(arg)
	if !is {
		return
	}
	if err := check(text); err != nil {
		r.add(arg, order.CodeInvalid, "%v", err)
	}
}

func literalText(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, is := e.AsLiteral().(types.String)
	return string(text), is
}
