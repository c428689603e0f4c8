package rules

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// program is a compiled expression. It is safe for concurrent use.
type program struct {
	cel          cel.Program
	asksCustomer bool
}

var errCost = errors.New("it costs too much for an order of this size")

// matches evaluates the expression. An error says in plain words why it has no result.
func (p program) matches(s *subject) (matched bool, err error) {
	defer func() {
		if failure := recover(); failure != nil {
			matched, err = false, fmt.Errorf("internal error: %v", failure)
		}
	}()
	result, _, err := p.cel.Eval(s)
	if err != nil {
		return false, plain(err)
	}
	truth, isBool := result.(types.Bool)
	if !isBool {
		return false, fmt.Errorf("its result is %s, not a bool", result.Type().TypeName())
	}
	return bool(truth), nil
}

func plain(err error) error {
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded {
		return errCost
	}
	return errors.New(strings.TrimPrefix(err.Error(), "no such overload: "))
}
