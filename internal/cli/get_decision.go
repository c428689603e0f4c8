package cli

import (
	"context"
	"fmt"
	"net/http"

	"orderprocessor/internal/client"
	"orderprocessor/internal/order"
)

// decided is what the rules decided about an order, and what people did about that.
type decided struct {
	client.Decision                // without a version if the order is not decided
	reviews         []client.Event // the ends of its holds
}

// findDecided asks for the decision, and for the timeline of an order that was held. An
// order that is not decided, and an API of an earlier version, have no decision.
func findDecided(ctx context.Context, api *client.Client, id string) (d decided, err error) {
	d.Decision, err = api.Decision(ctx, id)
	switch {
	case client.HasStatus(err, http.StatusNotFound):
		return d, nil
	case err != nil:
		return d, fmt.Errorf("get the decision of order %s: %w", id, err)
	case d.Action != order.ActionHold:
		return d, nil
	}
	timeline, err := api.Timeline(ctx, id)
	if err != nil {
		return d, fmt.Errorf("get the timeline of order %s: %w", id, err)
	}
	for _, e := range timeline.Events {
		if e.Actor != "" {
			d.reviews = append(d.reviews, e)
		}
	}
	return d, nil
}

// write passes a name and a text for everything that is known to line.
func (d decided) write(line func(name, text string)) {
	if d.Version == "" {
		return
	}
	line("decision", decisionText(d.Decided))
	for i, rule := range d.Rules {
		matched := "no"
		switch {
		case rule.Matched:
			matched = "yes"
		case rule.Error != "":
			matched = "could not be evaluated"
		}
		line(fmt.Sprintf("rule %d", i+1), rule.Name+": "+matched)
	}
	if seen := d.Facts.Customer; seen != nil {
		currency := d.Facts.Order.Currency
		amount := order.Money{Minor: seen.Amount24h, Decimals: currency.Decimals()}
		line("customer's orders", fmt.Sprintf("%d within 24 hours, with this one, for %v %s", seen.Orders24h, amount, currency))
	}
	if d.Shadow != nil && d.Shadow.Label() != d.Label() {
		line("shadow", decisionText(*d.Shadow))
	}
	for _, e := range d.reviews {
		done := "released"
		if e.Status == order.StatusRejected {
			done = "rejected"
		}
		line(done, joined(moment(e.Time)+", by "+e.Actor, ": ", e.Reason))
	}
}

// decisionText is a decision as in "hold, expedited if released, by large order of version
// 0f3c9d1a2b4e: a person looks first".
func decisionText(d client.Decided) string {
	text := string(d.Action)
	switch {
	case d.Handling == "":
	case d.Action == order.ActionHold:
		text += ", " + string(d.Handling) + " if released"
	default:
		text += ", " + string(d.Handling)
	}
	by := ", by no rule"
	if d.Rule != "" {
		by = ", by " + d.Rule
	}
	return joined(text+by+" of version "+d.Version, ": ", d.Reason)
}

// holdText is why an order is held, and until when.
func holdText(h *client.Hold) string {
	if h == nil {
		return ""
	}
	text := joined(h.Rule, ": ", h.Reason)
	switch {
	case h.ExpiresAt.IsZero():
		return text + ", until it is released or rejected"
	case h.OnExpiry == order.ExpiryRelease:
		return text + ", until " + moment(h.ExpiresAt) + ", then released"
	default:
		return text + ", until " + moment(h.ExpiresAt) + ", then rejected"
	}
}

// joined joins two texts, unless one is empty.
func joined(a, separator, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + separator + b
}
