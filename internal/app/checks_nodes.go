package app

import (
	"fmt"
	"maps"
	"slices"
)

// unevenBooks is by how much the node with the most books may exceed the mean.
const unevenBooks = 1.5

// onNodes makes a check of each node of a Redis Cluster of a check of one Redis. It finds the
// worst, with the nodes of which that is true.
func onNodes(run func(f *facts) Finding) func(f *facts) Finding {
	return func(f *facts) Finding {
		if len(f.nodes) == 0 {
			return run(f)
		}
		var worst Finding
		var which []string
		for _, node := range f.nodes {
			one := run(node)
			if weight(one.State) > weight(worst.State) {
				worst, which = one, nil
			}
			if one.State == worst.State {
				which = append(which, node.addr+": "+one.Found)
			}
		}
		worst.Found = abbreviate(which)
		return worst
	}
}

// weight orders the states of findings.
func weight(s FindingState) int {
	return slices.Index([]FindingState{"", FindingOK, FindingNotChecked, FindingWarning, FindingProblem}, s)
}

// checkNodes checks that all primaries of a Redis Cluster answer and find it well.
func checkNodes(f *facts) Finding {
	if !f.isCluster {
		return Finding{}
	}
	if len(f.silent) > 0 {
		return problem("no answer from " + abbreviate(f.silent) + ": the orders of their books wait")
	}
	for _, node := range f.nodes {
		if node.state != "ok" {
			return problem(fmt.Sprintf("the cluster_state of %s is %q", node.addr, node.state))
		}
	}
	return good(fmt.Sprintf("%d primaries answer, and the cluster_state is ok", len(f.nodes)))
}

// checkCoverage checks that a node which is away does not stop the others.
func checkCoverage(f *facts) Finding {
	switch {
	case !f.isCluster:
		return Finding{}
	case f.config[settingCoverage] == "":
		return unchecked(f.notReported(settingCoverage))
	case f.config[settingCoverage] == "yes":
		return warning("all nodes refuse everything while one is away")
	default:
		return good("nodes go on while another is away")
	}
}

// checkNumber compares the number of books with the configuration.
func checkNumber(f *facts) Finding {
	there := f.number
	if there == 0 && f.totals.Accepted > 0 {
		there = 1 // from before there were several
	}
	switch {
	case there == 0:
		return Finding{}
	case f.books != 0 && f.books != there:
		return problem(fmt.Sprintf("ORDERS_BOOKS is %d here, and this Redis has orders in %d", f.books, there)).
			advise(fmt.Sprintf("set ORDERS_BOOKS to %d: the number never changes, and no program starts with another", there))
	case there == 1 && !f.isCluster:
		return Finding{}
	default:
		return good(fmt.Sprintf("%d, as recorded at the first start", there))
	}
}

// checkSpread checks that every node of a Redis Cluster has its share of the books.
func checkSpread(f *facts) Finding {
	if !f.isCluster {
		return Finding{}
	}
	nodes := len(f.nodes) + len(f.silent)
	books, most := 0, 0
	for _, n := range slices.Collect(maps.Values(f.perNode)) {
		books += n
		most = max(most, n)
	}
	found := fmt.Sprintf("%d books on %d nodes, at most %d on one", books, nodes, most)
	switch {
	case books < nodes:
		return warning(found + ": some nodes have no orders").
			advise("take more books than nodes at the next installation; see docs/DEPLOYMENT.md, more than one Redis")
	case float64(most*nodes) > unevenBooks*float64(books):
		return warning(found)
	default:
		return good(found)
	}
}
