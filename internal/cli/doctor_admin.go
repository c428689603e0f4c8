package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
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
	version, err := askReady(ctx, p.addr)
	var answer *AnswerError
	switch {
	case err == nil:
		judgeVersion(&f, version, app.Version())
	case errors.As(err, &answer) && answer.Status == http.StatusServiceUnavailable:
		f.State, f.Found = app.FindingProblem, "not ready: "+answer.Error()
		f.Advice = "see the findings about Redis and the clock, and the log of the program"
	default:
		f.State, f.Found = app.FindingNotChecked, "no "+p.name+" answers there; it may run elsewhere, or with another ORDERS_ADMIN_ADDR"
	}
	return f
}

// judgeVersion compares the version of a program that is ready, empty if it does not
// tell, with that of orderctl.
func judgeVersion(f *app.Finding, version, own string) {
	if version != own && app.TellsBuild(own) {
		version = cmp.Or(order.Printable(version), "a build that does not tell its version")
		f.State, f.Found = app.FindingWarning, "ready, of "+version+"; orderctl is of "+own
		f.Advice = app.AdviceOneBuild
	}
}

// askReady asks an admin address for /readyz, which needs no key, and returns the
// version of the program; one that is not ready is an error.
func askReady(ctx context.Context, addr string) (version string, err error) {
	client, err := NewClient("http://"+addr, "", 1)
	if err != nil {
		return "", err
	}
	defer client.Close()
	client.http.Timeout = doctorPatience
	text, _, err := client.send(ctx, request{method: http.MethodGet, path: []string{"readyz"}})
	if err != nil {
		return "", err
	}
	var v struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(text, &v) != nil {
		return "", errNotTheAPI
	}
	return v.Version, nil
}
