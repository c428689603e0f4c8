package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"orderprocessor/internal/order"
)

// RulesInForce are the versions of the rules that decide.
type RulesInForce struct {
	Raw
	Active string `json:"active"`
	// Shadow is empty without one.
	Shadow string `json:"shadow"`
}

func (r *RulesInForce) recognised() bool { return r.Active != "" }

// RuleSets are the versions of the rules, the newest first, and builtin.
type RuleSets struct {
	RulesInForce
	// ShadowDecisions is how the shadow decides; nil without one.
	ShadowDecisions *struct {
		Orders      int64        `json:"orders"`
		Changed     int64        `json:"changed"`
		Transitions []Transition `json:"transitions"`
	} `json:"shadow_decisions"`
	Versions []RuleSet `json:"versions"`
}

func (r *RuleSets) recognised() bool { return r.Versions != nil }

// RuleSet is a version of the rules. The version builtin has no time and no author.
type RuleSet struct {
	Raw
	Version   string            `json:"version"`
	CreatedAt time.Time         `json:"created_at"`
	CreatedBy string            `json:"created_by"`
	Rules     []json.RawMessage `json:"rules"`
	// Source is the document as it was stored; empty in a list.
	Source string `json:"source"`
}

func (r *RuleSet) recognised() bool { return r.Version != "" }

// Transition is the orders that two versions decide differently, in one way.
type Transition struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Orders int64  `json:"orders"`
	// Amounts are nil where only orders are counted.
	Amounts map[order.Currency]order.Money `json:"amounts"`
}

// RuleSets returns the versions of the rules.
func (c *Client) RuleSets(ctx context.Context) (RuleSets, error) {
	return decode[RuleSets](c.sendRepeatedly(ctx, get("rules")))
}

// RuleSet returns a version of the rules with its source.
func (c *Client) RuleSet(ctx context.Context, version string) (RuleSet, error) {
	return decode[RuleSet](c.sendRepeatedly(ctx, get("rules", version)))
}

// PushRules stores a document in YAML or JSON, and returns its version and nothing else of
// it. Nothing changes for orders. Storing it twice does no harm.
func (c *Client) PushRules(ctx context.Context, document []byte) (RuleSet, error) {
	r := post("rules")
	r.body, r.mediaType = document, "application/yaml" // of which JSON is a part
	return decode[RuleSet](c.sendRepeatedly(ctx, r))
}

// ShadowRules lets a version decide beside the active one, without effect.
func (c *Client) ShadowRules(ctx context.Context, version string) (RulesInForce, error) {
	return decode[RulesInForce](c.sendRepeatedly(ctx, post("rules", version, "shadow")))
}

// EndShadow ends that.
func (c *Client) EndShadow(ctx context.Context) (RulesInForce, error) {
	return decode[RulesInForce](c.sendRepeatedly(ctx, request{method: http.MethodDelete, path: []string{"rules", "shadow"}}))
}

// ActivateRules lets a version decide.
func (c *Client) ActivateRules(ctx context.Context, version string) (RulesInForce, error) {
	return decode[RulesInForce](c.sendRepeatedly(ctx, post("rules", version, "activate")))
}
