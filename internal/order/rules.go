package order

import "time"

// VersionBuiltin is the version of the rules that the settings make. It exists always.
const VersionBuiltin = "builtin"

// RuleSet is a version of the rules that somebody has stored. It never changes.
type RuleSet struct {
	// Version names it.
	Version string
	// CreatedAt is when it was stored, UTC, by the clock of Redis.
	CreatedAt time.Time
	// CreatedBy is the name of the API key that stored it.
	CreatedBy string
	// Source is the document.
	Source []byte
}

// RulesInForce names the versions that decide.
type RulesInForce struct {
	// Active is the version that decides the orders.
	Active string
	// Shadow is the version whose decisions are only recorded; empty for none.
	Shadow string
}

// MaxRuleSets is how many rule sets the ledger keeps.
const MaxRuleSets = 1000
