package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// maxEventIDs bounds the orders that are selected by id: what the API accepts.
const maxEventIDs = 100

const eventsHelp = `events shows each change of an order's status as it happens, one line each, until
Ctrl-C or --count. It begins with the next event, or with --after at the event after
one that was seen before. If the API spreads its orders over several books, an event's
id is no place to continue from: then events says at its end on standard error what is.

When the connection is lost, it connects again, continues where it was, and reports
that on standard error. It also reports if events were dropped in the meantime: the
API keeps only the newest ones.

As JSON it writes one event a line (NDJSON), as the API sent it.`

type eventsCommand struct {
	apiCommand
	statuses []string
	ids      []string
	after    string
	count    int

	shown        int
	disconnected bool
	last         client.Event
}

func newEvents(w *World) *cobra.Command {
	e := &eventsCommand{apiCommand: apiCommand{World: w}}
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show the events of orders as they happen",
		Long:  eventsHelp,
		Example: `  orderctl events
  orderctl events --status failed,rejected
  orderctl events --id my-order-1,my-order-2 --count 10
  orderctl events --after 1764000000000-0 --output json | jq -r .order_id`,
		Args:    cobra.NoArgs,
		PreRunE: e.check,
		RunE:    e.withClient(e.run),
	}
	e.addFlags(cmd)
	cmd.Flags().StringSliceVar(&e.statuses, "status", nil, "only events with these statuses, with commas between them")
	suggest(cmd, "status", order.Statuses())
	cmd.Flags().StringSliceVar(&e.ids, "id", nil, "only events of these orders, with commas between them")
	cmd.Flags().StringVar(&e.after, "after", "", "begin after this event, such as 1764000000000-0, or where events said at its end")
	cmd.Flags().IntVar(&e.count, "count", 0, "end after so many events (default: continue)")
	return cmd
}

func (e *eventsCommand) check(cmd *cobra.Command, _ []string) error {
	given := cmd.Flags().Changed
	if err := checkNames("status", "statuses", e.statuses, order.Statuses()); err != nil {
		return err
	}
	_, err := order.ParseEventPosition(e.after)
	switch {
	case given("after") && err != nil:
		return usagef("--after must be the id of an event, such as 1764000000000-0, or what events said at its end, not %q", order.Printable(e.after))
	case given("count") && e.count < 1:
		return usagef("--count must be at least 1")
	case given("status") && len(e.statuses) == 0, given("id") && len(e.ids) == 0:
		return usagef("--status and --id must not be empty")
	case len(e.ids) > maxEventIDs:
		return usagef("--id accepts at most %d orders", maxEventIDs)
	}
	return validIDs(cmd, e.ids)
}

// run shows events until it is interrupted, which is no failure.
func (e *eventsCommand) run(ctx context.Context, api *client.Client, _ []string) error {
	filter := url.Values{}
	for name, values := range map[string][]string{"status": e.statuses, "id": e.ids} {
		if len(values) > 0 {
			filter.Set(name, strings.Join(values, ","))
		}
	}
	err := api.Subscribe(ctx, filter, e.after, e.handle)
	if p := e.last.Position; p != "" && p != e.last.ID {
		e.warnf("to continue after the last event, use --after %s", order.Printable(p))
	}
	if errors.Is(err, errCounted) || errors.Is(err, client.ErrInterrupted) {
		return nil
	}
	return fmt.Errorf("follow events: %w", err)
}

// errCounted ends the subscription after --count events.
var errCounted = errors.New("all events are shown")

// handle shows an event, and reports on standard error what happens to the connection.
// It is a client.Subscriber.
func (e *eventsCommand) handle(message any) error {
	switch m := message.(type) {
	case client.Event:
		return e.show(m)
	case client.Connected:
		if e.disconnected {
			e.warnf("connected again")
		}
		e.disconnected = false
	case client.Disconnected:
		e.disconnected = true
		e.warnf("disconnected: %s; trying again in %v", order.Printable(oneLine(m.Err)), m.Again.Round(time.Millisecond))
	case client.Gap:
		e.warnf("some events after %s are no longer kept, and are missing here", order.Printable(m.After))
	}
	return nil
}

func (e *eventsCommand) show(v client.Event) (err error) {
	e.last = v
	if e.output == formatJSON {
		err = e.printJSONLine(v.JSON)
	} else {
		_, err = fmt.Fprintln(e.Stdout, eventLine(v))
	}
	if e.shown++; err == nil && e.shown == e.count {
		err = errCounted
	}
	return err
}

// eventLine is an event in one line, without control characters.
func eventLine(v client.Event) string {
	const statusWidth = len(order.StatusPriorityProcessing) // the longest
	text := fmt.Sprintf("%s  %-*s  %s", order.FormatTime(v.Time), statusWidth, v.Status, v.OrderID)
	attempt := eventAttempt(v)
	switch {
	case v.Reason != "" && attempt != "":
		text += "  " + attempt + ": " + v.Reason
	case v.Reason+attempt != "":
		text += "  " + v.Reason + attempt
	}
	return order.Printable(text)
}

// eventAttempt is the number and the worker of an event's attempt, as far as there
// is one, or who released or rejected the order.
func eventAttempt(v client.Event) string {
	var parts []string
	if v.Attempt > 0 {
		parts = append(parts, fmt.Sprintf("attempt %d", v.Attempt))
	}
	if v.WorkerID != "" {
		parts = append(parts, "by "+v.WorkerID)
	}
	if v.Actor != "" {
		parts = append(parts, "by "+v.Actor)
	}
	return strings.Join(parts, " ")
}

const (
	// afterID is the room that is left next to a long id on a screen: for the time,
	// a status, and the beginning of a reason.
	afterID = 44
	// minID is the room for an id on every screen: that of a UUID.
	minID = 36
)

// shortEventLines are events for a screen, which cuts off their ends: the reason
// comes before the worker, and a long id is shortened.
func shortEventLines(events []client.Event, screen int) []string {
	ids := 0
	for _, v := range events {
		ids = max(ids, utf8.RuneCountInString(v.OrderID))
	}
	ids = min(ids, max(minID, screen-afterID))
	lines := make([]string, len(events))
	for i, v := range events {
		parts := []string{
			v.Time.UTC().Format(time.TimeOnly), fmt.Sprintf("%-*s", ids, shorten(v.OrderID, ids)),
			string(v.Status), v.Reason, eventAttempt(v),
		}
		parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
		lines[i] = order.Printable(strings.Join(parts, "  "))
	}
	return lines
}
