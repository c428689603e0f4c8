package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"orderprocessor/internal/order"
)

// The bounds of a rule.
const (
	// MaxNameChars bounds the name of a rule.
	MaxNameChars = 100
	// MaxExpires bounds for how long a rule may hold an order.
	MaxExpires = 365 * 24 * time.Hour
)

// documentRule is a rule as its document has it.
type documentRule struct {
	Rule
	term order.HoldTerm
	when *yaml.Node // nil if it is missing or no text
}

// ruleKeys are the keys of a rule; actions are those of which it has exactly one.
func ruleKeys() []string {
	return []string{"name", "when", "reject", "hold", "expires", "on_expiry", "handling", "tag", "queue"}
}

func actions() []string { return []string{"reject", "hold", "handling", "tag"} }

// rules reads the list of rules.
func (d *document) rules(root *yaml.Node) []documentRule {
	list, found := d.entries(root, "", []string{wholeDocument})[wholeDocument]
	switch {
	case !found:
		if root.Kind == yaml.MappingNode {
			d.add(at(root), wholeDocument, order.CodeRequired, "is required")
		}
		return nil
	case list.Kind != yaml.SequenceNode:
		if !d.strange[list] {
			d.add(at(list), wholeDocument, order.CodeWrongType, "must be a list of rules")
		}
		return nil
	case len(list.Content) > MaxRules:
		d.add(at(list.Content[MaxRules]), wholeDocument, order.CodeTooMany, "must have at most %d rules, has %d", MaxRules, len(list.Content))
		return nil
	}
	all := make([]documentRule, len(list.Content))
	names := map[string]int{}
	for i, n := range list.Content {
		all[i] = d.rule(n, fmt.Sprintf("rules[%d]", i))
		first, twice := names[all[i].Name]
		if twice && all[i].Name != "" {
			d.add(at(n), fmt.Sprintf("rules[%d].name", i), order.CodeInvalid, "must be a name of its own; rules[%d] has the same", first)
			continue
		}
		names[all[i].Name] = i
	}
	return all
}

func (d *document) rule(n *yaml.Node, field string) documentRule {
	r := ruleReader{d, n, field, d.entries(n, field, ruleKeys())}
	if n.Kind != yaml.MappingNode {
		return documentRule{}
	}
	rule := documentRule{Rule: Rule{
		Name:     r.line("name", MaxNameChars),
		When:     r.expression(),
		Reject:   r.line("reject", order.MaxReasonChars),
		Hold:     r.line("hold", order.MaxReasonChars),
		Expires:  r.text("expires"),
		OnExpiry: choice(r, "on_expiry", []order.Expiry{order.ExpiryReject, order.ExpiryRelease}),
		Handling: choice(r, "handling", []order.Handling{order.HandlingStandard, order.HandlingPriority, order.HandlingExpedited}),
		Tag:      r.tag(),
		Queue:    choice(r, "queue", order.Queues()),
	}}
	r.require("name")
	r.require("when")
	r.oneAction()
	rule.term = order.HoldTerm{Expires: r.expires(rule.Expires), Release: rule.OnExpiry == order.ExpiryRelease}
	if rule.When != "" {
		rule.when = r.values["when"]
	}
	return rule
}

// ruleReader reads the values of one rule.
type ruleReader struct {
	*document
	node   *yaml.Node
	field  string
	values map[string]*yaml.Node
}

func (r ruleReader) problem(key string, code order.Code, format string, args ...any) {
	where := r.node
	if value, found := r.values[key]; found {
		where = value
	}
	r.add(at(where), join(r.field, key), code, format, args...)
}

func (r ruleReader) require(key string) {
	if _, found := r.values[key]; !found {
		r.problem(key, order.CodeRequired, "is required")
	}
}

// text returns the text of a key; empty if it is absent or no text.
func (r ruleReader) text(key string) string {
	n, found := r.values[key]
	switch {
	case !found || r.strange[n]:
		return ""
	case n.Kind != yaml.ScalarNode:
		r.problem(key, order.CodeWrongType, "must be a text, not a list or a map; a text that begins with [ or { needs quotes")
		return ""
	case n.Tag == "!!null" || strings.TrimSpace(n.Value) == "":
		r.problem(key, order.CodeRequired, "must not be empty")
		return ""
	case n.Tag != "!!str" || n.Style == 0 && ambiguous(n.Value):
		r.problem(key, order.CodeWrongType, "must be a text: quote it, as in %q", n.Value)
		return ""
	}
	return n.Value
}

// ambiguous reports whether other readers of YAML take a word for true or false.
func ambiguous(word string) bool {
	return slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false"}, strings.ToLower(word))
}

// line returns a text of one line.
func (r ruleReader) line(key string, maxChars int) string {
	text := r.text(key)
	if text == "" {
		return ""
	}
	if problem, ok := order.CheckLine(key, text, maxChars); !ok {
		r.problem(key, problem.Code, "%s", problem.Message)
	}
	return text
}

// expression returns the expression without white space around it.
func (r ruleReader) expression() string {
	when := strings.TrimSpace(r.text("when"))
	if n := len([]rune(when)); n > MaxWhenChars {
		r.problem("when", order.CodeTooLong, "must have at most %d characters, has %d", MaxWhenChars, n)
		return ""
	}
	return when
}

func (r ruleReader) tag() string {
	tag := r.text("tag")
	if tag != "" && !regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`).MatchString(tag) {
		r.problem("tag", order.CodeInvalid, "must have 1 to 40 characters of A-Z a-z 0-9 _ . -")
	}
	return tag
}

// choice returns one of some values.
func choice[T ~string](r ruleReader, key string, from []T) T {
	value := T(r.text(key))
	if value != "" && !slices.Contains(from, value) {
		words := make([]string, len(from))
		for i, w := range from {
			words[i] = string(w)
		}
		r.problem(key, order.CodeInvalid, "must be one of %s", strings.Join(words, ", "))
	}
	return value
}

// oneAction checks which keys stand together.
func (r ruleReader) oneAction() {
	var has []string
	for _, action := range actions() {
		if _, found := r.values[action]; found {
			has = append(has, action)
		}
	}
	switch {
	case len(has) == 0:
		r.add(at(r.node), r.field, order.CodeRequired, "must have one of %s", strings.Join(actions(), ", "))
	case len(has) > 1:
		r.add(at(r.node), r.field, order.CodeInvalid, "must have only one of %s, and has %s", strings.Join(actions(), ", "), strings.Join(has, ", "))
	}
	if _, held := r.values["hold"]; !held && r.values["expires"] != nil {
		r.problem("expires", order.CodeInvalid, "must stand beside hold")
	}
	if r.values["expires"] == nil && r.values["on_expiry"] != nil {
		r.problem("on_expiry", order.CodeInvalid, "must stand beside expires")
	}
}

func (r ruleReader) expires(text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		r.problem("expires", order.CodeInvalid, "must be a duration, as in 90m or 24h")
	case d <= 0 || d > MaxExpires:
		r.problem("expires", order.CodeOutOfRange, "must be above 0 and at most %dh", MaxExpires/time.Hour)
	}
	return d
}
