# make           says what there is
# make test      is all that a change needs while it is being written
# make ci        is what a change must pass; .ci/run is the same with a summary

SHELL      := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS  += --no-builtin-rules
.DEFAULT_GOAL := help

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
# A number of runs and not a time: when time is up, the go command at times calls
# a target that found nothing failed ("context deadline exceeded").
FUZZTIME ?= 100000x
PROGRAMS := ./cmd/taoctl ./cmd/taoctl-opencl
SYSTEMS  := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
LOCALNET := e2e/localnet

# Chain specs hold other people's compiled runtimes and stay outside the project.
TAOCTL_CHAINSPECS ?= $(wildcard $(CURDIR)/../shared/chainspecs)
export TAOCTL_CHAINSPECS

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## the program, static and reproducible, as bin/taoctl, and bin/taoctl-opencl beside it
	$(BUILD) -o bin/ $(PROGRAMS)

.PHONY: install
install: ## both programs, where go install puts programs
	CGO_ENABLED=0 $(GO) install -trimpath -ldflags '$(LDFLAGS)' $(PROGRAMS)

.PHONY: test
test: ## all tests; needs Go and nothing else
	$(GO) test ./...

.PHONY: race
race: ## all tests with the race detector; needs a C compiler
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: e2e
e2e: $(if $(and $(TAOCTL_CHAINSPECS),$(shell command -v npm)),$(LOCALNET)/node_modules)
e2e: ## the program against the chain's real runtime; needs npm and $TAOCTL_CHAINSPECS
	@if [ -z '$(TAOCTL_CHAINSPECS)' ]; then \
		echo 'e2e: SKIPPED, nothing was tested: TAOCTL_CHAINSPECS names no chain specs'; \
	elif ! command -v npm >/dev/null; then \
		echo 'e2e: SKIPPED, nothing was tested: there is no npm'; \
	else \
		set -x; $(GO) test -count=1 -timeout 20m -tags e2e ./e2e/...; \
	fi

$(LOCALNET)/node_modules: $(LOCALNET)/package-lock.json
	npm --prefix $(LOCALNET) ci --no-audit --no-fund
	@touch $@

.PHONY: opencl
opencl: ## the tests that need an OpenCL driver; installs PoCL where root may
	@.ci/opencl

.PHONY: localnet
localnet: $(LOCALNET)/node_modules ## a local chain on the real runtime, until Ctrl-C; SPEC=FILE or $TAOCTL_CHAINSPECS
	@spec='$(SPEC)'; \
	if [ -z "$$spec" ]; then spec=$$(find $(subst :, ,$(TAOCTL_CHAINSPECS)) -name aura-dev.json 2>/dev/null | head -n 1 || true); fi; \
	if [ -z "$$spec" ]; then echo 'localnet: give a chain spec with SPEC=FILE' >&2; exit 2; fi; \
	exec node $(LOCALNET)/start.mjs --spec "$$spec"

.PHONY: journey
journey: build $(LOCALNET)/node_modules ## the first journey on a local chain, from a wallet to a transfer; SPEC=FILE or $TAOCTL_CHAINSPECS
	@spec='$(SPEC)'; \
	if [ -z "$$spec" ]; then spec=$$(find $(subst :, ,$(TAOCTL_CHAINSPECS)) -name aura-dev.json 2>/dev/null | head -n 1 || true); fi; \
	if [ -z "$$spec" ]; then echo 'journey: give a chain spec with SPEC=FILE' >&2; exit 2; fi; \
	exec e2e/journey "$$spec"

.PHONY: lint
lint: bin/golangci-lint ## gofmt, go vet for every system, golangci-lint
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags e2e ./e2e/...
	GOOS=windows $(GO) vet ./...
	$(GO) vet -tags opencl ./powsolver/opencl ./cmd/taoctl-opencl
	GOOS=darwin $(GO) vet ./...
	bin/golangci-lint run ./...

.PHONY: docs
docs: ## man pages and completions, from the command tree
	$(GO) run ./internal/gendocs docs

.PHONY: verify
verify: ## go.mod and what is generated are up to date
	$(GO) mod verify
	$(GO) mod tidy -diff
	cd powsolver/_asm && $(GO) run . -check
	@for system in $(SYSTEMS); do \
		! GOOS=$${system%/*} GOARCH=$${system#*/} $(GO) list -deps ./cmd/taoctl | grep ebitengine/purego || \
		{ echo "taoctl for $$system links purego: it would be dynamic"; exit 1; }; \
	done
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(GO) run ./internal/gendocs "$$fresh"; \
	diff -r "$$fresh/man" docs/man && diff -r "$$fresh/completion" docs/completion || \
	{ echo 'docs/man or docs/completion is out of date: run make docs'; exit 1; }

.PHONY: vuln
vuln: bin/govulncheck ## known vulnerabilities in what the program calls
	@.ci/vuln

bin/golangci-lint: tools/go.mod
	$(GO) -C tools build -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/govulncheck: tools/go.mod
	$(GO) -C tools build -o ../bin/ golang.org/x/vuln/cmd/govulncheck

.PHONY: bench
bench: ## all benchmarks; BENCH=regexp
	$(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem ./...

.PHONY: fuzz
fuzz: ## every fuzz target, FUZZTIME=100000x runs each
	@git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -H '^func Fuzz' | \
	sed -E 's/^(.*)\/[^/]*:func (Fuzz[A-Za-z0-9_]*).*/.\/\1 \2/' | sort -u | \
	while read -r package target; do \
		echo "== $$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package"; \
	done

.PHONY: cross
cross: ## both programs for every system, as dist/PROGRAM-OS-ARCH, with sizes
	@for system in $(SYSTEMS); do \
		os=$${system%/*} arch=$${system#*/}; suffix=; \
		if [ $$os = windows ]; then suffix=.exe; fi; \
		for program in $(notdir $(PROGRAMS)); do \
			file=dist/$$program-$$os-$$arch$$suffix; \
			GOOS=$$os GOARCH=$$arch $(BUILD) -o $$file ./cmd/$$program; \
			printf '%-40s %6.2f MB\n' $$file $$(awk "BEGIN { print $$(wc -c < $$file) / 1e6 }"); \
		done; \
	done

.PHONY: ci
ci: ## everything that a change must pass, with a summary
	@.ci/run

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist
