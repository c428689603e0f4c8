package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"orderprocessor/internal/order"
)

// maxInstructions bounds a regular expression once it is compiled, so that it reads the
// longest text within about three milliseconds.
const maxInstructions = 200

// patternOf returns the regular expression of a call, if it is a call with one.
func patternOf(e ast.Expr) (string, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != overloads.Matches {
		return "", false
	}
	args := e.AsCall().Args()
	return literalText(args[len(args)-1])
}

func checkPattern(pattern string) error {
	n, err := instructions(pattern)
	if err != nil {
		return fmt.Errorf("must have a regular expression of RE2 here: %w", err)
	}
	if n > maxInstructions {
		return fmt.Errorf("must have a smaller regular expression here: it has %d instructions, and %d are allowed", n, maxInstructions)
	}
	return nil
}

// instructions returns how many instructions a regular expression has.
func instructions(pattern string) (int, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, err
	}
	compiled, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	return len(compiled.Inst), nil
}

func checkTimestamp(text string) error {
	if _, err := order.ParseTime(text); err != nil {
		return fmt.Errorf("%w, not %q", err, text)
	}
	return nil
}

func checkDuration(text string) error {
	if types.IsError(types.String(text).ConvertToType(types.DurationType)) {
		return fmt.Errorf("must have a duration here, as in 90s or 1h30m, not %q", text)
	}
	return nil
}

// checkZone refuses names of zones, whose rules differ between machines and over time.
func checkZone(zone string) error {
	if zone == "UTC" || regexp.MustCompile(`^[+-](0[0-9]|1[0-4]):[0-5][0-9]$`).MatchString(zone) {
		return nil
	}
	return fmt.Errorf(`must have UTC here, or the distance from it, as in "+01:00", not %q`, zone)
}
