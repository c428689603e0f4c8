package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

const rulesPushHelp = `push stores a rule set, of a file in YAML or JSON or of standard input, and writes its
version. Nothing changes for orders until the version is activated. The same rules have
the same version, however they are written, and pushing them twice does no harm.

A set with problems is not stored. They are written as check writes them.`

// rulesPush stores one rule set.
type rulesPush struct{ apiCommand }

func newRulesPush(w *World) *cobra.Command {
	p := &rulesPush{apiCommand{World: w}}
	cmd := &cobra.Command{
		Use: "push FILE", Short: "Store a rule set", Long: rulesPushHelp,
		Example: `  orderctl rules push rules.yaml
  orderctl rules simulate $(orderctl rules push rules.yaml -o json | jq -r .version)`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault), // any file
		RunE:              p.withClient(p.run),
	}
	p.addFlags(cmd)
	return cmd
}

func (p *rulesPush) run(ctx context.Context, api *client.Client, args []string) error {
	check := &rulesCheck{World: p.World, output: p.output}
	source, err := check.read(args[0])
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	pushed, err := api.PushRules(ctx, source)
	var refused *client.ResponseError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusBadRequest && len(refused.Errors) > 0:
		return check.report(rulesChecked{File: args[0], Problems: problemsOf(refused.Errors)})
	case err != nil:
		return fmt.Errorf("push the rules: %w", err)
	case p.output == formatJSON:
		return p.printJSON(pushed.Text())
	}
	p.printf("%s: version %s\n", order.Escape(args[0]), order.Printable(pushed.Version))
	return nil
}

// problemsOf reads the places that the API writes before its messages.
func problemsOf(found []order.FieldError) []rules.Problem {
	all := make([]rules.Problem, len(found))
	for i, e := range found {
		p := rules.Problem{Field: e.Field, Code: e.Code, Message: e.Message}
		place, message, cut := strings.Cut(e.Message, ": ")
		if n, err := fmt.Sscanf(place, "line %d, column %d", &p.Line, &p.Column); cut && n == 2 && err == nil {
			p.Message = message
		}
		all[i] = p
	}
	return all
}
