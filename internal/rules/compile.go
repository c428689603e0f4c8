package rules

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"

	"orderprocessor/internal/order"
)

// The bounds of an expression. Together they keep compiling it within milliseconds, and
// the stack flat.
const (
	// MaxWhenChars bounds an expression.
	MaxWhenChars = 2000
	// maxDepth bounds how deeply it is nested.
	maxDepth = 50
	// maxNodes bounds its operators, names and literals, after macros were expanded.
	maxNodes = 2000
	// maxLoops bounds how many loops are within one another, or each over what another one
	// returns: the types of many would take seconds to check.
	maxLoops = 5
	// maxSyntaxErrors bounds how often the parser resumes after one.
	maxSyntaxErrors = 10
)

// compiler compiles expressions. It is not safe for concurrent use.
type compiler struct {
	env     *cel.Env
	objects *objects
	costs   costs
}

// newCompiler returns an error only if the language is declared wrongly.
func newCompiler() (*compiler, error) {
	base, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("declare the types of the rules: %w", err)
	}
	all := newObjects(base)
	// dyn and type would get around the checks of types.
	untyped := env.NewLibrarySubset().AddExcludedFunctions(env.NewFunction("dyn"), env.NewFunction("type"))
	language, err := cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(untyped)),
		cel.CustomTypeProvider(all),
		cel.Variable(orderName, types.NewObjectType(orderType)),
		cel.Variable(customerName, types.NewObjectType(customerType)),
		cel.Variable(moneyName, types.NewObjectType(moneyType)),
		cel.Macros(moneyMacro()),
		cel.DefaultUTCTimeZone(true),
		cel.EagerlyValidateDeclarations(true),
		cel.ASTValidators(cel.ValidateHomogeneousAggregateLiterals()),
		cel.ParserExpressionSizeLimit(MaxWhenChars),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserErrorRecoveryLimit(maxSyntaxErrors),
		cel.ExpressionNodeLimit(maxNodes),
	)
	if err != nil {
		return nil, fmt.Errorf("declare the language of the rules: %w", err)
	}
	return &compiler{language, all, costs{sizes: sizes()}}, nil
}

// mistake is something wrong with an expression: where, in lines from 1 and characters
// from 0, and what.
type mistake struct {
	line, column int
	code         order.Code
	message      string
}

// compile returns the program of an expression, or everything that is wrong with it.
func (c *compiler) compile(when string) (program, []mistake) {
	parsed, issues := c.env.Parse(when)
	if failed(issues) {
		return program{}, c.explain(when, nil, issues)
	}
	if found := restrictLoops(parsed.NativeRep()); len(found) > 0 {
		return program{}, found
	}
	checked, issues := c.env.Check(parsed)
	if failed(issues) {
		return program{}, c.explain(when, parsed.NativeRep(), issues)
	}
	if found := restrict(checked); len(found) > 0 {
		return program{}, found
	}
	return c.plan(checked)
}

// failed reports whether there are issues. Issues.Err would draw each of them in its line.
func failed(issues *cel.Issues) bool { return issues != nil && len(issues.Errors()) > 0 }

// plan bounds the cost of a program: by the estimate if that is good enough, as measuring
// the cost of each evaluation would make it several times slower.
func (c *compiler) plan(checked *cel.Ast) (program, []mistake) {
	refused := func(format string, args ...any) (program, []mistake) {
		return program{}, []mistake{{1, 0, order.CodeInvalid, fmt.Sprintf(format, args...)}}
	}
	costs := c.costs.withPatterns(checked.NativeRep())
	estimate, err := c.env.EstimateCost(checked, costs)
	if err != nil {
		return refused("has no estimate of its cost: %v", err)
	}
	if estimate.Min > MaxCost {
		return refused("must cost at most %d units; costs %d at least", MaxCost, estimate.Min)
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if estimate.Max <= MaxCost {
		options = append(options, cel.CustomDecoratorV2(c.objects.quicken(checked.NativeRep())))
	} else {
		options = append(options, cel.CostLimit(MaxCost), cel.CostTrackerOptions(costs.trackers()...))
	}
	evaluable, err := c.env.Program(checked, options...)
	if err != nil {
		return refused("cannot be planned: %v", err)
	}
	return program{evaluable, asksCustomer(checked.NativeRep())}, nil
}

// asksCustomer reports whether an expression refers to the facts about the customer.
func asksCustomer(checked *ast.AST) bool {
	found := false
	ast.PreOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.IdentKind && checked.GetType(e.ID()).TypeName() == customerType
	}))
	return found
}
