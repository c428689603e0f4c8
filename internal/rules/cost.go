package rules

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// MaxCost bounds what evaluating a rule may cost, in units of CEL: about one for each
// operator, for ten characters that are searched, and for eight steps of a regular
// expression. For an order at every bound, a rule that reaches it takes 0.6 to 7 milliseconds
// of an idle core, most with texts in four-byte characters, and twice that of a busy one:
//
//	go test -run '^$' -bench Costliest ./internal/rules
const MaxCost = 50_000

const (
	// charsPerUnit is how many characters are counted for one unit.
	charsPerUnit = 10
	// stepsPerUnit is how many steps of a regular expression cost one unit. There are as
	// many steps as it has instructions, for each character.
	stepsPerUnit = 8
)

// costs are what CEL underestimates: it takes the size of a text as given, and regular
// expressions for as fast as a comparison. The zero value knows no regular expression.
type costs struct {
	// sizes are the largest sizes of facts by their paths. What is not here makes the
	// worst case unbounded.
	sizes map[string]uint64
	// instructions is how many instructions the largest regular expression has.
	instructions int
}

// EstimateSize implements cost.Estimator.
func (c costs) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	path := node.Path()
	most, known := c.sizes[strings.Join(path, ".")]
	if len(path) > 2 {
		most, known = c.sizes[strings.Join(path[:2], ".")+"."]
	}
	if !known {
		return nil
	}
	size := cost.RangedSizeEstimate(0, most)
	return &size
}

// EstimateCallCost implements cost.Estimator.
func (c costs) EstimateCallCost(_, overload string, target *cost.AstNode, args []cost.AstNode) *cost.CallEstimate {
	factor, ours := c.factor(overload)
	if !ours {
		return nil
	}
	text := target
	if text == nil {
		text = &args[0]
	}
	size := cost.EstimateSize(c, *text)
	return cost.NewCallEstimate(size.MultiplyByCostFactor(factor).Add(cost.FixedCostEstimate(1)), nil)
}

// factor is what a function costs for each character of its text.
func (c costs) factor(overload string) (float64, bool) {
	switch overload {
	case overloads.SizeString, overloads.SizeStringInst:
		return 1.0 / charsPerUnit, true
	case overloads.Matches, overloads.MatchesString:
		return float64(c.instructions) / stepsPerUnit, true
	default:
		return 0, false
	}
}

// trackers measure during an evaluation what EstimateCallCost estimates.
func (c costs) trackers() []cost.TrackerOption {
	var all []cost.TrackerOption
	for _, overload := range []string{overloads.SizeString, overloads.SizeStringInst, overloads.Matches, overloads.MatchesString} {
		factor, _ := c.factor(overload)
		all = append(all, cost.OverloadTracker(overload, func(args []ref.Val, _ ref.Val) *uint64 {
			units := uint64(1)
			if text, sized := args[0].(traits.Sizer); sized {
				units += uint64(float64(text.Size().(types.Int)) * factor) //nolint:forcetypeassert // sizes are Int
			}
			return &units
		}))
	}
	return all
}

// withPatterns returns the costs for an expression with its regular expressions.
func (c costs) withPatterns(checked *ast.AST) costs {
	ast.PreOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if pattern, is := patternOf(e); is {
			n, _ := instructions(pattern) // restrict has compiled it
			c.instructions = max(c.instructions, n)
		}
	}))
	return c
}
