package order

// Review is what ends the hold of an order: somebody who looked at it, or its expiry.
type Review struct {
	// Actor is who that is: the name of an API key, or ActorExpiry.
	Actor string
	// Reason is why, up to MaxReasonChars; it may be empty for a release.
	Reason string
	// IfExpired means that the review counts only if the hold has expired.
	IfExpired bool
}

// ReasonHoldExpired is why an order is rejected whose hold has expired.
const ReasonHoldExpired = "the hold has expired"
