package config

import "slices"

// prefix begins every name of ours but REDIS_URL, which other programs share.
const prefix = "ORDERS_"

// The names that more than one check speaks of.
const (
	nameHTTPAddr          = "ORDERS_HTTP_ADDR"
	nameKeys              = "ORDERS_API_KEYS"
	nameKeysFile          = "ORDERS_API_KEYS_FILE"
	nameInsecure          = "ORDERS_INSECURE"
	nameAttemptTimeout    = "ORDERS_ATTEMPT_TIMEOUT"
	nameConcurrency       = "ORDERS_WORKER_CONCURRENCY"
	nameLanes             = "ORDERS_WORKER_LANES"
	nameReserved          = "ORDERS_WORKER_RESERVED_CRITICAL"
	nameRetryBase         = "ORDERS_RETRY_BASE"
	nameRetryMax          = "ORDERS_RETRY_MAX"
	nameFulfilmentURL     = "ORDERS_FULFILMENT_URL"
	nameFulfilmentSecret  = "ORDERS_FULFILMENT_SECRET"
	nameFulfilmentTimeout = "ORDERS_FULFILMENT_TIMEOUT"
)

// Names returns the name of every variable that the configuration knows,
// sorted.
func Names() []string {
	all := rules()
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.name
	}
	slices.Sort(names)
	return names
}

func contains(sorted []string, name string) bool {
	_, found := slices.BinarySearch(sorted, name)
	return found
}

// maxSlips is how many wrong letters still make a typing mistake.
const maxSlips = 3

// suggestion names the variable that was probably meant, if one is near. A name
// of any length costs no more than the longest known one.
func suggestion(name string, names []string) string {
	nearest, slips := "", maxSlips+1
	for _, candidate := range names {
		if max(len(name)-len(candidate), len(candidate)-len(name)) > maxSlips {
			continue
		}
		if d := distance(name, candidate); d < slips {
			nearest, slips = candidate, d
		}
	}
	if nearest == "" {
		return ""
	}
	return "; did you mean " + nearest + "?"
}

// distance is Levenshtein's: how many letters to insert, remove or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
