package api

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// decidedView is the JSON of what one version decided.
type decidedView struct {
	Version  string         `json:"version"`
	Decision order.Action   `json:"decision"`
	Handling order.Handling `json:"handling,omitempty"`
	Rule     string         `json:"rule,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Tags     []string       `json:"tags"`
	Rules    []matchView    `json:"rules"`
}

type matchView struct {
	Name    string `json:"name"`
	Matched bool   `json:"matched"`
	Error   string `json:"error,omitempty"` // of a rule that could not be evaluated
}

// decisionView is the JSON of a decision.
type decisionView struct {
	decidedView
	Facts  factsView    `json:"facts"`
	Shadow *decidedView `json:"shadow,omitempty"`
	// Archived is whether the order was found in the archive.
	Archived bool `json:"archived,omitempty"`
}

// factsView is what the rules see. Customer is nil if no rule asked for it.
type factsView struct {
	Order    rules.OrderView     `json:"order"`
	Customer *rules.CustomerView `json:"customer,omitempty"`
}

// getDecision answers GET /orders/{id}/decision.
func (s *Server) getDecision(c *fiber.Ctx) error {
	id, err := orderID(c)
	if err != nil {
		return err
	}
	rec, err := s.find(c.UserContext(), id)
	switch {
	case err != nil:
		return err
	case rec.Decision == nil:
		return errNotDecided
	}
	v := decisionView{Archived: rec.archived}
	if v.decidedView, err = s.viewDecided(c.UserContext(), *rec.Decision); err != nil {
		return err
	}
	facts, err := s.Rules.Facts(c.UserContext(), rec.Record, false)
	if err != nil {
		return err
	}
	seen := facts.View()
	v.Facts.Order = seen.Order
	if rec.Decision.Customer != nil {
		v.Facts.Customer = &seen.Customer
	}
	if shadow := rec.Decision.Shadow; shadow != nil {
		beside, err := s.viewDecided(c.UserContext(), *shadow)
		if err != nil {
			return err
		}
		v.Shadow = &beside
	}
	return c.JSON(v)
}

// viewDecided returns a decision with the names of the rules, which the ledger may leave out. Of builtin it names those of
// the present settings, which are always the same; a version that this program cannot
// compile has none.
func (s *Server) viewDecided(ctx context.Context, d order.Decision) (decidedView, error) {
	v := decidedView{
		Version: d.Version, Decision: d.Action, Handling: d.Handling, Rule: d.Rule, Reason: d.Reason, Tags: d.Tags, Rules: []matchView{},
	}
	if v.Tags == nil {
		v.Tags = []string{}
	}
	set, err := s.Rules.Version(ctx, d.Version)
	if errors.Is(err, order.ErrUnavailable) {
		return v, err
	}
	if err != nil {
		return v, nil //nolint:nilerr // the rest of the decision is known
	}
	all, matched := set.Rules(), d.Matched
	if len(matched) == 0 {
		matched = make([]bool, len(all))
	}
	for i, m := range matched[:min(len(matched), len(all))] {
		v.Rules = append(v.Rules, matchView{Name: all[i].Name, Matched: m})
		if m && v.Rule == "" && all[i].Tag == "" {
			v.Rule = all[i].Name
		}
	}
	if last := len(v.Rules) - 1; d.Failed && last >= 0 {
		v.Rules[last].Error = d.Reason
	}
	return v, nil
}
