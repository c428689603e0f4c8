package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// share is the part of the capacity at which the system soaks.
const share = 0.7

// TestSoak works orders at a steady rate, below what it could, and wants memory,
// goroutines and keys to stop growing. What still grows after its span gets more time, as caches fill more slowly on a machine that is busy: what leaks
// never stops.
func TestSoak(t *testing.T) {
	span := shortOrLong(15*time.Second, 10*time.Minute)
	s := open(t, "k soak")
	worked := shortOrLong(100*time.Millisecond, 25*time.Millisecond)
	s.shop.respond = func(string, int) reply { return reply{Status: http.StatusOK, After: worked} }
	s.addAPIs(1, "ORDERS_RETENTION="+shortRetention.String())
	s.addWorkers(1, "ORDERS_RETENTION="+shortRetention.String())
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
	for window := 0; window == 0 || window < shortOrLong(10, 1) && len(m.growing()) > 0; window++ {
		s.sample(m, span)
	}
	enough()
	sending.Wait()
	t.Logf("%.0f orders a second can be worked; %d were sent in %v", capacity, s.shop.called("")-burst, span)
	a := s.concludeByTotals()
	a.checkService()
	for name, third := range m.thirds() {
		t.Logf("%s: %.0f in the second third, %.0f in the last", name, third[0], third[1])
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

func soakOrder(n int) submission { return plain(fmt.Sprintf("soak-%07d", n), n) }

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
	}
}

// samplesOfSpan is how many samples a span gives, even if it lasts longer for that.
const samplesOfSpan = 60

// sample measures again and again for a span.
func (s *system) sample(m measures, span time.Duration) {
	s.t.Helper()
	addresses := map[string]string{"API": s.adminURL(s.apis[0]), "worker": s.adminURL(s.workers[0])}
	for range samplesOfSpan {
		for program, address := range addresses {
			for _, name := range []string{"process_resident_memory_bytes", "go_goroutines"} {
				m.add(program+" "+name, s.gauge(address, name))
			}
		}
		keys, err := s.rdb.DBSize(s.t.Context()).Result()
		if err != nil {
			s.t.Fatal(err)
		}
		m.add("Redis keys", float64(keys))
		m.add("Redis used_memory", float64(number(s.redisInfo("Memory", "used_memory"))))
		wait(span / samplesOfSpan)
	}
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
