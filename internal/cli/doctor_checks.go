package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"orderprocessor/internal/app"
	"orderprocessor/internal/client"
	"orderprocessor/internal/config"
	"orderprocessor/internal/order"
	"orderprocessor/internal/stats"
)

// finding is what was found, which may be text of others, and what to do about it.
func finding(state app.FindingState, area, check, found, advice string) app.Finding {
	return app.Finding{Area: area, Check: check, State: state, Found: order.Printable(found), Advice: advice}
}

// settings is what the environment configures.
type settings struct {
	api    config.API
	worker config.Worker
	err    error
	// redis is where to check, if hasRedis; redisNamed is set if the environment
	// names it, otherwise it is the default of the programs.
	redis                config.Redis
	hasRedis, redisNamed bool
	programs             []program
}

// readSettings reads the environment as the programs do. Where something is wrong,
// REDIS_URL is used on its own.
func readSettings(w *World) settings {
	var s settings
	s.api, s.worker, s.err = config.LoadAll(w.Environ)
	only, _, err := config.LoadAll([]string{"REDIS_URL=" + w.env("REDIS_URL")})
	s.redis, s.hasRedis, s.redisNamed = only.Redis, err == nil, w.env("REDIS_URL") != ""
	s.programs = programsAt(w.env("ORDERS_ADMIN_ADDR"))
	return s
}

// findings checks the settings themselves.
func (s settings) findings() (found []app.Finding) {
	const area = "settings"
	var invalid *config.Error
	if errors.As(s.err, &invalid) {
		for _, p := range invalid.Problems {
			found = append(found, finding(app.FindingProblem, area, order.Printable(p.Name), p.String(), "correct it; the API and the worker do not start with it"))
		}
		return found
	}
	found = []app.Finding{finding(app.FindingOK, area, "environment", "every variable is valid", "")}
	if s.worker.FulfilmentURL != "" && s.worker.FulfilmentSecret.Reveal() == "" {
		found = append(found, finding(app.FindingWarning, area, "fulfilment", "calls to the shop are not signed",
			"set ORDERS_FULFILMENT_SECRET, so that the shop can recognise them"))
	}
	if s.api.Insecure && len(s.api.Keys) == 0 {
		found = append(found, finding(app.FindingWarning, area, "keys", "whoever reaches the API may do everything",
			"make keys with orderctl keys new, set ORDERS_API_KEYS, and remove ORDERS_INSECURE"))
	}
	return found
}

func (s settings) examineRedis(ctx context.Context) (found []app.Finding, answers bool) {
	if !s.hasRedis {
		return []app.Finding{finding(app.FindingNotChecked, "redis", "connection", "REDIS_URL does not say where Redis is", "")}, false
	}
	books := 0
	if s.redisNamed && s.err == nil {
		books = s.api.Books
	}
	if found, answers = app.Examine(ctx, s.redis, books); answers {
		found = append(found, app.ExamineVersions(ctx, s.redis))
	}
	return found, answers
}

func (s settings) examineArchive(ctx context.Context) []app.Finding {
	if s.err != nil || s.worker.Archive.Reveal() == "" {
		return nil
	}
	return []app.Finding{app.ExamineArchive(ctx, s.worker.Archive)}
}

// redisNotNamed replaces the findings about a Redis that nobody named and that cannot
// be asked, while the API answers: then the programs use another one.
func (s settings) redisNotNamed(found []app.Finding) app.Finding {
	text := "REDIS_URL is not set here, and there is none at " + s.redis.String()
	if found[0].State == app.FindingOK {
		text = "REDIS_URL is not set here, and the Redis at " + s.redis.String() + " cannot be asked without it"
	}
	return finding(app.FindingNotChecked, "redis", "connection", text, "load the settings of the programs, or run doctor where they run")
}

// examine asks a program whether it is ready, which needs no key.
func (p program) examine(ctx context.Context) app.Finding {
	const area = "admin"
	check := p.name + " at " + p.addr
	var version string
	admin, err := client.New("http://"+p.addr, client.Options{Timeout: doctorTimeout})
	if err == nil {
		defer admin.Close()
		version, err = admin.Ready(ctx)
	}
	switch {
	case err == nil:
		return checkVersion(area, check, version, app.Version())
	case client.HasStatus(err, http.StatusServiceUnavailable):
		return finding(app.FindingProblem, area, check, "not ready: "+err.Error(), "see the findings about Redis and the clock, and the log of the program")
	default:
		return finding(app.FindingNotChecked, area, check, "no "+p.name+" answers there; it may run elsewhere, or with another ORDERS_ADMIN_ADDR", "")
	}
}

// checkVersion compares the version of a program that is ready, empty if it does not
// know it, with that of orderctl.
func checkVersion(area, check, version, own string) app.Finding {
	if version == own || !app.NamesCommit(own) {
		return finding(app.FindingOK, area, check, "ready", "")
	}
	version = cmp.Or(version, "a build that does not know its version")
	return finding(app.FindingWarning, area, check, "ready, of "+version+"; orderctl is of "+own, app.AdviceOneBuild)
}

const areaAPI = "api"

// examineAPI checks the API and the key to it. It reports whether the API answers.
func examineAPI(ctx context.Context, api *client.Client) (found []app.Finding, answers bool) {
	verdict, err := api.Verdict(ctx)
	found = []app.Finding{checkAddress(api), checkVerdict(verdict, err)}
	if errors.As(err, new(*client.UnreachableError)) {
		return found, false
	}
	got, err := api.Stats(ctx)
	if errors.Is(err, client.ErrNotAPI) {
		return append(found, checkKey(api, nil), finding(app.FindingProblem, areaAPI, "books", err.Error(), "set --api right")), true
	}
	found = append(found, checkKey(api, err))
	if err == nil {
		found = append(found, checkBooks(got))
	}
	return found, true
}

// checkAddress checks whether others can read keys and orders in transit.
func checkAddress(api *client.Client) app.Finding {
	base := api.Base()
	switch ip := net.ParseIP(base.Hostname()); {
	case base.Scheme == "https":
		return finding(app.FindingOK, areaAPI, "address", api.Address()+", over TLS", "")
	case base.Hostname() == "localhost", ip.IsLoopback():
		return finding(app.FindingOK, areaAPI, "address", api.Address()+", on this machine", "")
	default:
		return finding(app.FindingWarning, areaAPI, "address", api.Address()+": keys and orders can be read in transit",
			"put TLS in front of the API, and name it with https in --api or "+apiVariable)
	}
}

// checkVerdict shows what the API says is wrong. Without it, as of an API of an earlier
// version, only the status counts.
func checkVerdict(v client.Verdict, err error) app.Finding {
	switch {
	case v.What != "":
		if v.Level == string(stats.LevelGood) {
			return finding(app.FindingOK, areaAPI, "verdict", v.What+". "+v.Advice, "")
		}
		found := verdictText(v)
		if len(v.Also) > 0 {
			found += "; also: " + strings.Join(v.Also, "; ")
		}
		state := map[string]app.FindingState{
			string(stats.LevelWarning): app.FindingWarning, string(stats.LevelBad): app.FindingProblem,
		}[v.Level]
		return finding(cmp.Or(state, app.FindingOK), areaAPI, "verdict", found, order.Printable(v.Advice))
	case err == nil, errors.Is(err, client.ErrNotAPI):
		return finding(app.FindingOK, areaAPI, "health", "healthy: orders are accepted and worked", "")
	case client.HasStatus(err, http.StatusServiceUnavailable):
		return finding(app.FindingProblem, areaAPI, "health", err.Error(), "see the findings about Redis, and the log of the API")
	default:
		return finding(app.FindingProblem, areaAPI, "health", err.Error(), "start the API, or set --api right")
	}
}

// checkKey judges the answer to GET /stats, which needs the scope read.
func checkKey(api *client.Client, err error) app.Finding {
	const check = "key"
	switch {
	case err == nil && api.Key() != "":
		return finding(app.FindingOK, areaAPI, check, "known, with the scope read; submit and admin are not checked", "")
	case err == nil:
		return finding(app.FindingOK, areaAPI, check, "the API requires none", "")
	case client.HasStatus(err, http.StatusForbidden):
		return finding(app.FindingWarning, areaAPI, check, "known, and without the scope read; submit and admin are not checked",
			"an operator's key needs read, and admin for retries and pauses: orderctl keys new --name operator --scope read+admin")
	case client.HasStatus(err, http.StatusUnauthorized):
		return finding(app.FindingProblem, areaAPI, check, err.Error(), "set "+keyVariable+" or --key-file to a key whose line is in ORDERS_API_KEYS of that API")
	default:
		return finding(app.FindingNotChecked, areaAPI, check, err.Error(), "")
	}
}

// checkBooks checks the books of the API, whose Redis may be another one than
// REDIS_URL here.
func checkBooks(got client.Stats) app.Finding {
	if got.Ledger.Drift != 0 {
		return finding(app.FindingProblem, areaAPI, "books", fmt.Sprintf("the drift is %d: the books do not balance", got.Ledger.Drift),
			"keep the log and a copy of the data, and see ledger.drift in docs/OPERATIONS.md")
	}
	return finding(app.FindingOK, areaAPI, "books", fmt.Sprintf("balanced, %d orders accepted, %s worker slots",
		got.Ledger.Accepted, numberText(got.ActiveWorkers)), "")
}
