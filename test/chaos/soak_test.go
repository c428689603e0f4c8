package chaos_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSoak works orders at a steady rate, below what it could, and wants memory,
// goroutines and keys to stop growing. What still grows after its span gets more time, as
// caches fill more slowly on a machine that is busy: what leaks never stops.
func TestSoak(t *testing.T) {
	s := open(t, "k soak")
	s.more = []string{"ORDERS_RETENTION=" + shortRetention.String()}
	s.soak(0.7, shortOrLong(15*time.Second, 10*time.Minute), shortOrLong(10, 1), s.sample)
}

// TestSoakDay is TestSoak at half of the capacity for as long as DAY says. Finished orders go to
// an archive and leave it, and files and latency must not grow either.
func TestSoakDay(t *testing.T) {
	span, err := time.ParseDuration(os.Getenv("DAY"))
	if err != nil {
		t.Skip("make day runs this test, and DAY says for how long")
	}
	s := open(t, "x a day")
	file := filepath.Join(t.TempDir(), "archive.db")
	s.more = []string{"ORDERS_RETENTION=2m", "ORDERS_ARCHIVE_URL=sqlite://" + file, "ORDERS_ARCHIVE_RETENTION=10m", "ORDERS_ID_RETENTION=10m"}
	answered := 0
	s.soak(0.5, span, 1, func(m measures) {
		s.sample(m)
		m.add("Redis aof_current_size", float64(number(s.redisInfo("Persistence", "aof_current_size"))))
		archived := 0.0
		for _, name := range []string{file, file + "-wal"} {
			if info, err := os.Stat(name); err == nil {
				archived += float64(info.Size())
			}
		}
		m.add("archive file_size", archived)
		answers := s.client.journal.from(answered)
		answered += len(answers)
		slices.SortFunc(answers, func(a, b sending) int { return cmp.Compare(a.Took, b.Took) })
		for name, part := range map[string]float64{"answer p50_seconds": 0.5, "answer p99_seconds": 0.99} {
			m.add(name, answers[int(part*float64(len(answers)))].Took.Seconds())
		}
	})
}

// samplesOfSpan is how many samples a span gives, even if it lasts longer for that.
const samplesOfSpan = 60

// soak sends orders for a span, at a share of what can be worked, and for up to so many spans
// while anything grows that sample measures.
func (s *system) soak(share float64, span time.Duration, spans int, sample func(measures)) {
	t := s.t
	worked := shortOrLong(100*time.Millisecond, 25*time.Millisecond)
	s.shop.respond = func(string, int) reply { return reply{Status: http.StatusOK, After: worked} }
	s.addAPIs(1)
	s.addWorkers(1)
	burst := shortOrLong(300, 4000)
	begun := time.Now()
	s.client.submitAll(burst, 16, soakOrder)
	s.until("the burst is worked", func() bool { return s.shop.called("") >= burst })
	capacity := float64(burst) / time.Since(begun).Seconds()
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var sending sync.WaitGroup
	sending.Go(func() {
		s.client.submitSteadily(ctx, int(share*capacity), func(n int) submission { return soakOrder(burst + n) })
	})
	m := measures{}
	for n := 0; n == 0 || n < spans && len(m.growing()) > 0; n++ {
		for range samplesOfSpan {
			wait(span / samplesOfSpan)
			sample(m)
		}
	}
	enough()
	sending.Wait()
	t.Logf("%.0f orders a second can be worked; %d were sent in %v", capacity, s.shop.called("")-burst, span)
	a := s.concludeByTotals()
	a.checkService()
	for name, third := range m.thirds() {
		t.Logf("%s: %.4g in the second third, %.4g in the last", name, third[0], third[1])
	}
	for name, samples := range m {
		if slices.Min(samples) <= 0 {
			t.Errorf("%s has the samples %v, want positive ones", name, samples)
		}
	}
	for _, name := range m.growing() {
		t.Errorf("%s grows: %v", name, m[name])
	}
}

// soakOrder returns the n-th order. Its amount never reaches the limit of the rules.
func soakOrder(n int) submission { return plain(fmt.Sprintf("soak-%07d", n), n%1000) }

// measures are the samples of each thing that must not grow.
type measures map[string][]float64

// tolerated is how much more of a thing is no growth, besides a tenth of it: the
// noise of few samples.
func tolerated() map[string]float64 {
	const mebibyte = 1 << 20
	return map[string]float64{
		"process_resident_memory_bytes": 24 * mebibyte, // Go gives memory back late
		"go_goroutines":                 64,            // connections that come and go
		"keys":                          500,           // orders between two rounds of forgetting
		"used_memory":                   4 * mebibyte,  // buffers of the append-only file
		"aof_current_size":              16 * mebibyte, // where between two rewrites the samples fall
		"p50_seconds":                   0.002,         // other work of the machine
		"p99_seconds":                   0.02,
	}
}

// sample measures the programs and Redis.
func (s *system) sample(m measures) {
	s.t.Helper()
	for program, l := range map[string]*instance{"API": s.apis[0], "worker": s.workers[0]} {
		for _, name := range []string{"process_resident_memory_bytes", "go_goroutines"} {
			m.add(program+" "+name, s.gauge(s.adminURL(l), name))
		}
	}
	keys, err := s.rdb.DBSize(s.t.Context()).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	m.add("Redis keys", float64(keys))
	m.add("Redis used_memory", float64(number(s.redisInfo("Memory", "used_memory"))))
}

func (m measures) add(name string, value float64) { m[name] = append(m[name], value) }

// thirds returns the means of the second and of the last third of each measure.
func (m measures) thirds() map[string][2]float64 {
	all := map[string][2]float64{}
	for name, samples := range m {
		third := len(samples) / 3
		all[name] = [2]float64{mean(samples[third : 2*third]), mean(samples[2*third:])}
	}
	return all
}

// growing returns the measures of which the last third is above the second.
func (m measures) growing() []string {
	var all []string
	for name, third := range m.thirds() {
		_, kind, _ := strings.Cut(name, " ")
		if third[1] > 1.1*third[0]+tolerated()[kind] {
			all = append(all, name)
		}
	}
	return all
}

func mean(samples []float64) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += v
	}
	return sum / float64(len(samples))
}

// adminURL is the admin address of the program in a slot.
func (s *system) adminURL(l *instance) string {
	s.t.Helper()
	addr, err := l.current.Load().Await(`"admin_addr":"([^"]+)"`)
	if err != nil {
		s.t.Fatal(err)
	}
	return "http://" + addr
}

// gauge reads one metric of a program.
func (s *system) gauge(address, name string) float64 {
	s.t.Helper()
	metrics := s.client.At(address).Send(http.MethodGet, "/metrics", "").Body
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(metrics)
	if m == nil {
		s.t.Fatalf("%s has no metric %s", address, name)
	}
	value, _ := strconv.ParseFloat(string(m[1]), 64)
	return value
}
