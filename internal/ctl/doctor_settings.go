package ctl

import (
	"context"
	"errors"
	"net/http"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// The areas of what doctor finds beside those of app.Examine.
const (
	areaSettings = "settings"
	areaAPI      = "api"
	areaAdmin    = "admin"
)

// settings is what the environment asks for.
type settings struct {
	api    config.API
	worker config.Worker
	wrong  error
	// redis is where to look, as far as that much is right.
	redis    config.Redis
	hasRedis bool
}

// readSettings reads the environment as the programs do. Where something is wrong,
// the defaults stand in for it, and Redis is where REDIS_URL says all the same.
func readSettings(w *World) settings {
	var s settings
	s.api, s.worker, s.wrong = config.LoadAll(w.Environ)
	if s.wrong != nil {
		s.api, s.worker, _ = config.LoadAll(nil)
	}
	only, _, err := config.LoadAll([]string{"REDIS_URL=" + w.env("REDIS_URL")})
	s.redis, s.hasRedis = only.Redis, err == nil
	return s
}

// findings says what is wrong with the settings.
func (s settings) findings() []app.Finding {
	var wrong *config.Error
	if errors.As(s.wrong, &wrong) {
		found := make([]app.Finding, len(wrong.Problems))
		for i, p := range wrong.Problems {
			found[i] = app.Finding{
				Area: areaSettings, Check: order.Printable(p.Name), State: app.FindingProblem, Found: order.Printable(p.String()),
				Advice: "correct it; the API and the worker do not start with it",
			}
		}
		return found
	}
	valid := app.Finding{Area: areaSettings, Check: "environment", State: app.FindingOK, Found: "every variable is valid"}
	return append([]app.Finding{valid}, s.risks()...)
}

// risks are settings that are valid, and that an operator should know of.
func (s settings) risks() []app.Finding {
	var found []app.Finding
	if s.worker.FulfilmentURL != "" && s.worker.FulfilmentSecret.Reveal() == "" {
		found = append(found, app.Finding{
			Area: areaSettings, Check: "fulfilment", State: app.FindingWarning, Found: "calls to the shop are not signed",
			Advice: "set ORDERS_FULFILMENT_SECRET, so that the shop can tell them from others'",
		})
	}
	if s.api.Insecure && len(s.api.Keys) == 0 {
		found = append(found, app.Finding{
			Area: areaSettings, Check: "keys", State: app.FindingWarning, Found: "whoever reaches the API may do everything",
			Advice: "make keys with orderctl keys new, set ORDERS_API_KEYS, and take ORDERS_INSECURE away",
		})
	}
	return found
}

func (s settings) examineRedis(ctx context.Context) []app.Finding {
	if s.hasRedis {
		return app.Examine(ctx, s.redis)
	}
	return []app.Finding{{
		Area: "redis", Check: "connection", State: app.FindingNotChecked, Found: "REDIS_URL does not say where Redis is",
	}}
}

// examineAdmin asks the programs that may run on this machine whether they are ready.
func (s settings) examineAdmin(ctx context.Context) []app.Finding {
	return together(
		func() []app.Finding { return []app.Finding{examineReady(ctx, "API", s.api.AdminAddr)} },
		func() []app.Finding { return []app.Finding{examineReady(ctx, "worker", s.worker.AdminAddr)} },
	)
}

func examineReady(ctx context.Context, program, addr string) app.Finding {
	at := reachable(addr)
	f := app.Finding{Area: areaAdmin, Check: program, State: app.FindingOK, Found: "ready at " + at}
	err := askReady(ctx, at)
	var answer *AnswerError
	switch {
	case err == nil:
	case errors.As(err, &answer) && answer.Status == http.StatusServiceUnavailable:
		f.State, f.Found = app.FindingProblem, "not ready at "+at+": "+answer.Error()
		f.Advice = "see the findings about Redis and the clock, and the log of the program"
	default:
		f.State, f.Found = app.FindingNotChecked, "no "+program+" answers at "+at+"; it may run elsewhere, or with another ORDERS_ADMIN_ADDR"
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
