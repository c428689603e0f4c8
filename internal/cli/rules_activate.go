package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const rulesActivateHelp = `activate lets a version decide, on all processes within two seconds. Orders that are
decided keep their decision. To go back, activate the version that was active before.
"orderctl rules simulate" shows what the version would have decided differently.

On a terminal it shows which version is active, and asks first.`

// errNotActivated is the answer no.
var errNotActivated = errors.New("nothing was changed")

type rulesActivate struct {
	apiCommand
	yes bool
}

func newRulesActivate(w *World) *cobra.Command {
	a := &rulesActivate{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use: "activate VERSION", Short: "Let a version decide", Long: rulesActivateHelp,
		Example: `  orderctl rules activate 0f3c9d1a2b4e
  orderctl rules activate builtin --yes`,
		Args: cobra.MatchAll(cobra.ExactArgs(1), validVersions),
		RunE: a.withClient(a.run),
	}
	a.addFlags(cmd)
	cmd.Flags().BoolVar(&a.yes, "yes", false, "do not ask")
	return cmd
}

func (a *rulesActivate) run(ctx context.Context, api *client.Client, args []string) error {
	if !a.yes && a.asks() {
		if err := a.ask(ctx, api, args[0]); err != nil {
			return err
		}
	}
	in, err := api.ActivateRules(ctx, args[0])
	switch {
	case err != nil:
		return fmt.Errorf("activate rules %s: %w", args[0], err)
	case a.output == formatJSON:
		return a.printJSON(in.Text())
	}
	a.printInForce(in)
	return nil
}

// ask returns an error unless somebody agrees.
func (a *rulesActivate) ask(ctx context.Context, api *client.Client, version string) error {
	all, err := api.RuleSets(ctx)
	if err != nil {
		return fmt.Errorf("get the rules: %w", err)
	}
	if all.Active == version {
		return nil
	}
	_, _ = fmt.Fprintf(a.Stderr, "%s is active. Activate %s instead? [y/N] ", order.Printable(all.Active), version)
	return a.agreed(ctx, errNotActivated)
}
