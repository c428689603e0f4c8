package cli

import (
	"context"
	"errors"

	"orderprocessor/internal/app"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
)

// The areas of what doctor finds beside those of app.Examine.
const (
	areaSettings = "settings"
	areaRedis    = "redis" // that of app.Examine
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
	// namesRedis says that the environment tells where Redis is; else the default of
	// the programs is looked at.
	namesRedis bool
	// programs are the admin addresses to ask.
	programs []program
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
	s.redis, s.hasRedis, s.namesRedis = only.Redis, err == nil, w.env("REDIS_URL") != ""
	s.programs = programsOf(w.env("ORDERS_ADMIN_ADDR"))
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

func (s settings) examineRedis(ctx context.Context) (found []app.Finding, asked bool) {
	if s.hasRedis {
		if found, asked = app.Examine(ctx, s.redis); asked {
			found = append(found, app.ExamineVersions(ctx, s.redis))
		}
		return found, asked
	}
	return []app.Finding{{
		Area: areaRedis, Check: "connection", State: app.FindingNotChecked, Found: "REDIS_URL does not say where Redis is",
	}}, false
}

// noRedisHere stands for what was found of a Redis that nobody named and that cannot
// be asked, while the API answers: then the programs have another one.
func (s settings) noRedisHere(found []app.Finding) app.Finding {
	f := app.Finding{
		Area: areaRedis, Check: "connection", State: app.FindingNotChecked,
		Found:  "REDIS_URL is not set here, and there is none at " + s.redis.String(),
		Advice: "load the settings of the programs, or run doctor where they run",
	}
	if found[0].State == app.FindingOK {
		f.Found = "REDIS_URL is not set here, and the Redis at " + s.redis.String() + " cannot be asked without it"
	}
	return f
}
