package cli_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
)

// TestOperateRules takes a rule set from its file to the orders that it holds, on the
// service itself.
func TestOperateRules(t *testing.T) {
	t.Parallel()
	in := world{environ: []string{"ORDERCTL_API=" + startService(t)}}
	run := func(line string) *command {
		t.Helper()
		return orderctlIn(t, in, strings.Split(line, " ")...)
	}
	orders := 0
	// submitUntil submits large orders, until one of them is shown so.
	submitUntil := func(pattern string) (id string) {
		t.Helper()
		shown := regexp.MustCompile(pattern)
		programtest.Until(t, "an order is shown as "+pattern, func() bool {
			orders++
			id = fmt.Sprintf("order-%d", orders)
			run("submit "+fileOf(t, strings.Replace(withID(id), "12.50", "6000.00", 1))).mustExit(t, 0)
			programtest.Until(t, id+" is decided", func() bool {
				return regexp.MustCompile(`status +(held|completed)\n`).MatchString(run("get " + id).stdout.String())
			})
			return shown.MatchString(run("get " + id).stdout.String())
		})
		return id
	}

	bad := fileOf(t, badRules)
	checked := run("rules check " + bad)
	run("rules push "+bad).mustPrint(t, 1, checked.stdout.String(), checked.stderr.String())
	pushed := run("rules push testdata/rules.yaml")
	pushed.mustExit(t, 0, `^testdata/rules.yaml: version [0-9a-f]{12}\n$`)
	_, version, _ := strings.Cut(strings.TrimSpace(pushed.stdout.String()), "version ")
	source, err := os.ReadFile("testdata/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	run("rules show "+version).mustPrint(t, 0, string(source), "")

	run("rules shadow "+version).mustPrint(t, 0, "active   builtin\nshadow   "+version+"\n", "")
	submitUntil(`decision +approve, priority, by high value of version builtin\n(.*\n)+shadow +hold, standard if released, by large order of version ` + version)
	run("rules list").mustExit(t, 0, version+` .* anonymous +2 +shadow\nbuiltin +4 +active\n`,
		`The shadow decided (\d+) of \d+ orders? differently\.\n\nfrom +to +orders\npriority +hold +\d+\n$`)
	run("rules simulate "+version+" --limit 1").mustExit(t, 0,
		`^It decides 1 of 1 order differently .*\n\nfrom .*\npriority +hold +1 +6000\.00 USD\n\nSome of them:\n\nid .*\norder-\d+ +priority +hold +large order\n$`)
	run("rules activate "+version).mustExit(t, 0, `^active +`+version)

	first, second := submitUntil(`status +held\n`), submitUntil(`status +held\nheld by +large order: a person has a look at it first, until \S+, then rejected\n`)
	run("list --status held").mustExit(t, 0, `^id .*\n`+second+` +held .*\n`+first+` +held `)
	run("release "+first+" nobody --reason known").mustExit(t, 1, `^`+first+` +pending\n`, `nobody +not released: 404`)
	run("reject "+second+" --reason stolen").mustPrint(t, 0, second+"   rejected\n", "")
	run("get "+second).mustExit(t, 0, `error +stolen\n`, `decision +hold, standard if released, by large order of version .*\n(.*\n)+rejected +\S+, by anonymous: stolen\n`)
	programtest.Until(t, "the released order is worked", func() bool {
		return regexp.MustCompile(`status +completed\n(.*\n)+released +\S+, by anonymous: known\n`).MatchString(run("get " + first).stdout.String())
	})
}
