package prove

import (
	"slices"

	"orderprocessor/internal/history"
	"orderprocessor/internal/order"
)

// blamed returns the guarantee that the answer which nothing explains contradicts.
func blamed(v history.Violation) Name {
	at := v.Operations[v.At]
	before := slices.DeleteFunc(slices.Clone(v.Operations), func(o history.Operation) bool { return o.To > at.To })
	had := func(match func(o history.Operation) bool) bool { return slices.ContainsFunc(before, match) }
	mayExist := had(func(o history.Operation) bool { return o.Op == history.Submit && o.Result != history.OtherContent })
	otherContent := at.Answer.Content != "" && had(func(o history.Operation) bool {
		return o.Answer.Content != "" && o.Answer.Content != at.Answer.Content
	})
	switch {
	case at.Result == history.Unexpected, at.Op == history.Submit && at.Result == history.NotFound:
		return Answers
	case at.Result == history.NotFound:
		return Kept
	case !mayExist:
		return Refused
	case at.Op == history.Submit && (at.Result == history.Created || at.Result == history.OtherContent), otherContent:
		return Once
	case at.Op == history.Cancel && at.Result == history.Done,
		at.Status != "" && at.Status != order.StatusCancelled && had(func(o history.Operation) bool { return o.Op == history.Cancel && o.Result == history.Done }):
		return Cancel
	case at.Op == history.Retry, had(func(o history.Operation) bool { return o.Op == history.Retry && o.Result == history.Done }):
		return Retry // a hold that expired explains much of what follows a retry without an effect
	default:
		return Answers
	}
}
