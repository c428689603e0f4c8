package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// The bounds of a document.
const (
	// MaxDocumentBytes bounds a document.
	MaxDocumentBytes = 64 << 10
	// MaxRules bounds how many rules it has.
	MaxRules = 200
)

// versionBytes is how much of the digest a version keeps: enough to tell the sets of an
// installation apart, and short enough to say.
const versionBytes = 6

// Parse reads a rule set in YAML or JSON, and compiles it. It returns an *Invalid that
// lists every problem. It takes time in proportion to the document, some 100 microseconds
// for a rule.
func Parse(source []byte) (*Set, error) {
	d := &document{}
	found := d.read(source)
	set := &Set{source: slices.Clone(source), rules: make([]compiledRule, len(found))}
	if err := d.compile(found, set.rules); err != nil {
		return nil, err
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	version, err := versionOf(set.Rules())
	if err != nil {
		return nil, err
	}
	set.version = version
	for _, r := range set.rules {
		set.asks = set.asks || r.asksCustomer
		set.queueAsks = set.queueAsks || r.asksCustomer && r.Queue != ""
	}
	return set, nil
}

// Read returns the rules of a document as far as they can be read, without compiling them,
// which takes a small part of the time. It is for showing a document that was stored.
func Read(source []byte) []Rule {
	found := (&document{}).read(source)
	all := make([]Rule, len(found))
	for i, r := range found {
		all[i] = r.Rule
	}
	return all
}

// versionOf digests the rules as JSON, without white space and in the order of the fields
// of Rule.
func versionOf(all []Rule) (string, error) {
	canonical, err := json.Marshal(struct {
		Rules []Rule `json:"rules"`
	}{all})
	if err != nil {
		return "", fmt.Errorf("encode the rules: %w", err)
	}
	digest := sha256.Sum256(canonical)
	return hex.EncodeToString(digest[:versionBytes]), nil
}

// compile compiles the expressions. Its error is ours, not the document's.
func (d *document) compile(found []documentRule, into []compiledRule) error {
	c, err := newCompiler()
	if err != nil {
		return err
	}
	before := len(d.found)
	for i, r := range found {
		if len(d.found)-before >= maxProblems { // no more are listed
			break
		}
		into[i] = compiledRule{Rule: r.Rule, hold: r.term}
		if r.when == nil {
			continue
		}
		var mistakes []mistake
		if into[i].program, mistakes = c.compile(r.When); len(mistakes) == 0 {
			continue
		}
		for _, m := range mistakes {
			d.add(d.within(r.when, r.When, m), fmt.Sprintf("rules[%d].when", i), m.code, "%s", m.message)
		}
	}
	return nil
}
