package chaos_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
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
// goroutines and keys to stop growing. CHAOS_SOAK says for how long.
func TestSoak(t *testing.T) {
	span := soakFor(t)
	s := open(t, "k soak")
	worked := pick(100*time.Millisecond, 25*time.Millisecond)
	s.shop.treat = func(string, int) reply { return reply{Status: http.StatusOK, After: worked} }
	s.addAPIs(1, "ORDERS_RETENTION="+brief.String())
	s.addWorkers(1, "ORDERS_RETENTION="+brief.String())
	burst := pick(300, 4000)
	begun := time.Now()
	s.client.submitAll(burst, 16, soaked)
	s.until("the burst is worked", patience, func() bool { return s.shop.called("") >= burst })
	capacity := float64(burst) / time.Since(begun).Seconds()
	ctx, enough := context.WithTimeout(t.Context(), span)
	defer enough()
	var sending sync.WaitGroup
	sending.Go(func() {
		s.client.submitSteadily(ctx, int(share*capacity), func(n int) submission { return soaked(burst + n) })
	})
	m := s.sampleUntil(ctx, span/60)
	sending.Wait()
	t.Logf("%.0f orders a second can be worked; %d were sent in %v", capacity, s.shop.called("")-burst, span)
	a := s.concludeByTotals()
	a.checkService()
	m.checkFlat(t)
}

func soaked(n int) submission { return plain(fmt.Sprintf("soak-%07d", n), n) }

func soakFor(t *testing.T) time.Duration {
	t.Helper()
	span, err := time.ParseDuration(cmp.Or(os.Getenv("CHAOS_SOAK"), pick("15s", "10m")))
	if err != nil {
		t.Fatalf("CHAOS_SOAK: %v", err)
	}
	return span
}

// measures are the samples of each thing that must not grow.
type measures map[string][]float64

// tolerated is how much more of a thing is no growth, beside a tenth of it: what
// chance makes of few samples.
func tolerated() map[string]float64 {
	const mebibyte = 1 << 20
	return map[string]float64{
		"process_resident_memory_bytes": 24 * mebibyte, // Go gives memory back late
		"go_goroutines":                 64,            // connections that come and go
		"keys":                          500,           // orders between two rounds of forgetting
		"used_memory":                   4 * mebibyte,  // buffers of the append-only file
	}
}

// sampleUntil measures again and again until ctx ends.
func (s *system) sampleUntil(ctx context.Context, every time.Duration) measures {
	m := measures{}
	addresses := map[string]string{"API": s.adminURL(s.apis[0]), "worker": s.adminURL(s.workers[0])}
	for ; ctx.Err() == nil; wait(every) {
		for program, address := range addresses {
			for _, name := range []string{"process_resident_memory_bytes", "go_goroutines"} {
				m.add(program+" "+name, s.gauge(address, name))
			}
		}
		m.add("Redis keys", float64(s.rdb.DBSize(s.t.Context()).Val()))
		used, _ := s.rdb.InfoMap(s.t.Context(), "memory").Result()
		n, _ := strconv.ParseFloat(used["Memory"]["used_memory"], 64)
		m.add("Redis used_memory", n)
	}
	return m
}

func (m measures) add(name string, value float64) { m[name] = append(m[name], value) }

// checkFlat wants the last third of each measure not to be above the second.
func (m measures) checkFlat(t *testing.T) {
	t.Helper()
	for name, samples := range m {
		third := len(samples) / 3
		if third < 3 || slices.Min(samples) <= 0 {
			t.Errorf("%s has the samples %v, want some that tell", name, samples)
			continue
		}
		before, after := mean(samples[third:2*third]), mean(samples[2*third:])
		_, kind, _ := strings.Cut(name, " ")
		t.Logf("%s: %.0f in the second third, %.0f in the last", name, before, after)
		if after > 1.1*before+tolerated()[kind] {
			t.Errorf("%s grows from %.0f to %.0f", name, before, after)
		}
	}
}

func mean(samples []float64) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += v
	}
	return sum / float64(len(samples))
}

// adminURL is the admin address of the program in a slot.
func (s *system) adminURL(l *slot) string {
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
	resp, err := s.client.http.Get(address + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		s.t.Fatalf("%s has no metric %s", address, name)
	}
	value, _ := strconv.ParseFloat(string(m[1]), 64)
	return value
}
