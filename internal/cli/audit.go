package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const auditHelp = `audit shows who did what: every change that is no submission, newest first. With flags it
shows only what matches all of them. As JSON it writes one entry a line (NDJSON).`

type auditCommand struct {
	apiCommand
	actor, target string
	action        order.AuditAction
	limit         int
}

func newAudit(w *World) *cobra.Command {
	a := &auditCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use: "audit", Short: "Show who did what", Long: auditHelp,
		Example: `  orderctl audit --action queue.pause
  orderctl audit --target ord_1 --output json`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if a.limit < 1 {
				return usagef("--limit must be at least 1")
			}
			return nil
		},
		RunE: a.withClient(a.run),
	}
	a.addFlags(cmd)
	cmd.Flags().StringVar(&a.actor, "actor", "", "only what this key did")
	addChoice(cmd, &a.action, "action", "", order.AuditActions(), "only this action, such as order.retry or queue.pause")
	cmd.Flags().StringVar(&a.target, "target", "", "only what was done to this order, queue, version of the rules or job")
	cmd.Flags().IntVar(&a.limit, "limit", defaultLimit, "how many entries to show")
	return cmd
}

func (a *auditCommand) run(ctx context.Context, api *client.Client, _ []string) error {
	filter := url.Values{}
	for name, text := range map[string]string{"actor": a.actor, "action": string(a.action), "target": a.target} {
		if text != "" {
			filter.Set(name, text)
		}
	}
	var all []client.AuditEntry
	for cursor := ""; ; {
		entries, next, err := api.Audit(ctx, filter, cursor, a.limit-len(all))
		if err != nil {
			return fmt.Errorf("get the audit: %w", err)
		}
		if all = append(all, entries...); len(all) >= a.limit || next == "" {
			return a.print(all[:min(len(all), a.limit)], next != "")
		}
		cursor = next
	}
}

func (a *auditCommand) print(entries []client.AuditEntry, more bool) error {
	if a.output == formatJSON {
		for _, e := range entries {
			if err := a.printJSONLine(e.JSON); err != nil {
				return err
			}
		}
		return nil
	}
	if len(entries) == 0 {
		a.printf("Nothing matches.\n")
		return nil
	}
	t := newTable(a.Stdout)
	t.row("at", "actor", "action", "target", "reason")
	for _, e := range entries {
		t.row(moment(e.At), order.Printable(e.Actor), order.Printable(string(e.Action)), order.Printable(e.Target), order.Printable(e.Reason))
	}
	t.flush()
	if more {
		_, _ = fmt.Fprintln(a.Stderr, "There may be more: --limit shows more of them.")
	}
	return nil
}
