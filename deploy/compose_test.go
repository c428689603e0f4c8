package deploy_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// compose is what the checks need of a docker-compose.yml.
type compose struct {
	Services map[string]service `yaml:"services"`
}

type service struct {
	Image         string            `yaml:"image"`
	Command       []string          `yaml:"command"`
	ContainerName string            `yaml:"container_name"`
	Build         *build            `yaml:"build"`
	Environment   environment       `yaml:"environment"`
	Ports         []port            `yaml:"ports"`
	Volumes       []volume          `yaml:"volumes"`
	DependsOn     map[string]needed `yaml:"depends_on"`
	Healthcheck   *healthcheck      `yaml:"healthcheck"`
	Grace         string            `yaml:"stop_grace_period"`
	ReadOnly      bool              `yaml:"read_only"`
	CapDrop       []string          `yaml:"cap_drop"`
	SecurityOpt   []string          `yaml:"security_opt"`
	Profiles      []string          `yaml:"profiles"`
}

type build struct {
	Context    string `yaml:"context"`
	Dockerfile string `yaml:"dockerfile"`
	Target     string `yaml:"target"`
}

type needed struct {
	Condition string `yaml:"condition"`
}

type healthcheck struct {
	Test []string `yaml:"test"`
}

// environment is either a mapping or a list of NAME=value.
type environment map[string]string

func (e *environment) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		return n.Decode((*map[string]string)(e))
	}
	var list []string
	if err := n.Decode(&list); err != nil {
		return err
	}
	*e = environment{}
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		(*e)[name] = value
	}
	return nil
}

// port is what is published, and on which address of the host; empty means all.
type port struct{ host, target string }

func (p *port) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		var long struct {
			HostIP string `yaml:"host_ip"`
			Target string `yaml:"target"`
		}
		err := n.Decode(&long)
		p.host, p.target = long.HostIP, long.Target
		return err
	}
	// [host:]published:target, where an IPv6 host is in brackets.
	parts := strings.Split(n.Value, ":")
	p.target = parts[len(parts)-1]
	if len(parts) > 2 {
		p.host = strings.Trim(strings.Join(parts[:len(parts)-2], ":"), "[]")
	}
	return nil
}

// volume is where a mount comes from, a path that begins with a dot or a name, and
// where it is in the container.
type volume struct{ source, target string }

func (v *volume) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		var long struct {
			Source string `yaml:"source"`
			Target string `yaml:"target"`
		}
		err := n.Decode(&long)
		v.source, v.target = long.Source, long.Target
		return err
	}
	source, rest, _ := strings.Cut(n.Value, ":")
	v.source = source
	v.target, _, _ = strings.Cut(rest, ":")
	return nil
}

func parseCompose(text string) (compose, error) {
	var c compose
	err := yaml.Unmarshal([]byte(text), &c)
	return c, err
}

// builds returns the names of the services that are built here, sorted.
func (c compose) builds() []string {
	names := slices.Sorted(maps.Keys(c.Services))
	return slices.DeleteFunc(names, func(name string) bool { return c.Services[name].Build == nil })
}

// once says whether the service is one command that is run by hand, and ends.
func (s service) once() bool { return slices.Equal(s.Profiles, []string{"tools"}) }

// variable is ${NAME}, ${NAME-default} or ${NAME:-default}.
var variable = regexp.MustCompile(`\$\{\w+(?::?-([^}]*))?\}`)

// environ is the service's environment as the container has it when the shell
// sets nothing, in the form of os.Environ(), sorted.
func (s service) environ() []string {
	var entries []string
	for name, value := range s.Environment {
		entries = append(entries, name+"="+variable.ReplaceAllString(value, "$1"))
	}
	slices.Sort(entries)
	return entries
}

// grace is how long Docker waits between SIGTERM and SIGKILL.
func (s service) grace() (time.Duration, error) {
	if s.Grace == "" {
		return 10 * time.Second, nil // Docker's default
	}
	d, err := time.ParseDuration(s.Grace)
	if err != nil {
		return 0, fmt.Errorf("stop_grace_period: %w", err)
	}
	return d, nil
}
