package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

const booksHelp = `books shows how orders, memory and load spread over the books and the nodes of
Redis: of each book what it has accepted, what of it has no outcome yet, what is
settled and kept in Redis, what waits in its queues, its drift and its node; of each
node its memory, the operations per second, its books and queues, and whether it
answers. The last line compares the busiest node with the mean of all.

With ids it shows in which book and on which nodes orders with these ids are, whether
or not there are such orders.

It asks Redis itself, at REDIS_URL, and changes nothing.`

type booksCommand struct {
	*World
	output format
}

func newBooks(w *World) *cobra.Command {
	b := &booksCommand{World: w}
	cmd := &cobra.Command{
		Use:   "books [ID…]",
		Short: "Show how orders and load spread over books and Redis nodes",
		Long:  booksHelp,
		Example: `  orderctl books
  orderctl books order-1 order-2
  orderctl books --output json | jq .busiest`,
		RunE: func(cmd *cobra.Command, ids []string) error { return b.run(cmd.Context(), ids) },
	}
	addOutputFlag(cmd, &b.output)
	return cmd
}

func (b *booksCommand) run(ctx context.Context, ids []string) error {
	settings, _, err := config.LoadAll([]string{"REDIS_URL=" + b.env("REDIS_URL")})
	if err != nil {
		return err
	}
	b.NewLog(config.Common{}) // otherwise go-redis writes to standard error
	if len(ids) > 0 {
		places, err := app.Locate(ctx, settings.Redis, ids)
		if err != nil {
			return fmt.Errorf("locate orders: %w", err)
		}
		return b.showPlaces(places)
	}
	spread, err := app.ReadSpread(ctx, settings.Redis)
	if err != nil {
		return fmt.Errorf("read the books: %w", err)
	}
	return b.showSpread(spread)
}

func (b *booksCommand) showPlaces(places []app.OrderPlace) error {
	if b.output == formatJSON {
		return b.printJSON(map[string]any{"orders": places})
	}
	t := newTable(b.Stdout)
	t.row("order", "book", "node", "critical", "default", "low")
	for _, p := range places {
		t.row(order.Printable(p.ID), p.Book, p.Node, p.Queues[order.QueueCritical], p.Queues[order.QueueDefault], p.Queues[order.QueueLow])
	}
	t.flush()
	return nil
}

func (b *booksCommand) showSpread(s app.Spread) error {
	if b.output == formatJSON {
		return b.printJSON(s)
	}
	t := newTable(b.Stdout)
	t.row("book", "accepted", "share", "unsettled", "kept", "critical", "default", "low", "drift", "node")
	for _, book := range s.Books {
		row := []any{book.Book, book.Accepted, percent(book.Share), book.Unsettled, book.Kept}
		if book.Away {
			row = []any{book.Book, "away", "", "", ""}
		}
		for _, q := range order.Queues() {
			row = append(row, waitingText(book.Waiting, q))
		}
		t.row(append(row, book.Drift, book.Node)...)
	}
	t.flush()
	b.printf("\n")
	t = newTable(b.Stdout)
	t.row("node", "books", "queues", "share", "memory", "operations/s")
	for _, n := range s.Nodes {
		memory, operations := app.Mebibytes(n.MemoryUsed), strconv.FormatInt(n.Operations, 10)
		if n.MemoryLimit > 0 {
			memory = fmt.Sprintf("%s of %s", memory, app.Mebibytes(n.MemoryLimit))
		}
		if n.Away {
			memory, operations = "does not answer", ""
		}
		t.row(n.Node, n.Books, n.Queues, percent(n.Share), memory, operations)
	}
	t.flush()
	if len(s.Nodes) > 1 {
		b.printf("\nbusiest node: %s\n", s.Busiest)
	}
	return nil
}

// waitingText is how many orders wait in a queue of a book, if it answers.
func waitingText(waiting map[order.Queue]int64, q order.Queue) string {
	if n, known := waiting[q]; known {
		return strconv.FormatInt(n, 10)
	}
	return "away"
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
