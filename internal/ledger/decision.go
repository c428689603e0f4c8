package ledger

import (
	"encoding/json"
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

// encodeDecision writes a decision; nothing for none.
func encodeDecision(d *order.Decision) (string, error) {
	if d == nil {
		return "", nil
	}
	text, err := json.Marshal(documentOf(*d))
	return string(text), err
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
	var matched strings.Builder
	for _, m := range d.Matched {
		matched.WriteByte("01"[number(m)])
	}
	doc.Matched = matched.String()
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

// decodeDecision reads what encodeDecision wrote.
func decodeDecision(text string) (*order.Decision, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // orders that are not decided yet have none
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
	for _, c := range doc.Matched {
		d.Matched = append(d.Matched, c == '1')
	}
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
