package deploy_test

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// redisUsers is a file of Redis users: what the comments say is needed, and the
// rules of each user.
type redisUsers struct {
	needed []string
	rules  map[string][]string
}

func parseRedisUsers(text string) redisUsers {
	u := redisUsers{rules: map[string][]string{}}
	need := regexp.MustCompile(`^# {3}\S.*? {2,}([a-z].*)$`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if found := need.FindStringSubmatch(line); found != nil {
			u.needed = append(u.needed, strings.Fields(found[1])...)
		}
		if words := strings.Fields(line); len(words) > 2 && words[0] == "user" {
			u.rules[words[1]] = words[2:]
		}
	}
	slices.Sort(u.needed)
	u.needed = slices.Compact(u.needed)
	return u
}

// checkUsers wants a user for the programs that may do what they need, and
// nothing that no comment gives a reason for.
func checkUsers(d documents) []string {
	var found sentences
	granted := []string{}
	for _, rule := range d.users.rules["orders"] {
		command, grants := strings.CutPrefix(rule, "+")
		switch {
		case grants:
			granted = append(granted, command)
		case !slices.Contains(ordersRules(), rule):
			found.add("user orders has the rule %s, which the checks do not know", rule)
		}
	}
	for _, rule := range ordersRules() {
		if !slices.Contains(d.users.rules["orders"], rule) {
			found.add("user orders lacks the rule %s", rule)
		}
	}
	slices.Sort(granted)
	if !slices.Equal(granted, d.users.needed) {
		found.add("user orders may use %q, but the comments give reasons for %q", granted, d.users.needed)
	}
	for _, command := range d.scripted() {
		if !slices.Contains(granted, command) {
			found.add("user orders may not use %s, which a script calls", command)
		}
	}
	return append(found, checkAnonymous(d)...)
}

// ordersRules are the rules of the programs' user beside its commands.
func ordersRules() []string {
	return []string{
		"on", "#SHA256_OF_THE_PASSWORD", "resetkeys", "resetchannels",
		"~orders:*", "~asynq:*", "~rate:*", "&asynq:*", "-@all",
	}
}

// checkAnonymous wants nobody to do more than ask for a sign of life without a
// password.
func checkAnonymous(d documents) []string {
	var found sentences
	want := strings.Fields("on nopass resetkeys resetchannels -@all +ping")
	if got := d.users.rules["default"]; !slices.Equal(got, want) {
		found.add("user default has the rules %q, not %q", got, want)
	}
	for name := range maps.Keys(d.users.rules) {
		if name != "default" && name != "orders" {
			found.add("user %s is not one of ours", name)
		}
	}
	return found
}

// scripted lists the Redis commands that our Lua scripts call.
func (d documents) scripted() []string {
	calls := regexp.MustCompile(`redis\.p?call\(\s*['"]([A-Za-z]+)`)
	var commands []string
	for _, folder := range []string{"internal/ledger/scripts", "internal/queue/scripts"} {
		files, _ := fs.Glob(d.root, folder+"/*.lua") // the pattern is well-formed
		for _, file := range files {
			text, err := fs.ReadFile(d.root, file)
			if err != nil {
				continue // it is gone again
			}
			for _, call := range calls.FindAllStringSubmatch(string(text), -1) {
				commands = append(commands, strings.ToLower(call[1]))
			}
		}
	}
	slices.Sort(commands)
	return slices.Compact(commands)
}
