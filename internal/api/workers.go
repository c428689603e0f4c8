package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"orderprocessor/internal/ledger"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// workerView is the JSON of a worker process.
type workerView struct {
	ID                  string          `json:"id"`
	Host                string          `json:"host"`
	Version             string          `json:"version"`
	StartedAt           order.Timestamp `json:"started_at"`
	HeartbeatAgeSeconds int64           `json:"heartbeat_age_seconds"`
	Slots               int             `json:"slots"`
	Busy                int             `json:"busy"`
	Orders              []workedView    `json:"orders"`
}

// workedView is the JSON of an order in work.
type workedView struct {
	ID             string  `json:"id"`
	Attempt        int     `json:"attempt"`
	RunningSeconds float64 `json:"running_seconds"`
}

type workersView struct {
	Workers []workerView `json:"workers"`
}

// listWorkers answers GET /workers.
func (s *Server) listWorkers(c *fiber.Ctx) error {
	ctx := c.UserContext()
	processes, err := s.Processes.Processes(ctx)
	if err != nil {
		return err
	}
	programs, err := s.Attempts.Programs(ctx)
	if err != nil {
		return err
	}
	attempts, err := s.Attempts.OpenAttempts(ctx, maxWorked)
	if err != nil {
		return err
	}
	now, err := s.Attempts.Now(ctx)
	if err != nil {
		return err
	}
	slices.SortStableFunc(attempts, func(a, b ledger.OpenAttempt) int { return a.StartedAt.Compare(b.StartedAt) })
	v := workersView{Workers: make([]workerView, len(processes))}
	for i, p := range processes {
		v.Workers[i] = viewWorker(p, programOf(p, programs), attempts, now)
	}
	slices.SortFunc(v.Workers, func(a, b workerView) int { return strings.Compare(a.ID, b.ID) })
	return c.JSON(v)
}

// programOf returns the program that a process is. Its name says so, and of two with the
// same host and process id the one that announced itself last is alive. A process that has
// not announced itself has no version.
func programOf(p stats.Process, programs []ledger.Program) ledger.Program {
	found := ledger.Program{Name: fmt.Sprintf("%s-%d", p.Host, p.PID)}
	start := found.Name + "-"
	for _, program := range programs {
		if rest, ok := strings.CutPrefix(program.Name, start); ok && program.Kind == ledger.KindWorker && !strings.Contains(rest, "-") {
			found = program
		}
	}
	return found
}

// viewWorker shows a process with its attempts, the longest first.
func viewWorker(p stats.Process, program ledger.Program, attempts []ledger.OpenAttempt, now time.Time) workerView {
	v := workerView{
		ID: program.Name, Host: p.Host, Version: program.Version, StartedAt: order.Timestamp{Time: p.StartedAt}, Slots: p.Slots, Orders: []workedView{},
		HeartbeatAgeSeconds: max(0, int64(now.Sub(p.SeenAt).Seconds())),
	}
	for _, a := range attempts {
		if a.Worker != v.ID {
			continue
		}
		v.Busy++
		if len(v.Orders) < maxWorkedOfWorker {
			v.Orders = append(v.Orders, workedView{a.OrderID, a.Number, max(0, hundredths(now.Sub(a.StartedAt).Seconds()))})
		}
	}
	return v
}
