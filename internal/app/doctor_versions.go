package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"orderprocessor/internal/config"
	"orderprocessor/internal/ledger"
)

// areaPrograms is the area of what programs tell of themselves.
const areaPrograms = "programs"

// AdviceOneBuild is what to do about programs of several builds.
const AdviceOneBuild = "use one build of the API, the workers and orderctl"

// ExamineVersions compares what the API, the workers and this program were built from,
// as far as those that run have told it in Redis. It may be called whenever Examine may,
// and returns within some seconds.
func ExamineVersions(ctx context.Context, r config.Redis) Finding {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	rdb := r.Client(config.Tuning{
		PoolSize: 1, DialTimeout: dialTimeout, ReadTimeout: stepTimeout, WriteTimeout: stepTimeout, MaxRetries: -1,
	})
	defer func() { _ = rdb.Close() }()
	programs, err := ledger.New(rdb).Programs(ctx)
	f := judgeVersions(programs, Version())
	if err != nil {
		f = unchecked(f.Check, fmt.Sprintf("cannot be read: %v", err))
	}
	f.Area = areaPrograms
	return f
}

// judgeVersions goes by the programs that run and by the version of this one, which
// may not know its commit: then it says nothing about the others.
func judgeVersions(programs []ledger.Program, own string) Finding {
	const check = "versions"
	if len(programs) == 0 {
		return unchecked(check, "no API and no worker is known to run")
	}
	running := map[string]map[string]int{} // by version and kind
	for _, p := range programs {
		if running[p.Version] == nil {
			running[p.Version] = map[string]int{}
		}
		running[p.Version][p.Kind]++
	}
	var told []string
	for _, version := range slices.Sorted(maps.Keys(running)) {
		var who []string
		for _, kind := range slices.Sorted(maps.Keys(running[version])) {
			who = append(who, fmt.Sprintf("%d %s", running[version][kind], kind))
		}
		told = append(told, strings.Join(who, " and ")+" of "+version)
	}
	found := strings.Join(told, "; ")
	if running[own] == nil && TellsBuild(own) {
		return warning(check, found+"; orderctl is of "+own, AdviceOneBuild)
	}
	if len(running) > 1 {
		return warning(check, found, "while an update goes on this is as it should be; else restart those of the older build")
	}
	return good(check, found)
}
