package app_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"orderprocessor/internal/app"
	"orderprocessor/internal/redistest"
)

// TestExamineIsRefused holds that a Redis which refuses whoever asks is not taken for
// one that is away.
func TestExamineIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		login string // in REDIS_URL
		user  []string
		says  string
	}{
		{"wrong password", "orders:wrong@", nil, `refuses the user or password of REDIS_URL: WRONGPASS .*\| set REDIS_URL to a user that Redis knows`},
		{"no such user", "somebody:secret@", nil, `refuses the user or password of REDIS_URL: WRONGPASS`},
		{"no password", "", nil, `refuses the user or password of REDIS_URL: NOAUTH`},
		{"not even PING", "orders:secret@", []string{"-ping"}, `the user of REDIS_URL may not run PING \| give the user the rights`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, wellSet()...)
			rdb := server.Client()
			user := append([]string{"on", ">secret"}, rights(t)...)
			must(t, rdb.ACLSetUser(t.Context(), "orders", append(user, tt.user...)...).Err())
			must(t, rdb.ACLSetUser(t.Context(), "default", "resetpass", ">other").Err())
			found := examine(t, strings.Replace(server.URL(), "unix://", "unix://"+tt.login, 1))
			mustFind(t, found, "redis/connection", app.FindingOK, `^unix:.* answers \|`)
			mustFind(t, found, "redis/login", app.FindingProblem, tt.says)
			mustFind(t, found, "redis/everything else", app.FindingNotChecked, `Redis cannot be asked`)
		})
	}
}

// TestExamineWithoutConfig holds that nothing is claimed of settings which Redis does
// not tell.
func TestExamineWithoutConfig(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, wellSet()...)
	rdb := server.Client()
	user := append([]string{"on", ">secret"}, rights(t)...)
	must(t, rdb.ACLSetUser(t.Context(), "orders", append(user, "-config")...).Err())
	found := examine(t, asOrders(server))
	for name, setting := range map[string]string{
		"redis/persistence": "appendfsync", "redis/replication": "min-replicas-to-write", "redis/compact records": "hash-max-listpack-value",
	} {
		mustFind(t, found, name, app.FindingNotChecked, `^this user may not run CONFIG GET, which tells `+setting+` \| $`)
	}

	must(t, rdb.ConfigSet(t.Context(), "appendonly", "no").Err())
	mustFind(t, examine(t, asOrders(server)), "redis/persistence", app.FindingWarning, `keeps no append-only file.*appendonly yes`)
}

// TestExamineReadsReplies goes by what Redis answers while it cannot serve anybody.
func TestExamineReadsReplies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, reply, check, says string }{
		{"loading", "LOADING Redis is loading the dataset in memory", "redis/loading", `^Redis is loading its data: LOADING .*\| wait until`},
		{"protected", "DENIED Redis is running in protected mode", "redis/answer", `^Redis answers with an error: DENIED .*\| see what it says`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := replying(t, "-"+tt.reply)
			found := examine(t, "redis://"+addr)
			mustFind(t, found, "redis/connection", app.FindingOK, addr+`.* answers`)
			mustFind(t, found, tt.check, app.FindingProblem, tt.says)
		})
	}
}

// replying is a Redis that has one reply to every command. It returns its address.
func replying(t *testing.T, reply string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go replyTo(conn, reply)
		}
	}()
	return l.Addr().String()
}

// replyTo answers each command, which begins with the count of its words.
func replyTo(conn net.Conn, reply string) {
	defer func() { _ = conn.Close() }()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "*") {
			_, _ = fmt.Fprintf(conn, "%s\r\n", reply)
		}
	}
}
