package rules

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"

	"orderprocessor/internal/order"
)

const (
	// moneyFunction is what expressions call.
	moneyFunction = "money"
	// moneyName is what a call becomes: money("1.50") is the field "1.50" of this object.
	// No expression can contain the name.
	moneyName = "@money"
	moneyType = moneyName
)

// moneyMacro replaces money("1.50"), so that evaluating it is a look-up.
func moneyMacro() parser.Macro {
	return parser.NewGlobalMacro(moneyFunction, 1, func(h parser.ExprHelper, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		if args[0].Kind() != ast.LiteralKind {
			return nil, h.NewError(args[0].ID(), `must have an amount in quotes here, such as money("10000.00")`)
		}
		amount, isText := args[0].AsLiteral().(types.String)
		if !isText {
			return nil, h.NewError(args[0].ID(), fmt.Sprintf("must have the amount in quotes: money(\"%v\")", args[0].AsLiteral()))
		}
		if _, err := minorUnits(string(amount)); err != nil {
			return nil, h.NewError(args[0].ID(), err.Error())
		}
		return h.NewSelect(h.NewIdent(moneyName), string(amount)), nil
	})
}

// moneyField is the amount in the decimals of the order that is asked about.
func moneyField(amount string) (*types.FieldType, bool) {
	minor, err := minorUnits(amount)
	if err != nil {
		return nil, false
	}
	var values [len(minor)]any // converted once, not in each evaluation
	for decimals := range minor {
		values[decimals] = types.Int(minor[decimals])
	}
	return &types.FieldType{
		Type:  types.IntType,
		IsSet: func(any) bool { return true },
		GetFrom: func(target any) (any, error) {
			return values[target.(*subject).Order.Amount.Decimals], nil //nolint:forcetypeassert // the checker has compared the types
		},
	}, true
}

var errNotMoney = errors.New(`must have an amount in digits here, such as money("10000.00")`)

// minorUnits returns the amount in minor units of currencies with 0 to order.MaxDecimals
// decimals. It is rounded down, so that amounts of the currency compare with the result
// as they do with the amount itself, by > and <=.
func minorUnits(amount string) (minor [order.MaxDecimals + 1]int64, err error) {
	if !regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`).MatchString(amount) {
		return minor, errNotMoney
	}
	whole, fraction, _ := strings.Cut(amount, ".")
	for decimals := range minor {
		kept := (fraction + strings.Repeat("0", decimals))[:decimals]
		if decimals > 0 {
			kept = "." + kept
		}
		m, err := order.ParseMoney(whole+kept, decimals)
		if err != nil {
			return minor, fmt.Errorf("must have a smaller amount here: it %w", err)
		}
		minor[decimals] = m.Minor
		if amount[0] == '-' && strings.Trim(fraction[min(decimals, len(fraction)):], "0") != "" {
			minor[decimals]-- // down, not towards zero
		}
	}
	return minor, nil
}
