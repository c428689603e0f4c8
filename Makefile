# The commands of this repository. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help run build test check format lint generated vuln race bench chaos redis

TOOL := go tool -modfile=tools/go.mod

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run everything in one process, with a private Redis if there is one
	go run ./cmd/orderctl dev

build: ## build the three programs into bin/
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/...

test: redis ## run all tests
	go test ./...

check: format lint generated vuln race ## all that must pass before a change lands

format: ## check that the code is formatted (gofumpt)
	@out=$$($(TOOL) gofumpt -l cmd deploy internal test bench); \
	if [ -n "$$out" ]; then echo "not formatted, run gofumpt -w on:"; echo "$$out"; exit 1; fi

lint: ## vet and lint
	go vet ./...
	$(TOOL) golangci-lint run

generated: ## check that go.mod and go.sum are as `go mod tidy` leaves them
	go mod tidy -diff
	go mod verify

vuln: ## look for known vulnerabilities (govulncheck), if its database is in reach
	@scripts/vuln.sh

race: redis ## run all tests with the race detector
	go test -race -timeout 9m ./...

bench: redis ## measure submit, batch, submit to settled, lists of 1k and 1M, schedules
	go test -run '^$$' -bench . -benchtime 2s -count 3 -timeout 30m ./bench/...

chaos: redis ## kill, stop and disturb everything at length, and print what came of it
	CHAOS=long go test -count 1 -timeout 100m -v ./test/chaos

redis: ## find redis-server or install it
	@scripts/redis.sh
