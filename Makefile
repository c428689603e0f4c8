# The commands of this repository. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help run build test check format lint generated vuln race smoke bench peers parts redis tools
.PHONY: e2e books browser chaos deployment hostile soak day clients chaos-long prove valkey servers sim sim-short

# What --version prints: empty outside of a git repository, and then the go command is asked.
COMMIT ?= $(shell git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null)

TOOL := go tool -modfile=tools/go.mod

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run everything in one process, with a private Redis if there is one
	go run ./cmd/orderctl dev

build: ## build the three programs into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags "-X orderprocessor/internal/app.commit=$(COMMIT)" -o bin/ ./cmd/...

# go vet is left to `make lint`. Many tests wait for a clock, so more packages run at the
# same time than there are processors.
test: redis ## run the quick tests: those of cmd and internal
	go test -vet off -p 4 -timeout 30m ./cmd/... ./internal/...

check: format lint generated vuln race sim-short e2e books valkey browser chaos soak deployment hostile smoke ## all that must pass before a change lands

format: ## check that the code is formatted (gofumpt)
	@out=$$($(TOOL) gofumpt -l cmd deploy internal test bench); \
	if [ -n "$$out" ]; then echo "not formatted, run gofumpt -w on:"; echo "$$out"; exit 1; fi

lint: ## vet and lint
	go vet ./...
	$(TOOL) golangci-lint run
	cd bench && go vet ./... && go tool -modfile=../tools/go.mod golangci-lint run --config ../.golangci.yml

generated: ## check that go.mod and go.sum are as `go mod tidy` leaves them
	go mod tidy -diff
	go mod verify
	cd bench && go mod tidy -diff

vuln: ## look for known vulnerabilities (govulncheck), if its database is in reach
	@scripts/vuln.sh

# SQLite, translated from C, is left out of the race detector: it would take half of the
# time of all tests that archive. With the race detector processors limit, not clocks.
race: redis ## run the quick tests with the race detector
	go test -vet off -race -gcflags 'modernc.org/sqlite/lib=-race=false -d=checkptr=0' -p 2 -timeout 40m ./cmd/... ./internal/...

# Simulations of faults; see docs/TESTING.md.
sim: ## simulate 1,000 seeds of faults (SEEDS=n for others), or print the trace of one (SEED=n)
	SIM_SEED=$(SEED) SIM_SEEDS=$(or $(SEEDS),1000) go test -vet off -count 1 -timeout 60m -v -run TestSeeds ./test/sim

sim-short: ## simulate 100 seeds, and test that a seed replays and that planted defects are found
	go test -vet off -timeout 30m ./test/sim

# The tests below run the real programs. Those that lack a tool are skipped, and say so
# (make tools).
e2e: redis ## test the real programs together, and the commands in the documents
	go test -vet off -timeout 60m ./test/e2e ./test/scripts

books: redis ## test the real programs with orders spread over several books
	ORDERS_BOOKS=8 go test -vet off -short -timeout 60m ./test/e2e

valkey: ## test the books, queues, recovery, checks and real programs on Valkey 8
	@scripts/servers.sh valkey-8

servers: ## the same on Redis 7 and 8 and on Valkey 8 and 9
	@scripts/servers.sh redis-7 redis-8 valkey-8 valkey-9

browser: redis ## test the live page in a browser
	go test -vet off -timeout 60m ./test/browser

chaos: redis ## kill, stop and disturb everything for a short while
	go test -vet off -timeout 60m -skip TestSoak ./test/chaos

soak: redis ## test that nothing grows while the programs run on
	go test -vet off -timeout 60m -run 'TestSoak$$' ./test/chaos

DAY ?= 2h
day: redis ## work orders at half of the capacity for DAY=2h, and report what grows
	CHAOS=long DAY=$(DAY) go test -count 1 -timeout 0 -run TestSoakDay -v ./test/chaos

deployment: redis ## check what deploy holds, and test Sentinel, TLS and proxies
	scripts/deployment.sh
	go test -vet off -timeout 60m ./test/deploy

hostile: redis ## send the API malformed documents, smuggled requests and slow clients
	go test -vet off -timeout 60m ./test/hostile

smoke: redis ## test the bench suite, and do very little of everything in it
	cd bench && go test ./clients ./report ./scenario ./systems . && go run . -smoke

bench: redis ## measure ours, the naive wiring and the peers, and write docs/BENCHMARKS.md (20 min or more)
	cd bench && go run . -report ../docs/BENCHMARKS.md

peers: redis ## test the peers of the bench suite and the systems on them; some are built or installed for it
	cd bench && go test -timeout 15m ./peers

parts: redis ## measure lists of 1k and 1M orders, scheduled orders, and allocations
	cd bench && go test -run '^$$' -bench . -benchtime 2s -count 3 -timeout 30m ./parts

chaos-long: redis ## kill, stop and disturb everything for 45 minutes, and print a table
	CHAOS=long go test -count 1 -timeout 100m -skip TestSoakDay -v ./test/chaos
	CHAOS=long go test -count 1 -run Races -v ./internal/intake

PROVE ?= --for 10s
prove: redis ## run everything in one process, and put its guarantees to the test from outside (PROVE has arguments)
	@scripts/prove.sh $(PROVE)

clients: redis ## check the specification with Ajv, and with generated clients that call the API (3 min)
	@scripts/clients.sh

redis: ## find redis-server or install it
	@scripts/redis.sh

tools: ## find a browser, promtool, systemd-analyze and openssl for their tests, or install them
	@scripts/tools.sh
