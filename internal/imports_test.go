// Package internal_test holds the packages to the journey of an order: imports
// point down the list, and each outside technology lives in one place.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "orderprocessor/"

// journey lists the packages in the order in which an order meets them. Each
// may import those below it, and all may import internal/order, the language.
var journey = []string{
	"internal/api", "internal/web", "internal/httpserver", "internal/access", "internal/intake", "internal/queue", "internal/queue/prefetch",
	"internal/jobs", "internal/recovery", "internal/archiving", "internal/worker", "internal/rules", "internal/fulfilment", "internal/ledger", "internal/archive", "internal/live", "internal/stats", "internal/batch",
	"internal/traces", "internal/requestid", "internal/retryafter",
}

// beside lists what the packages outside the journey may import of ours.
var beside = map[string][]string{
	"internal/order":   {},
	"internal/config":  {"internal/order", "internal/access"},
	"internal/metrics": {"internal/order", "internal/stats"},
	"internal/app": {
		"internal/order", "internal/config", "internal/metrics", "internal/access", "internal/requestid",
		"internal/queue", "internal/recovery", "internal/ledger", "internal/archive", "internal/stats", "internal/traces",
	},
	"internal/app/apiapp": {
		"internal/app", "internal/config", "internal/api", "internal/access", "internal/intake", "internal/queue",
		"internal/order", "internal/rules", "internal/stats", "internal/live",
	},
	"internal/app/workerapp": {
		"internal/app", "internal/config", "internal/queue", "internal/worker", "internal/rules", "internal/fulfilment", "internal/recovery", "internal/archiving", "internal/stats", "internal/traces",
		"internal/intake", "internal/jobs",
	},
	"internal/client":  {"internal/order", "internal/config", "internal/retryafter"},
	"internal/load":    {"internal/order"},
	"internal/history": {"internal/order", "internal/client"},
	"internal/prove":   {"internal/order", "internal/client", "internal/history"},
	"internal/cli": {
		"internal/order", "internal/rules", "internal/config", "internal/access", "internal/app", "internal/app/apiapp", "internal/app/workerapp",
		"internal/client", "internal/load", "internal/prove", "internal/stats",
	},
	"internal/batch/batchtest": {},
	"internal/queue/queuetest": {
		"internal/order", "internal/programtest", "internal/redistest",
	},
	"internal/ordertest":    {"internal/order"},
	"internal/redistest":    {"internal/programtest"},
	"internal/postgrestest": {},
	"internal/programtest":  {},
	"internal/ledgertest":   {"internal/order"},
	"internal/spectest":     {"internal/api"},
	"cmd/api":               {"internal/app/apiapp"},
	"cmd/worker":            {"internal/app/workerapp"},
	"cmd/orderctl":          {"internal/cli", "internal/app", "internal/config"},
}

// homes says where an outside technology may be imported.
var homes = map[string][]string{
	"github.com/gofiber/fiber":          {"internal/api", "internal/httpserver", "internal/web"},
	"github.com/valyala/fasthttp":       {"internal/httpserver", "internal/web"},
	"github.com/hibiken/asynqmon":       {"internal/web"},
	"github.com/hibiken/asynq":          {"internal/queue", "internal/queue/queuetest"},
	"github.com/pb33f":                  {"internal/spectest"},
	"github.com/go-redis/redis_rate":    {"internal/access"},
	"github.com/tsenart/vegeta":         {"internal/load"},
	"charm.land":                        {"internal/cli"},
	"cel.dev/cel-go":                    {"internal/rules"},
	"go.yaml.in/yaml":                   {"internal/rules", "internal/cli"},
	"modernc.org/sqlite":                {"internal/archive"},
	"github.com/jackc/pgx":              {"internal/archive"},
	"github.com/prometheus":             {"internal/metrics"},
	"github.com/tmaxmax/go-sse":         {"internal/client"},
	"github.com/anishathalye/porcupine": {"internal/history"},
	"go.opentelemetry.io/otel/sdk":      {"internal/traces"},
	"go.opentelemetry.io/contrib":       {"internal/traces"},
	"github.com/redis/go-redis": {
		"internal/ledger", "internal/queue", "internal/queue/prefetch", "internal/access", "internal/app", "internal/config",
		"internal/redistest", "internal/ledgertest", "internal/queue/queuetest",
	},
}

// pure lists the packages that import nothing from outside the standard
// library.
var pure = []string{
	"internal/order", "internal/worker", "internal/stats", "internal/live", "internal/recovery", "internal/archiving", "internal/jobs", "internal/batch",
	"internal/requestid", "internal/retryafter",
}

func TestImports(t *testing.T) {
	t.Parallel()
	for dir, files := range sources(t) {
		for _, f := range files {
			for _, spec := range f.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if problem := checkImport(dir, path); problem != "" {
					t.Errorf("%s imports %s: %s", dir, path, problem)
				}
			}
		}
	}
}

func checkImport(dir, path string) string {
	if ours, ok := strings.CutPrefix(path, module); ok {
		if !slices.Contains(allowed(dir), ours) {
			return "imports point down the journey of an order only"
		}
		return ""
	}
	outside := strings.Contains(strings.SplitN(path, "/", 2)[0], ".")
	if outside && slices.Contains(pure, dir) {
		return "this package needs nothing but the standard library"
	}
	for technology, places := range homes {
		if inside(path, technology) && !slices.Contains(places, dir) {
			return "it may be imported in " + strings.Join(places, ", ") + " only"
		}
	}
	return ""
}

func inside(path, technology string) bool {
	return path == technology || strings.HasPrefix(path, technology+"/")
}

func allowed(dir string) []string {
	if i := slices.Index(journey, dir); i >= 0 {
		return append([]string{"internal/order"}, journey[i+1:]...)
	}
	return beside[dir]
}

// TestEveryPackageHasItsPlace makes a new package declare where it stands.
func TestEveryPackageHasItsPlace(t *testing.T) {
	t.Parallel()
	for dir := range sources(t) {
		if _, known := beside[dir]; !known && !slices.Contains(journey, dir) {
			t.Errorf("package %s has no place in the lists above", dir)
		}
	}
}

// TestRules breaks each rule once.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ dir, path string }{
		{"internal/ledger", "orderprocessor/internal/queue"},
		{"internal/worker", "orderprocessor/internal/queue"},
		{"internal/order", "orderprocessor/internal/stats"},
		{"internal/order", "github.com/google/uuid"},
		{"internal/intake", "github.com/gofiber/fiber/v2"},
		{"internal/api", "github.com/hibiken/asynq"},
		{"internal/recovery", "github.com/redis/go-redis/v9"},
		{"internal/ledger", "github.com/jackc/pgx/v5"},
		{"internal/archive", "orderprocessor/internal/ledger"},
	} {
		if checkImport(row.dir, row.path) == "" {
			t.Errorf("%s may import %s", row.dir, row.path)
		}
	}
}

// TestWorkerLinks holds that the worker links neither the HTTP server of the API nor its
// pages.
func TestWorkerLinks(t *testing.T) {
	t.Parallel()
	list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../cmd/worker").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, list)
	}
	for path := range strings.FieldsSeq(string(list)) {
		for _, unwanted := range []string{
			"github.com/gofiber/fiber", "github.com/valyala/fasthttp", "github.com/hibiken/asynqmon",
			module + "internal/api", module + "internal/httpserver", module + "internal/web",
		} {
			if inside(path, unwanted) {
				t.Errorf("cmd/worker links %s", path)
			}
		}
	}
}

// TestEnvironment holds that only the configuration and the programs' entry
// points read the environment; and the kits that tell the tests whether CI runs them and
// which server they start.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	for dir, files := range sources(t) {
		if slices.Contains([]string{"internal/config", "internal/programtest", "internal/redistest"}, dir) || strings.HasPrefix(dir, "cmd/") {
			continue
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := sel.X.(*ast.Ident)
				if ok && pkg.Name == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Environ"}, sel.Sel.Name) {
					t.Errorf("%s calls os.%s", dir, sel.Sel.Name)
				}
				return true
			})
		}
	}
}

// sources parses the code of this repository that is not tests, by folder.
func sources(t *testing.T) map[string][]*ast.File {
	t.Helper()
	found := map[string][]*ast.File{}
	for _, root := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			dir := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, ".."+string(filepath.Separator))))
			found[dir] = append(found[dir], f)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}
