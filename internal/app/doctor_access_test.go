package app_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orderprocessor/internal/app"
	"orderprocessor/internal/redistest"
)

// rights are those that deployments give to the programs.
func rights(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/redis-users.acl")
	must(t, err)
	return strings.Fields(regexp.MustCompile(`(?m)^user orders on \S+ (.*)$`).FindStringSubmatch(string(text))[1])
}

// TestExamineAsUsers holds that the examination works under the rights of the
// deployment without leaving a refusal behind, and names what a user lacks.
func TestExamineAsUsers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		more  []string
		state app.FindingState
		says  string
	}{
		{"deployment", nil, app.FindingOK, `everything`},
		{"no zadd", []string{"-zadd"}, app.FindingProblem, `may not run zadd orders:\{b0\}:c, zadd asynq:.*deploy/redis-users.acl`},
		{"no queues", []string{"resetkeys", "~orders:*"}, app.FindingProblem, `may not run get rate:x, set rate:x, exists asynq:.* and \d+ more`},
		{"no channel", []string{"resetchannels"}, app.FindingProblem, `may not run publish asynq:wake, subscribe asynq:wake`},
		{"no scripts", []string{"-eval"}, app.FindingProblem, `may not run EVAL`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			user := append([]string{"on", ">secret"}, rights(t)...)
			must(t, rdb.ACLSetUser(t.Context(), "orders", append(user, tt.more...)...).Err())
			found := examine(t, asOrders(server))
			mustFind(t, found, "access/permissions", tt.state, tt.says)
			if tt.more != nil {
				return
			}
			mustFind(t, found, "books/types of keys", app.FindingNotChecked, `may not run TYPE`)
			if refused := rdb.ACLLog(t.Context(), 10).Val(); len(refused) > 0 {
				t.Errorf("Redis refused %+v", refused[0])
			}
		})
	}
}

// asOrders is the address of a server for the user of deployments.
func asOrders(s *redistest.Server) string {
	return strings.Replace(s.URL(), "unix://", "unix://orders:secret@", 1)
}

// TestExamineMissesNoRight takes each right of the deployment away once, but for
// those of connections, of Asynqmon, of a Cluster, and those that are looked at
// elsewhere.
func TestExamineMissesNoRight(t *testing.T) {
	t.Parallel()
	others := []string{
		"auth", "hello", "select", "client|setname", "ping", "eval", "config|get", "unsubscribe",
		"hvals", "memory|usage", "command", "readonly",
		"cluster|info", "cluster|keyslot", "cluster|nodes", "cluster|slots",
	}
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	for _, right := range rights(t) {
		command, isCommand := strings.CutPrefix(right, "+")
		if !isCommand || slices.Contains(others, command) {
			continue
		}
		user := append([]string{"reset", "on", ">secret"}, rights(t)...)
		must(t, rdb.ACLSetUser(t.Context(), "orders", append(user, "-"+command)...).Err())
		name, _, _ := strings.Cut(command, "|")
		mustFind(t, examine(t, asOrders(server)), "access/permissions", app.FindingProblem, `may not run (.*, )?`+name+` `)
	}
}
