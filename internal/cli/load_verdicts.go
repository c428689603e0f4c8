package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"orderprocessor/internal/order"
)

// httpOK is the status of a batch that was looked at, as vegeta has it.
const httpOK uint16 = http.StatusOK

// addLines counts the verdicts of a batch. Orders without one are lost.
func (a *answers) addLines(body []byte) {
	left := int64(a.plan.size())
	for line := range bytes.Lines(body) {
		var verdict struct {
			Status  int             `json:"status"`
			Problem json.RawMessage `json:"problem"`
		}
		if left == 0 || json.Unmarshal(line, &verdict) != nil || verdict.Status == 0 {
			break
		}
		a.addVerdict(verdict.Status, verdict.Problem, 1)
		left--
	}
	if left > 0 {
		a.lose(left, "the answer to a batch lacks verdicts")
	}
}

// newRefusal names the kind by the type of the problem, or else by the status.
func newRefusal(status int, body []byte) refusal {
	var problem struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(body, &problem) // a proxy may answer with anything
	reason := problem.Type[strings.LastIndexByte(problem.Type, ':')+1:]
	if reason == "" || problem.Type == "about:blank" {
		reason = strings.ToLower(http.StatusText(status))
	}
	text := []rune(order.Printable(reason))
	return refusal{Status: status, Reason: string(text[:min(len(text), maxRefusalChars)])}
}
