package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

const listHelp = `list shows the orders that match all flags, newest first.

The table shows the main fields of each order; get shows the rest. On a terminal the
table fits the width, with two lines for an order and shortened texts where needed.
In a file or a pipe nothing is shortened. As JSON it writes one order a line
(NDJSON), as soon as it arrives.

` + filterHelp

const (
	// defaultLimit is how many orders fit a screen.
	defaultLimit = 50
	// noMatch is written instead of a table without rows.
	noMatch = "No order matches.\n"
)

type listCommand struct {
	apiCommand
	filter orderFilter
	limit  int
	all    bool
}

func newList(w *World) *cobra.Command {
	l := &listCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List orders, newest first",
		Long:  listHelp,
		Example: `  orderctl list --status failed
  orderctl list --customer ada@example.com --from 2026-11-23T00:00:00+01:00 --limit 200
  orderctl list --tag vip --amount-min 1000 --metadata shop=berlin
  orderctl list --all --output json | jq -r 'select(.amount > 1000) | .id'`,
		Args:    cobra.NoArgs,
		PreRunE: l.check,
		RunE:    l.withClient(l.run),
	}
	l.addFlags(cmd)
	l.filter.addFlags(cmd)
	cmd.Flags().IntVar(&l.limit, "limit", defaultLimit, "how many orders to show")
	cmd.Flags().BoolVar(&l.all, "all", false, "show all of them")
	return cmd
}

func (l *listCommand) check(cmd *cobra.Command, _ []string) error {
	given := cmd.Flags().Changed
	switch {
	case l.all && given("limit"):
		return usagef("--all and --limit exclude each other")
	case l.limit < 1:
		return usagef("--limit must be at least 1")
	}
	if l.all {
		l.limit = math.MaxInt
	}
	return l.filter.check(cmd.Flags())
}

func (l *listCommand) run(ctx context.Context, api *client.Client, _ []string) error {
	pages := api.Orders(l.filter.query())
	table := &orderTable{to: l.Stdout}
	write := table.write
	if l.output == formatJSON {
		write = l.printLines
	}
	for left := l.limit; left > 0 && !pages.Done(); {
		orders, err := pages.Next(ctx, left)
		if err == nil {
			err = write(orders)
		}
		if err != nil {
			return fmt.Errorf("list orders: %w", err)
		}
		left -= len(orders)
	}
	switch {
	case l.output == formatJSON:
	case table.widths == nil:
		l.printf(noMatch)
	case !pages.Done():
		_, _ = fmt.Fprintln(l.Stderr, "There may be more: --limit shows more of them, --all shows all.")
	}
	noteArchive(l.Stderr, pages.AsOf(), pages.Incomplete())
	return nil
}

// noteArchive says how much of the archive an answer has.
func noteArchive(w io.Writer, asOf time.Time, incomplete bool) {
	if !asOf.IsZero() {
		_, _ = fmt.Fprintf(w, "This is what the archive had at %s.\n", moment(asOf))
	}
	if incomplete {
		_, _ = fmt.Fprintln(w, "Not complete: orders that have left Redis are missing, as the archive is unavailable.")
	}
}

func (l *listCommand) printLines(orders []client.Order) error {
	for _, o := range orders {
		if err := l.printJSONLine(o.JSON); err != nil {
			return err
		}
	}
	return nil
}

// maxCellChars bounds a customer and an error on a terminal.
const maxCellChars = 40

// orderTable writes orders page by page, a row each. A column never becomes
// narrower, so that pages line up. On a terminal, a row that is wider than it takes
// two lines, with texts and ids shortened; figures never are.
type orderTable struct {
	to     io.Writer
	widths []int // nil until the first page
}

// The columns of the table.
const (
	columnID = iota
	columnStatus
	columnAmount
	columnCustomer
	columnQueue
	columnCreated
	columnError
	orderColumns
)

// write writes the rows of a page.
func (t *orderTable) write(orders []client.Order) error {
	if len(orders) == 0 {
		return nil
	}
	_, err := io.WriteString(t.to, t.layout(orders, terminalWidth(t.to)))
	return err
}

// layout returns the rows of a page; a width of 0 is without a bound.
func (t *orderTable) layout(orders []client.Order, width int) string {
	var rows [][]string
	if t.widths == nil {
		rows = append(rows, []string{"id", "status", "amount", "customer", "queue", "created at", "error"})
		t.widths = make([]int, orderColumns)
	}
	for _, o := range orders {
		row := []string{
			o.ID, string(o.Status), strings.TrimSpace(o.Amount.String() + " " + string(o.Currency)), o.Customer, string(o.Queue), o.CreatedAt.UTC().Format(time.RFC3339), o.Error,
		}
		for i := range row {
			row[i] = order.Printable(row[i])
		}
		if width > 0 {
			row[columnCustomer], row[columnError] = shorten(row[columnCustomer], maxCellChars), shorten(row[columnError], maxCellChars)
		}
		rows = append(rows, row)
	}
	whole := (orderColumns - 1) * columnGap
	for i, width := range columnWidths(rows) {
		t.widths[i] = max(t.widths[i], width)
		whole += t.widths[i]
	}
	var text strings.Builder
	for _, row := range rows {
		if width > 0 && whole > width {
			text.WriteString(t.twoLines(row, width))
			continue
		}
		for i, cell := range row[:columnError] {
			_, _ = fmt.Fprintf(&text, "%-*s", t.widths[i]+columnGap, cell)
		}
		text.WriteString(row[columnError] + "\n")
	}
	return text.String()
}

// twoLines writes the id and the figures of a row, and its texts below them.
func (t *orderTable) twoLines(row []string, width int) string {
	const gap, indent = "  ", "    "
	figures := fmt.Sprintf("%s%-*s%s%*s%s%-*s", gap, t.widths[columnStatus], row[columnStatus],
		gap, t.widths[columnAmount], row[columnAmount], gap, t.widths[columnCreated], row[columnCreated])
	ids := min(t.widths[columnID], max(1, width-utf8.RuneCountInString(figures)))
	first := fmt.Sprintf("%-*s", ids, shorten(row[columnID], ids)) + figures
	texts := slices.DeleteFunc([]string{row[columnQueue], row[columnCustomer], row[columnError]}, func(text string) bool { return text == "" })
	second := shorten(indent+strings.Join(texts, gap), width)
	return strings.TrimRight(first, " ") + "\n" + strings.TrimRight(second, " ") + "\n"
}
