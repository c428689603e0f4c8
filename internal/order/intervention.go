package order

// Intervention is a change that is no submission: of an order, a queue, the rules or a
// job. A person makes it, or the expiry of a hold.
type Intervention struct {
	// Actor is who that is: the name of an API key, or ActorExpiry.
	Actor string
	// Reason is why, up to MaxReasonChars; it may be empty where none is demanded.
	Reason string
	// RequestID is the HTTP request that asked for it; empty without one.
	RequestID string
	// IfExpired means that it counts only if the hold of the order has expired.
	IfExpired bool
	// Job is the id of the job that makes it; empty without one.
	Job string
	// Sequence is the number of the order's newest event when the job chose it: if there
	// is a newer one, the order is left alone. Zero means any.
	Sequence int
}

// ReasonHoldExpired is why an order is rejected whose hold has expired.
const ReasonHoldExpired = "the hold has expired"
