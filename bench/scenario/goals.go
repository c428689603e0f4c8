package scenario

import (
	"slices"

	"orderprocessor/bench/peers"
	"orderprocessor/bench/report"
	"orderprocessor/bench/systems"
)

// The systems as they are shown in keys.
const (
	ours  = string(systems.Ours)
	naive = string(systems.Naive)
	base  = string(systems.Base)
)

// The names of what is divided.
const (
	byNaive   = "ours / naive"
	byPlain   = "ours / plain Asynq servers"
	byPeer    = "ours / best peer"
	byEvery   = "AOF always / everysec"
	byBuiltin = "50 rules / builtin rules"
	byNone    = "archive in SQLite / none"
	byFew     = "all fields / the required ones"
	byLeast   = "most waiting / fewest waiting"
	byOneBook = "16 books on three nodes / 1 book on one Redis"
	bySameRed = "16 books on one Redis / 1 book on one Redis"
	byFewIdle = "64 books / 1 book"
	byBest    = "ours / best of the others"
	byBase    = "ours / base commit"
	byKept    = "most kept / fewest kept"
)

// Ratios returns the figures that are given as a multiple of others.
func (b *Bench) Ratios() []report.Ratio {
	fewest, most := b.Sizes.Backlogs[0], b.Sizes.Backlogs[len(b.Sizes.Backlogs)-1]
	fewestKept, mostKept := keeping(b.Sizes.Kept[0]), keeping(b.Sizes.Kept[len(b.Sizes.Kept)-1])
	ratio := func(scenario, name string, of report.Key, by ...report.Key) report.Ratio {
		return report.Ratio{Key: key(scenario, name, rate), Of: of, By: by}
	}
	return slices.Concat([]report.Ratio{
		ratio(Single, byNaive, key(Single, ours, rate), key(Single, naive, rate)),
		ratio(Drain, byNaive, key(Drain, ours, rate), key(Drain, naive, rate)),
		ratio(Drain, byPlain, key(Drain, ours, rate), key(Drain, string(systems.Plain), rate)),
		{Key: key(Drain, byPlain, perOrder), Of: key(Drain, ours, perOrder), By: []report.Key{key(Drain, string(systems.Plain), perOrder)}},
		ratio(Drain, byPeer, key(Drain, ours, rate), peerRates(b.Peers)...),
		ratio(Sustained, byNaive, key(Sustained, ours, rate), key(Sustained, naive, rate)),
		ratio(Sustained, byEvery, key(Sustained, oursAlways, rate), key(Sustained, ours, rate)),
		{
			Key: key(Events, byAlone, answer+percentile(0.50)),
			Of:  key(Events, withThem, answer+percentile(0.50)), By: []report.Key{key(Events, alone, answer+percentile(0.50))},
		},
		ratio(Rules, byBuiltin, key(Rules, withRules, rate), key(Rules, ours, rate)),
		ratio(Rules, byFew, key(Rules, withFields, rate), key(Rules, ours, rate)),
		ratio(Archive, byNone, key(Archive, withArchive, rate), key(Archive, ours, rate)),
		{Key: key(Archive, byNone, allPerOrder), Of: key(Archive, withArchive, allPerOrder), By: []report.Key{key(Archive, ours, allPerOrder)}},
		{Key: key(Books, byOneBook, allPerOrder), Of: key(Books, manyNodes, allPerOrder), By: []report.Key{key(Books, oneBook, allPerOrder)}},
		{Key: key(Books, byOneBook, ofRedis), Of: key(Books, manyNodes, ofRedis), By: []report.Key{key(Books, oneBook, ofRedis)}},
		{Key: key(Books, bySameRed, allPerOrder), Of: key(Books, manyBooks, allPerOrder), By: []report.Key{key(Books, oneBook, allPerOrder)}},
		{Key: key(Idle, byFewIdle, atRest), Of: key(Idle, withBooks, atRest), By: []report.Key{key(Idle, ours, atRest)}},
		ratio(Backlog, byLeast, key(Backlog, behind(most), rate), key(Backlog, behind(fewest), rate)),
		{Key: key(Growth, byKept, allPerOrder), Of: key(Growth, mostKept, allPerOrder), By: []report.Key{key(Growth, fewestKept, allPerOrder)}},
	}, b.workRatios(), costRatios())
}

// peerRates are the rates of all peers.
func peerRates(all []peers.Peer) []report.Key {
	var keys []report.Key
	for _, p := range all {
		keys = append(keys, key(Drain, p.Name, rate))
	}
	return keys
}

// lowShare is nine tenths of what the weights 3 and 1 give to low next to default,
// in percent. The tenth is for the order in which Asynq asks, which is random.
const lowShare = 0.9 * 100 / (3 + 1)

// unmoved is how much longer an answer may take and count as the same: what two
// measurements of one thing differ by here.
const unmoved = 1.2

// Goals returns the bounds of the figures.
func Goals() []report.Goal {
	least := func(k report.Key, bound float64) report.Goal { return report.Goal{Key: k, Bound: bound} }
	most := func(k report.Key, bound float64) report.Goal { return report.Goal{Key: k, Bound: bound, AtMost: true} }
	return []report.Goal{
		least(key(Sustained, byNaive, rate), 3),
		least(key(Sustained, ours, rate), 8_000),
		least(key(Single, byNaive, rate), 2),
		least(key(Batch, ours, rate), 25_000),
		least(key(Drain, byPeer, rate), 1),
		least(key(Work, byBest, rate), 1),
		most(key(Work, byBest, cpuOfAll), 1),
		least(key(Sustained, byEvery, rate), 0.70),
		least(key(Backlog, byLeast, rate), 0.90),
		most(key(Growth, byKept, allPerOrder), 1.1),
		least(key(Rules, byBuiltin, rate), 0.95),
		least(key(Rules, byFew, rate), 0.97),
		least(key(Archive, byNone, rate), 0.95),
		most(key(Books, byOneBook, allPerOrder), 1.15),
		most(key(Books, manyNodes, busiestCPU), 1.2),
		most(key(Idle, byFewIdle, atRest), 2),
		most(key(Rules, simulated, duration), 20_000),
		most(key(Memory, ours, perWaiting), 1_800),
		most(key(Memory, ours, perFinished), 900),
		most(key(Idle, ours, pickup+percentile(0.50)), 5),
		most(key(Idle, ours, pickup+percentile(0.99)), 25),
		most(key(Idle, ours, atRest), 1),
		most(key(Priority, ours, criticalWait+percentile(0.99)), 60),
		least(key(Priority, ours, lowBesideDefault), lowShare),
		most(key(Events, ours, delay+percentile(0.99)), 50),
		most(key(Events, byAlone, answer+percentile(0.50)), unmoved),
	}
}
