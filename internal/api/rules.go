package api

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/httpserver"
	"orderprocessor/internal/order"
	"orderprocessor/internal/rules"
)

// maxListedRules is how many versions GET /rules lists, besides builtin.
const maxListedRules = 100

// RuleSets keeps the versions of the rules; see the methods of ledger.Ledger.
type RuleSets interface {
	SaveRules(ctx context.Context, set order.RuleSet, requestID string) (isNew bool, err error)
	RuleSet(ctx context.Context, version string) (order.RuleSet, error)
	RuleSets(ctx context.Context) ([]order.RuleSet, order.RulesInForce, error)
	RulesInForce(ctx context.Context) (order.RulesInForce, error)
	ActivateRules(ctx context.Context, version string, by order.Intervention) error
	ShadowRules(ctx context.Context, version string, by order.Intervention) error
	ShadowDecisions(ctx context.Context, version string) (map[order.Change]int64, error)
}

// inForceView is the JSON of which versions decide.
type inForceView struct {
	Active string `json:"active"`
	Shadow string `json:"shadow,omitempty"`
}

// ruleSetView is the JSON of a version. builtin has no time and no author.
type ruleSetView struct {
	Version   string          `json:"version"`
	CreatedAt order.Timestamp `json:"created_at,omitzero"`
	CreatedBy string          `json:"created_by,omitempty"`
	Rules     []rules.Rule    `json:"rules"`
	Source    string          `json:"source,omitempty"`
}

// rulesView is the JSON of all versions.
type rulesView struct {
	inForceView
	ShadowDecisions *shadowView   `json:"shadow_decisions,omitempty"`
	Versions        []ruleSetView `json:"versions"`
}

// shadowView is the JSON of how a shadow decides.
type shadowView struct {
	Orders      int64            `json:"orders"`
	Changed     int64            `json:"changed"`
	Transitions []transitionView `json:"transitions"`
}

// listRules answers GET /rules.
func (s *Server) listRules(c *fiber.Ctx) error {
	sets, in, err := s.RuleSets.RuleSets(c.UserContext())
	if err != nil {
		return err
	}
	v := rulesView{inForceView: inForceView(in)}
	for _, stored := range sets[:min(len(sets), maxListedRules)] {
		v.Versions = append(v.Versions, viewRuleSet(stored))
	}
	builtin, err := s.Rules.Version(c.UserContext(), order.VersionBuiltin)
	if err != nil {
		return err
	}
	v.Versions = append(v.Versions, ruleSetView{Version: order.VersionBuiltin, Rules: builtin.Rules()})
	if in.Shadow != "" {
		decisions, err := s.RuleSets.ShadowDecisions(c.UserContext(), in.Shadow)
		if err != nil {
			return err
		}
		v.ShadowDecisions = viewShadow(decisions)
	}
	return c.JSON(v)
}

func viewShadow(decisions map[order.Change]int64) *shadowView {
	sum := rules.Simulation{Transitions: map[order.Change]*rules.Transition{}}
	for change, n := range decisions {
		sum.Orders += n
		if change.From != change.To {
			sum.Changed += n
			sum.Transitions[change] = &rules.Transition{Orders: n}
		}
	}
	return &shadowView{sum.Orders, sum.Changed, viewTransitions(&sum)}
}

// viewRuleSet shows a version also if this program, which may be an earlier one, cannot
// compile it.
func viewRuleSet(stored order.RuleSet) ruleSetView {
	return ruleSetView{
		Version: stored.Version, CreatedAt: order.Timestamp{Time: stored.CreatedAt}, CreatedBy: stored.CreatedBy, Rules: rules.Read(stored.Source),
	}
}

// getRules answers GET /rules/{version}.
func (s *Server) getRules(c *fiber.Ctx) error {
	version := rulesVersion(c)
	if version == order.VersionBuiltin {
		set, err := s.Rules.Version(c.UserContext(), version)
		if err != nil {
			return err
		}
		return c.JSON(ruleSetView{Version: version, Rules: set.Rules(), Source: string(set.Source())})
	}
	stored, err := s.RuleSets.RuleSet(c.UserContext(), version)
	if err != nil {
		return err
	}
	v := viewRuleSet(stored)
	v.Source = string(stored.Source)
	return c.JSON(v)
}

// pushRules answers POST /rules.
func (s *Server) pushRules(c *fiber.Ctx) error {
	set, err := rules.Parse(bodyOf(c))
	if err != nil {
		return err
	}
	stored := order.RuleSet{Version: set.Version(), CreatedBy: actorOf(c), Source: set.Source()}
	isNew, err := s.RuleSets.SaveRules(c.UserContext(), stored, httpserver.RequestID(c))
	if err != nil {
		return err
	}
	if isNew {
		c.Status(fiber.StatusCreated)
	}
	c.Location("/rules/" + set.Version())
	return c.JSON(fiber.Map{"version": set.Version()})
}

// activateRules answers POST /rules/{version}/activate.
func (s *Server) activateRules(c *fiber.Ctx) error {
	return s.putInForce(c, rulesVersion(c), s.RuleSets.ActivateRules)
}

// shadowRules answers POST /rules/{version}/shadow.
func (s *Server) shadowRules(c *fiber.Ctx) error {
	return s.putInForce(c, rulesVersion(c), s.RuleSets.ShadowRules)
}

// endShadow answers DELETE /rules/shadow.
func (s *Server) endShadow(c *fiber.Ctx) error {
	if err := s.RuleSets.ShadowRules(c.UserContext(), "", interventionOf(c)); err != nil {
		return err
	}
	return s.answerInForce(c)
}

// putInForce gives a version, which must be there and compile, a part in decisions.
func (s *Server) putInForce(c *fiber.Ctx, version string, put func(context.Context, string, order.Intervention) error) error {
	if _, err := s.Rules.Version(c.UserContext(), version); err != nil {
		return err
	}
	if err := put(c.UserContext(), version, interventionOf(c)); err != nil {
		return err
	}
	return s.answerInForce(c)
}

func (s *Server) answerInForce(c *fiber.Ctx) error {
	in, err := s.RuleSets.RulesInForce(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(inForceView(in))
}

// rulesVersion returns the version in the path. One that cannot be is found nowhere.
func rulesVersion(c *fiber.Ctx) string {
	version, _ := pathValue(c, "version")
	return version
}

// needRules reads a rule set in YAML or JSON.
func needRules(c *fiber.Ctx) error {
	if _, err := mediaOf(c, "application/yaml", "application/x-yaml", "text/yaml", fiber.MIMEApplicationJSON); err != nil {
		return err
	}
	body, err := readText(c, httpserver.MaxBodyBytes)
	if err != nil {
		return err
	}
	c.Locals(localBody, body)
	return c.Next()
}

// errNotDecided is an order that no version of the rules has decided.
var errNotDecided = errors.New("the order is not decided")
