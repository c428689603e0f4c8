package ledger

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"orderprocessor/internal/order"
)

// decisionDocument is a decision as a record stores it. What most decisions have is left
// out: the action approve, and standard handling. Names must never change or be used
// again.
type decisionDocument struct {
	Version  string            `json:"v"`
	Action   order.Action      `json:"d,omitempty"`
	Handling order.Handling    `json:"h,omitempty"`
	Rule     string            `json:"r,omitempty"`
	Reason   string            `json:"e,omitempty"`
	Tags     []string          `json:"t,omitempty"`
	Matched  string            `json:"m,omitempty"` // a 1 for each rule that matched, a 0 for each that did not
	Failed   bool              `json:"w,omitempty"`
	Expires  time.Duration     `json:"x,omitempty"`
	Release  bool              `json:"y,omitempty"`
	Customer *customerDocument `json:"c,omitempty"`
	Shadow   *decisionDocument `json:"s,omitempty"`
}

type customerDocument struct {
	Orders24h int64 `json:"n"`
	Amount24h int64 `json:"a"`
}

// encodeDecision writes a decision; nothing for none. Every order pays for it, so a plain
// one is short.
func encodeDecision(d *order.Decision) (string, error) {
	switch {
	case d == nil:
		return "", nil
	case isPlain(*d):
		return encodePlain(*d), nil
	}
	text, err := json.Marshal(documentOf(*d))
	return string(text), err
}

// builtinMark stands for the version builtin in a plain decision.
const builtinMark = "-"

// isPlain reports whether a decision is an approval of which the record, the rule set and
// the numbers of the rules that matched tell everything.
func isPlain(d order.Decision) bool {
	return d.Approved() && len(d.Tags) == 0 && d.Customer == nil && d.Shadow == nil
}

// encodePlain writes a plain decision: the version, and which rules matched, if any did.
func encodePlain(d order.Decision) string {
	version := d.Version
	if version == order.VersionBuiltin {
		version = builtinMark
	}
	if !slices.Contains(d.Matched, true) {
		return version
	}
	return version + " " + encodeMatched(d.Matched)
}

// decodePlain reads what encodePlain wrote. The rule that decided is the last one that
// matched; its name is in the rule set.
func decodePlain(text string, h order.Handling) *order.Decision {
	version, matched, _ := strings.Cut(text, " ")
	if version == builtinMark {
		version = order.VersionBuiltin
	}
	return &order.Decision{Version: version, Action: order.ActionApprove, Handling: h, Matched: decodeMatched(matched)}
}

func encodeMatched(matched []bool) string {
	var text strings.Builder
	for _, m := range matched {
		text.WriteByte("01"[number(m)])
	}
	return text.String()
}

func decodeMatched(text string) (matched []bool) {
	for _, c := range text {
		matched = append(matched, c == '1')
	}
	return matched
}

func documentOf(d order.Decision) *decisionDocument {
	doc := &decisionDocument{
		Version: d.Version, Rule: d.Rule, Reason: order.Printable(d.Reason), Tags: d.Tags, Failed: d.Failed,
		Expires: d.Hold.Expires, Release: d.Hold.Release, Customer: (*customerDocument)(d.Customer),
	}
	if !d.Approved() {
		doc.Action = d.Action
	}
	if d.Handling != order.HandlingStandard {
		doc.Handling = d.Handling
	}
	doc.Matched = encodeMatched(d.Matched)
	if d.Shadow != nil {
		doc.Shadow = documentOf(*d.Shadow)
	}
	return doc
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// decodeDecision reads what encodeDecision wrote for an order with this handling.
func decodeDecision(text string, h order.Handling) (*order.Decision, error) {
	switch {
	case text == "":
		return nil, nil //nolint:nilnil // orders that are not decided yet have none
	case !strings.HasPrefix(text, "{"):
		return decodePlain(text, h), nil
	}
	var doc decisionDocument
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	d := doc.decision()
	return &d, nil
}

func (doc *decisionDocument) decision() order.Decision {
	d := order.Decision{
		Version: doc.Version, Action: doc.Action, Handling: doc.Handling, Rule: doc.Rule, Reason: doc.Reason, Tags: doc.Tags, Failed: doc.Failed,
		Hold: order.HoldTerm{Expires: doc.Expires, Release: doc.Release}, Customer: (*order.CustomerFacts)(doc.Customer),
	}
	if d.Action == "" {
		d.Action = order.ActionApprove
	}
	if d.Handling == "" && d.Action != order.ActionReject {
		d.Handling = order.HandlingStandard
	}
	d.Matched = decodeMatched(doc.Matched)
	if doc.Shadow != nil {
		shadow := doc.Shadow.decision()
		d.Shadow = &shadow
	}
	return d
}

// shadowCounter is the counter of how often a shadow version decided so beside the version
// in force; empty without a shadow.
func shadowCounter(d *order.Decision) string {
	if d == nil || d.Shadow == nil {
		return ""
	}
	return shadowPrefix + d.Shadow.Version + ":" + d.Label() + ":" + d.Shadow.Label()
}

// shadowPrefix begins the names of those counters.
const shadowPrefix = "d:"
