package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"orderprocessor/internal/programtest"
	"orderprocessor/internal/redistest"
)

// repository is its root.
const repository = "../.."

// TestReadme runs the commands of the README as a reader would, against one running
// system. Those that cannot be run here, as they need Docker or would run this test,
// are compared with the files that they are about. A command of another form fails.
func TestReadme(t *testing.T) {
	for _, program := range []string{"bash", "curl", "make"} {
		programtest.Need(t, program)
	}
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t)
	s.worker()
	r := reader{system: s, home: t.TempDir(), used: map[int]bool{}}
	if err := os.Symlink(binaries, filepath.Join(r.home, "bin")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.home, ".curlrc"), []byte("fail-with-body\nsilent\nshow-error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, command := range commands(block[1]) {
			if err := r.run(command); err != nil {
				t.Errorf("%s\n%v", command, err)
			}
		}
	}
	for n, form := range forms() {
		if !r.used[n] {
			t.Errorf("no command is like %s", form.pattern)
		}
	}
	if st := s.stats(); st.Ledger.Accepted != 2 || s.settled("order-1").Status != "completed" {
		t.Errorf("after all commands: %+v", st)
	}
}

// commands parts a block into its commands, without what is said beside them. A
// command goes on in the next line within quotation marks.
func commands(block string) []string {
	var all []string
	open := false
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "   #")
		line = strings.TrimRight(line, " \n")
		if open {
			all[len(all)-1] += "\n" + line
		} else {
			all = append(all, line)
		}
		open = open != (strings.Count(line, "'")%2 == 1)
	}
	return all
}

// reader has a system and a folder of its own, which has the programs in bin.
type reader struct {
	*system
	home string
	used map[int]bool
}

// form is a command that this test knows, and what is done with it.
type form struct {
	pattern string
	follow  func(r reader, found []string) error
}

func forms() []form {
	return []form{
		{`^go run ./(cmd/orderctl) (dev --sample .+)$`, reader.tryOut},
		{`^make (\w+)$`, func(r reader, f []string) error { return r.bash("make -n -C " + r.root() + " " + f[1]) }},
		{`(?s)^(?:curl|bin/orderctl|echo '.*' \| bin/orderctl) .+$`, func(r reader, f []string) error {
			return r.bash(strings.ReplaceAll(f[0], "http://127.0.0.1:8080", r.url))
		}},
		{`^mkdir -p (.+) && redis-server (.+) --dir (.+)$`, reader.startRedis},
		{`^(.*)bin/(api|worker)$`, reader.startProgram},
		{`^docker compose up --build --scale (worker)=\d+$`, func(_ reader, f []string) error { return compose("\n  " + f[1] + ":\n") }},
		{`^docker compose --profile (\w+) up --build$`, func(_ reader, f []string) error { return compose("profiles: [" + f[1] + "]") }},
	}
}

// run finds the form of a command and follows it.
func (r reader) run(command string) error {
	for n, form := range forms() {
		if found := regexp.MustCompile(form.pattern).FindStringSubmatch(command); found != nil {
			r.used[n] = true
			return form.follow(r, found)
		}
	}
	return errors.New("no test knows such a command")
}

// bash runs a command in the reader's folder, with the system's own settings.
func (r reader) bash(command string, env ...string) error {
	run := exec.CommandContext(r.t.Context(), "bash", "-eu", "-o", "pipefail", "-c", command)
	run.Dir = r.home
	run.Env = append(os.Environ(), "HOME="+r.home, "ORDERCTL_API="+r.url, "REDIS_URL="+asUser(r.redis.URL(), "orders"))
	run.Env = append(run.Env, env...)
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (r reader) root() string {
	root, err := filepath.Abs(repository)
	if err != nil {
		r.t.Fatal(err)
	}
	return root
}

// tryOut runs everything in one go, with a Redis of its own.
func (r reader) tryOut(found []string) error {
	if _, err := os.Stat(filepath.Join(repository, found[1])); err != nil {
		return err
	}
	redis := redistest.Start(r.t)
	return r.bash("bin/"+filepath.Base(found[1])+" "+found[2], programtest.Settings("REDIS_URL="+redis.URL())...)
}

// startRedis starts one on a socket instead of the port that everybody uses.
func (r reader) startRedis(found []string) error {
	if found[1] != found[3] {
		return fmt.Errorf("%s is made, and %s is used", found[1], found[3])
	}
	args := append(strings.Fields(found[2]), "--port", "0", "--unixsocket", filepath.Join(r.t.TempDir(), "s"), "--dir", r.home)
	redis, err := programtest.Launch(programtest.Config{Path: "redis-server", Args: args})
	if err != nil {
		return err
	}
	defer redis.Kill()
	_, err = redis.Await("eady to accept connections")
	return err
}

// startProgram starts one beside those that run, on ports that are free.
func (r reader) startProgram(found []string) error {
	env := strings.Fields(strings.ReplaceAll(found[1], "127.0.0.1:8083", "127.0.0.1:0"))
	p := r.spawn(found[2], env...)
	p.Await(`"msg":"(API is listening|worker is starting)"`)
	p.Stop()
	return nil
}

func compose(part string) error {
	text, err := os.ReadFile(filepath.Join(repository, "docker-compose.yml"))
	if err == nil && !strings.Contains(string(text), part) {
		err = fmt.Errorf("docker-compose.yml has no %q", part)
	}
	return err
}
