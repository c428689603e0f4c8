package ctl

import (
	"context"
	"errors"
	"net/http"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
)

// program is one that may run on this machine, by its admin address.
type program struct {
	// name is what runs there: which of them is not known of an address that both
	// may be given.
	name, addr string
}

// programsOf returns the programs to ask, given the value of ORDERS_ADMIN_ADDR: the
// one that it belongs to, or those at the default addresses. There are none if the
// value is no address.
func programsOf(adminAddr string) []program {
	api, worker, err := config.LoadAll([]string{"ORDERS_ADMIN_ADDR=" + adminAddr})
	switch {
	case err != nil:
		return nil
	case adminAddr != "":
		return []program{{"program", reachable(api.AdminAddr)}}
	default:
		return []program{{"API", reachable(api.AdminAddr)}, {"worker", reachable(worker.AdminAddr)}}
	}
}

// examineAdmin asks the programs whether they are ready.
func (s settings) examineAdmin(ctx context.Context) []app.Finding {
	found := make([]app.Finding, len(s.programs))
	parts := make([]func(), len(s.programs))
	for i, p := range s.programs {
		parts[i] = func() { found[i] = p.examine(ctx) }
	}
	together(parts...)
	return found
}

func (p program) examine(ctx context.Context) app.Finding {
	f := app.Finding{Area: areaAdmin, Check: p.name + " at " + p.addr, State: app.FindingOK, Found: "ready"}
	err := askReady(ctx, p.addr)
	var answer *AnswerError
	switch {
	case err == nil:
	case errors.As(err, &answer) && answer.Status == http.StatusServiceUnavailable:
		f.State, f.Found = app.FindingProblem, "not ready: "+answer.Error()
		f.Advice = "see the findings about Redis and the clock, and the log of the program"
	default:
		f.State, f.Found = app.FindingNotChecked, "no "+p.name+" answers there; it may run elsewhere, or with another ORDERS_ADMIN_ADDR"
	}
	return f
}

// askReady asks an admin address for /readyz, which needs no key.
func askReady(ctx context.Context, addr string) error {
	client, err := NewClient("http://"+addr, "", 1)
	if err != nil {
		return err
	}
	defer client.Close()
	client.http.Timeout = doctorPatience
	_, _, err = client.send(ctx, request{method: http.MethodGet, path: []string{"readyz"}})
	return err
}
