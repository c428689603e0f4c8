package deploy_test

import (
	"encoding/json"
	"errors"
	"strings"
)

// dockerfile is a Dockerfile as its stages, first to last.
type dockerfile []stage

// stage is one FROM and what follows it.
type stage struct {
	name, base string
	steps      []step
}

// step is one instruction, its continuation lines joined.
type step struct{ verb, args string }

func parseDockerfile(text string) (dockerfile, error) {
	var d dockerfile
	for _, s := range steps(text) {
		if s.verb == "FROM" {
			d = append(d, newStage(s.args))
			continue
		}
		if len(d) == 0 {
			return nil, errors.New(s.verb + " stands before the first FROM")
		}
		last := &d[len(d)-1]
		last.steps = append(last.steps, s)
	}
	return d, nil
}

func steps(text string) []step {
	var all []step
	var open string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if rest, more := strings.CutSuffix(line, `\`); more {
			open += rest + " "
			continue
		}
		verb, args, _ := strings.Cut(open+line, " ")
		all = append(all, step{strings.ToUpper(verb), strings.TrimSpace(args)})
		open = ""
	}
	return all
}

func newStage(args string) stage {
	words := strings.Fields(args)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	var s stage
	if len(words) > 0 {
		s.base = words[0]
	}
	if len(words) == 3 && strings.EqualFold(words[1], "AS") {
		s.name = words[2]
	}
	return s
}

// stage finds a stage by its name.
func (d dockerfile) stage(name string) (stage, bool) {
	for _, s := range d {
		if s.name == name && name != "" {
			return s, true
		}
	}
	return stage{}, false
}

// last returns the arguments of the last such instruction, the one in force.
func (s stage) last(verb string) string {
	args := ""
	for _, one := range s.steps {
		if one.verb == verb {
			args = one.args
		}
	}
	return args
}

// entrypoint returns the words of the ENTRYPOINT in exec form; none for the
// shell form.
func (s stage) entrypoint() []string {
	var words []string
	if json.Unmarshal([]byte(s.last("ENTRYPOINT")), &words) != nil {
		return nil
	}
	return words
}

// environ returns what ENV NAME=value sets, in the form of os.Environ().
func (s stage) environ() []string {
	var entries []string
	for _, one := range s.steps {
		if one.verb == "ENV" {
			entries = append(entries, strings.Fields(one.args)...)
		}
	}
	return entries
}

// copies returns what COPY and ADD take, and the stage they take it from; empty
// for the build context.
func (s step) copies() (sources []string, from string) {
	if s.verb != "COPY" && s.verb != "ADD" {
		return nil, ""
	}
	words := strings.Fields(s.args)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		if value, ok := strings.CutPrefix(words[0], "--from="); ok {
			from = value
		}
		words = words[1:]
	}
	if len(words) < 2 {
		return nil, from
	}
	return words[:len(words)-1], from
}
