package queue_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"orderprocessor/internal/order"
	"orderprocessor/internal/programtest"
	"orderprocessor/internal/queue"
	"orderprocessor/internal/queue/queuetest"
	"orderprocessor/internal/stats"
)

// TestWorkers counts the slots of all consumers alive, and the processes they are in.
func TestWorkers(t *testing.T) {
	b := open(t)
	i, begun := queue.NewInspector(b.RDB, 1), time.Now()
	reaches := func(slots int) {
		t.Helper()
		want := stats.WorkerPool{Workers: min(slots, 1), Slots: slots} // all are in this process
		programtest.Until(t, "slots are counted", func() bool {
			f, err := i.Workers(t.Context())
			return err == nil && f == want
		})
	}
	nothing := func(context.Context, string) error { return nil }
	seven, two := config(), config()
	seven.Concurrency, seven.Servers, seven.ReservedCritical = 7, 3, 2
	two.Concurrency = 2
	stopSeven := b.consume(t, seven, nothing)
	reaches(7)
	stopTwo := b.consume(t, two, nothing)
	reaches(9)
	host, err := os.Hostname()
	queuetest.Must(t, err)
	found, err := i.Processes(t.Context())
	queuetest.Must(t, err)
	if p := found[0]; p.Host != host || p.PID != os.Getpid() || p.StartedAt.Before(begun) || p.SeenAt.Before(begun.Truncate(time.Second)) || p.SeenAt.After(time.Now()) {
		t.Errorf("the process is %+v", p)
	}
	stopSeven()
	reaches(2)
	stopTwo()
	reaches(0)
}

// TestDrainingWorkers checks that a consumer which takes nothing more has no slots,
// although it still runs. Asynq's heartbeat shows it five seconds later, so this test is
// slow.
func TestDrainingWorkers(t *testing.T) {
	b := open(t)
	i := queue.NewInspector(b.RDB, 1)
	working, release := make(chan struct{}), make(chan struct{})
	b.enqueue(t, order.QueueDefault, "o1")
	cancel, ended := b.start(t, config(), func(context.Context, string) error {
		close(working)
		<-release
		return nil
	})
	queuetest.Receive(t, "the order is worked", working)
	cancel()
	programtest.Until(t, "no slots are counted", func() bool {
		f, err := i.Workers(t.Context())
		return err == nil && f == stats.WorkerPool{}
	})
	if running, err := i.Processes(t.Context()); err != nil || len(running) != 1 || running[0].Slots != 0 {
		t.Errorf("the processes are %+v, %v", running, err)
	}
	close(release)
	queuetest.Receive(t, "Run returns", ended)
}

// TestWorkersWithAWrongClock checks that Workers changes nothing, and that a server whose own
// clock is wrong counts while Redis holds its heartbeat.
func TestWorkersWithAWrongClock(t *testing.T) {
	b := open(t)
	b.consume(t, config(), func(context.Context, string) error { return nil })
	i := queue.NewInspector(b.RDB, 1)
	var alive stats.WorkerPool
	programtest.Until(t, "the worker is alive", func() bool {
		var err error
		alive, err = i.Workers(t.Context())
		return err == nil && alive.Workers == 1
	})
	listed := b.servers(t)
	for n := range listed {
		listed[n].Score = 1 // the first second of 1970
	}
	listed = append(listed, redis.Z{Score: 2, Member: "asynq:servers:{gone:1:x}"})
	queuetest.Must(t, b.RDB.ZAdd(t.Context(), "asynq:servers", listed...).Err())
	if got, err := i.Workers(t.Context()); got != alive || err != nil {
		t.Errorf("workers %+v, %v, want %+v", got, err, alive)
	}
	if n := len(b.servers(t)); n != len(listed) {
		t.Errorf("%d of %d servers are listed afterwards", n, len(listed))
	}
}

// forgotten is the entry of a server that was killed long ago.
var forgotten = redis.Z{Score: 1_700_000_000, Member: "long ago"}

// TestForgetDeadWorkers checks that a worker that starts removes from the lists what killed
// ones have left there, and nothing else.
func TestForgetDeadWorkers(t *testing.T) {
	b := open(t)
	recent := redis.Z{Score: float64(time.Now().Add(-time.Minute).Unix()), Member: "a minute ago"}
	for _, list := range []string{"asynq:servers", "asynq:workers"} {
		queuetest.Must(t, b.RDB.ZAdd(t.Context(), list, forgotten, recent).Err())
	}
	b.consume(t, config(), func(context.Context, string) error { return nil })
	for _, list := range []string{"asynq:servers", "asynq:workers"} {
		programtest.Until(t, list+" has forgotten", func() bool {
			return b.RDB.ZScore(t.Context(), list, forgotten.Member.(string)).Err() != nil
		})
		if err := b.RDB.ZScore(t.Context(), list, recent.Member.(string)).Err(); err != nil {
			t.Errorf("%s has forgotten too much: %v", list, err)
		}
	}
}

// servers lists what Asynq has listed.
func (b *bundle) servers(t *testing.T) []redis.Z {
	t.Helper()
	listed, err := b.RDB.ZRangeWithScores(t.Context(), "asynq:servers", 0, -1).Result()
	queuetest.Must(t, err)
	return listed
}
