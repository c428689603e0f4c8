package deploy_test

import (
	"io/fs"
	"slices"
	"strings"
)

// documents is everything that the checks look at.
type documents struct {
	root    fs.FS // the repository
	compose compose
	docker  dockerfile
	redis   redisConf
	users   redisUsers
	ignore  ignore
}

func readDocuments(root fs.FS) (documents, error) {
	d := documents{root: root}
	text := map[string]string{}
	for _, name := range []string{"docker-compose.yml", "deploy/Dockerfile", "deploy/redis.conf", "deploy/redis-users.acl", ".dockerignore"} {
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return d, err
		}
		text[name] = string(b)
	}
	d.redis = parseRedisConf(text["deploy/redis.conf"])
	d.users = parseRedisUsers(text["deploy/redis-users.acl"])
	d.ignore = parseIgnore(text[".dockerignore"])
	var err error
	if d.docker, err = parseDockerfile(text["deploy/Dockerfile"]); err != nil {
		return d, err
	}
	d.compose, err = parseCompose(text["docker-compose.yml"])
	return d, err
}

// has says whether the repository has the file or folder.
func (d documents) has(path string) bool {
	path = strings.Trim(strings.TrimPrefix(path, "./"), "/")
	if path == "" {
		path = "."
	}
	_, err := fs.Stat(d.root, path)
	return err == nil
}

// redisConf holds the value of each directive; the last one counts.
type redisConf map[string]string

func parseRedisConf(text string) redisConf {
	conf := redisConf{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" && !strings.HasPrefix(name, "#") {
			conf[strings.ToLower(name)] = strings.TrimSpace(value)
		}
	}
	return conf
}

// ignore is a .dockerignore: the patterns that keep out, and those that let in
// again.
type ignore struct{ out, in []string }

func parseIgnore(text string) ignore {
	var i ignore
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch pattern, in := strings.CutPrefix(line, "!"); {
		case line == "" || strings.HasPrefix(line, "#"):
		case in:
			i.in = append(i.in, pattern)
		default:
			i.out = append(i.out, pattern)
		}
	}
	return i
}

// keepsOut says whether the build cannot see a top-level file or folder.
func (i ignore) keepsOut(path string) bool {
	top, _, _ := strings.Cut(strings.TrimPrefix(path, "./"), "/")
	if slices.Contains(i.in, top) {
		return false
	}
	return slices.Contains(i.out, top) || slices.Contains(i.out, "*")
}
