package app

import (
	"fmt"
	"maps"
	"slices"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/queue"
)

// checkDrift checks that the books balance.
func checkDrift(f *facts) Finding {
	switch drift := f.totals.Drift(); {
	case drift != 0:
		return problem(fmt.Sprintf("%d: the books do not balance", drift))
	case f.totals.Away() > 0:
		return unchecked(fmt.Sprintf("0 in the books that answer; %d of %d do not", f.totals.Away(), len(f.totals.Books)))
	case f.totals.Accepted == 0:
		return good("0: there are no orders yet")
	default:
		return good(fmt.Sprintf("0: all %d accepted orders are in one status each", f.totals.Accepted))
	}
}

// wellKnownKeys returns the keys that all orders share, each with the type that Redis
// must hold there.
func wellKnownKeys(books int) map[string]string {
	keys := ledger.KeyTypes(books)
	maps.Copy(keys, queue.KnownKeys(books))
	return keys
}

func checkKeyTypes(f *facts) Finding {
	switch {
	case f.lacks(commandType):
		return unchecked("this user may not run TYPE")
	case len(f.wrongKeys) > 0:
		return problem(abbreviate(f.wrongKeys))
	default:
		return good(fmt.Sprintf("%d of %d well-known keys exist, with the expected types", f.presentKeys, f.knownKeys))
	}
}

// checkRecordForm reports how Redis stores the newest order of some status.
func checkRecordForm(f *facts) Finding {
	switch {
	case f.lacks(commandType) || len(f.wrongKeys) > 0:
		return Finding{}
	case f.lacks(commandEncoding):
		return unchecked("this user may not run OBJECT ENCODING")
	case f.recordID == "":
		return Finding{}
	}
	found := fmt.Sprintf("order %s is kept as a %s", f.recordID, f.recordForm)
	if slices.Contains([]string{"listpack", "ziplist"}, f.recordForm) {
		return good(found)
	}
	return warning(found + ", at nearly twice the memory")
}
