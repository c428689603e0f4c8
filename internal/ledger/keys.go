package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// Every key of the books is built here. The braces are a Redis Cluster hash tag: all
// keys of one book live in one slot, so a script may use them together.
//
//	orders:{b0}:o:<order id>         hash        one order's record, see record.go
//	orders:{b0}:s:<status>           sorted set  order ids by time of acceptance, µs
//	orders:{b0}:s:expiry             sorted set  held order ids by the expiry of their hold, µs
//	orders:{b0}:u:<customer digest>  sorted set  one customer's order ids, likewise
//	orders:{b0}:a                    sorted set  ids of the orders that the archive lacks, by when they are due for it, µs
//	orders:{b0}:b                    hash        what the archive last confirmed, see archived.lua
//	orders:{b0}:c                    hash        counters, see totals.go
//	orders:{b0}:d                    sorted set  the generations of ids of forgotten orders, by their end, s, see ids.go
//	orders:{b0}:d:<generation>:<n>   hash        some of the ids of one, until its end
//	orders:{b0}:e                    stream      events, in the newest maxEntries entries or so
//	orders:{b0}:t:1h                 hash        samples of the last hour by their place in it, see samples.go
//	orders:{b0}:t:24h                hash        samples of the last day, likewise
//	orders:{b0}:t:alerts             hash        when verdicts began, likewise
//	orders:{b0}:l                    string      the leader of recovery, for two seconds
//	orders:{b0}:i                    string      the order in quarantine, for five minutes at most
//	orders:{b0}:f                    sorted set  the fulfilment endpoints, by their last report, ms, see breaker.go
//	orders:{b0}:f:<endpoint>         hash        the circuit breaker of one, likewise
//	orders:{b0}:r                    hash        the rule sets, see rules.go
//	orders:{b0}:h                    stream      the audit, the newest maxAudit entries or so, see audit.go
//	orders:{b0}:j                    sorted set  the jobs, by their time of creation, µs, see job.go
//	orders:{b0}:j:<job id>           hash        one of them
//	orders:{b0}:k                    sorted set  those that have not ended, likewise
//	orders:{b0}:n                    string      how many books there are, see books.go
//	orders:{b0}:w                    none        never written: deleting it shows that Redis accepts writes
//	orders:{b0}:p                    sorted set  the programs that run, by their last announcement, ms, see programs.go
//
// They are those of book 0. Book n has {bn}, and no keys for what there is once for all books:
// the samples, the fulfilment endpoints, the rule sets, the register of jobs and the programs.
type keys struct {
	records, indexes, customers string // prefixes

	marks, confirmed, counters, ids, events, leader, quarantine, writable, programs, expiries, rules, audit string
	jobs, openJobs, endpoints, samplesPrefix, alerts, number                                                string
}

func newKeys(book int) keys {
	prefix := "orders:{b" + strconv.Itoa(book) + "}:"
	return keys{
		records: prefix + "o:", indexes: prefix + "s:", customers: prefix + "u:",
		marks: prefix + "a", confirmed: prefix + "b", counters: prefix + "c", ids: prefix + "d", events: prefix + "e",
		leader: prefix + "l", quarantine: prefix + "i", writable: prefix + "w", programs: prefix + "p", expiries: prefix + "s:expiry",
		rules: prefix + "r", audit: prefix + "h", jobs: prefix + "j", openJobs: prefix + "k", endpoints: prefix + "f",
		samplesPrefix: prefix + "t:", alerts: prefix + "t:alerts", number: prefix + "n",
	}
}

func (k *keys) record(id string) string { return k.records + id }

func (k *keys) index(s order.Status) string { return k.indexes + string(s) }

// customer contains a digest because names may be long and are personal data.
func (k *keys) customer(name string) string { return k.customers + customerDigest(name) }

func (k *keys) job(id string) string { return k.jobs + ":" + id }

func (k *keys) samples(r stats.Range) string { return k.samplesPrefix + string(r) }

func (k *keys) endpoint(name string) string { return k.endpoints + ":" + name }

func customerDigest(customer string) string {
	sum := sha256.Sum256([]byte(customer))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
