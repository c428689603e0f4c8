package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
)

// The rule sets are one hash: a field for each version, with what ruleSetDocument
// declares, and these two. Versions are never removed, as orders refer to them.
const (
	fieldActive = "active"
	fieldShadow = "shadow"
)

type ruleSetDocument struct {
	CreatedAt time.Time `json:"c"`
	CreatedBy string    `json:"b"`
	Source    string    `json:"s"`
}

// SaveRules stores a rule set under its version, and reports whether it is new. The audit
// has its author as the actor. One that is stored already stays as it is. SaveRules returns order.ErrTooManyRules when there
// are order.MaxRuleSets of them.
func (s *service) SaveRules(ctx context.Context, set order.RuleSet, requestID string) (isNew bool, err error) {
	now, err := s.Now(ctx)
	if err != nil {
		return false, err
	}
	text, err := json.Marshal(ruleSetDocument{now, order.Printable(set.CreatedBy), string(set.Source)})
	if err != nil {
		return false, fmt.Errorf("save rules %s: %w", set.Version, err)
	}
	answer, err := saveRulesScript.Run(ctx, s.rdb, []string{s.keys.rules, s.keys.audit},
		set.Version, text, order.MaxRuleSets, order.Printable(set.CreatedBy), requestID).Text()
	if err != nil {
		return false, wrap(err, "save rules %s", set.Version)
	}
	if answer == "full" {
		return false, fmt.Errorf("save rules %s: %w", set.Version, order.ErrTooManyRules)
	}
	return answer == "saved", nil
}

// RuleSet returns a stored version of the rules, or order.ErrNoRules.
func (s *service) RuleSet(ctx context.Context, version string) (order.RuleSet, error) {
	text, err := s.rdb.HGet(ctx, s.keys.rules, version).Result()
	if errors.Is(err, redis.Nil) || version == fieldActive || version == fieldShadow {
		return order.RuleSet{}, fmt.Errorf("read rules %s: %w", version, order.ErrNoRules)
	}
	if err != nil {
		return order.RuleSet{}, wrap(err, "read rules %s", version)
	}
	return parseRuleSet(version, text)
}

func parseRuleSet(version, text string) (order.RuleSet, error) {
	var doc ruleSetDocument
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return order.RuleSet{}, fmt.Errorf("parse rules %s: %w", version, err)
	}
	return order.RuleSet{Version: version, CreatedAt: doc.CreatedAt, CreatedBy: doc.CreatedBy, Source: []byte(doc.Source)}, nil
}

// RuleSets returns all stored rule sets, the newest first, and which are in force.
func (s *service) RuleSets(ctx context.Context) ([]order.RuleSet, order.RulesInForce, error) {
	fields, err := s.rdb.HGetAll(ctx, s.keys.rules).Result()
	if err != nil {
		return nil, order.RulesInForce{}, wrap(err, "list rules")
	}
	in := inForce(fields[fieldActive], fields[fieldShadow])
	sets := make([]order.RuleSet, 0, len(fields))
	for version, text := range fields {
		if version == fieldActive || version == fieldShadow {
			continue
		}
		set, err := parseRuleSet(version, text)
		if err != nil {
			return nil, in, err
		}
		sets = append(sets, set)
	}
	slices.SortFunc(sets, func(a, b order.RuleSet) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Version, b.Version)
	})
	return sets, in, nil
}

const (
	// copiesAsked is how many further books are asked which rules are in force if the first
	// one is away.
	copiesAsked = 3
	// inForceTimeout bounds asking one of several books.
	inForceTimeout = 400 * time.Millisecond
)

// RulesInForce returns which versions decide. Every book has that: orders in the others are
// decided while the first one is away.
func (l *Ledger) RulesInForce(ctx context.Context) (order.RulesInForce, error) {
	if len(l.books) == 1 {
		return l.first().rulesInForce(ctx)
	}
	ask := func(b *Book) (order.RulesInForce, error) {
		ctx, cancel := context.WithTimeout(ctx, inForceTimeout)
		defer cancel()
		return b.rulesInForce(ctx)
	}
	in, err := ask(l.first())
	if err == nil {
		return in, nil
	}
	copies, _ := each(l.books[1:min(len(l.books), 1+copiesAsked)], ask)
	for _, in := range copies {
		if in.Active != "" {
			return in, nil
		}
	}
	return order.RulesInForce{}, err
}

func (b *Book) rulesInForce(ctx context.Context) (order.RulesInForce, error) {
	values, err := b.rdb.HMGet(ctx, b.keys.rules, fieldActive, fieldShadow).Result()
	if err != nil {
		return order.RulesInForce{}, wrap(err, "read which rules are in force")
	}
	active, _ := values[0].(string)
	shadow, _ := values[1].(string)
	return inForce(active, shadow), nil
}

func inForce(active, shadow string) order.RulesInForce {
	if active == "" {
		active = order.VersionBuiltin
	}
	return order.RulesInForce{Active: active, Shadow: shadow}
}

// ActivateRules makes a version, which must be stored or builtin, the one that decides. If
// it was the shadow, there is none any more. It returns order.ErrUnavailable when one of the
// books did not answer: some may have the version then, so it should be repeated.
func (l *Ledger) ActivateRules(ctx context.Context, version string, by order.Intervention) error {
	return wrap(l.putInForce(ctx, fieldActive, version, order.AuditActivate, by), "activate rules %s", version)
}

// ShadowRules makes a version, which must be stored or builtin, the one that decides
// beside; an empty one ends that. Its errors are those of ActivateRules.
func (l *Ledger) ShadowRules(ctx context.Context, version string, by order.Intervention) error {
	if version == "" {
		return wrap(l.putInForce(ctx, fieldShadow, "", order.AuditEndShadow, by), "end the shadow of rules")
	}
	return wrap(l.putInForce(ctx, fieldShadow, version, order.AuditShadow, by), "shadow rules %s", version)
}

// putInForce changes the copies first, so that the first book, which is asked first, is the
// last to change.
func (l *Ledger) putInForce(ctx context.Context, part, version string, action order.AuditAction, by order.Intervention) error {
	_, err := each(l.books[1:], func(b *Book) (struct{}, error) {
		return struct{}{}, b.putInForce(ctx, part, version, "", by)
	})
	if err != nil {
		return err
	}
	return l.first().putInForce(ctx, part, version, action, by)
}

// putInForce writes no audit without an action.
func (b *Book) putInForce(ctx context.Context, part, version string, action order.AuditAction, by order.Intervention) error {
	return inForceScript.Run(ctx, b.rdb, []string{b.keys.rules, b.keys.audit},
		part, version, string(action), order.Printable(by.Actor), by.RequestID).Err()
}

// ShadowDecisions returns how often a shadow version decided so beside the versions in
// force, for as long as it has been a shadow.
func (l *Ledger) ShadowDecisions(ctx context.Context, version string) (map[order.Change]int64, error) {
	decisions := map[order.Change]int64{}
	parts, err := each(l.books, func(b *Book) (map[order.Change]int64, error) { return b.shadowDecisions(ctx, version) })
	for _, part := range parts {
		for change, n := range part {
			decisions[change] += n
		}
	}
	return decisions, err
}

func (b *Book) shadowDecisions(ctx context.Context, version string) (map[order.Change]int64, error) {
	counters, err := b.rdb.HGetAll(ctx, b.keys.counters).Result()
	if err != nil {
		return nil, wrap(err, "read the shadow decisions of rules %s", version)
	}
	decisions := map[order.Change]int64{}
	for name, value := range counters {
		if rest, ok := strings.CutPrefix(name, shadowPrefix+version+":"); ok {
			from, to, _ := strings.Cut(rest, ":")
			decisions[order.Change{From: from, To: to}], _ = strconv.ParseInt(value, 10, 64)
		}
	}
	return decisions, nil
}
