# Everything that a developer does with this repository. `make help` lists it.

GO                    ?= go
GOLANGCI_LINT_VERSION := v2.15.0
TOOLS                 := $(CURDIR)/.tools
GOLANGCI_LINT         := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
BENCH                 ?= .
SOAK                  ?= 30m
FUZZTIME              ?= 30s
FUZZ                  ?= .
GOVULNCHECK_VERSION   := v1.9.0

.DEFAULT_GOAL := help
.PHONY: help build test test-deps lint bench servers soak fuzz vulncheck licences

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/repatriate
	$(GO) build -trimpath -o bin/repatriate ./cmd/repatriate

.PHONY: docs man
docs: ## write docs/commands.md and the lists in docs/migrated.md anew, from the program
	$(GO) generate ./cmd/repatriate

man: ## write a man page for each command into bin/man
	$(GO) run ./cmd/repatriate docs --man bin/man

# Two packages at a time: each of them may run servers of its own. No cached results: the tests of the built binary do
# not import what it is built from.
test: test-deps ## install what the tests need (as root or with sudo), vet and test everything
	$(GO) vet ./...
	$(GO) test -count=1 -vet=off -p 2 -timeout 30m ./...

# Status 3 means that nothing can be installed here. The tests then skip the
# servers that are missing, which CI does not permit.
test-deps:
	@scripts/install-test-deps.sh || { status=$$?; [ $$status = 3 ] && [ "$$CI" != true ]; }

lint: $(GOLANGCI_LINT) ## check style, layers and formatting
	$(GOLANGCI_LINT) run --allow-parallel-runners ./...

# Installed by version, and not as a tool of go.mod: its dependencies would
# raise the versions of ours.
$(GOLANGCI_LINT):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@

bench: test-deps ## measure speed beside the limit of each server; BENCH=regexp chooses
	$(GO) test -run xxx -bench '$(BENCH)' -timeout 60m ./bench/...

# No limit of its own: a soak of 30 minutes goes on until the program was killed 200 times, and each run has its limit.
soak: test-deps ## kill the program and its servers at random for SOAK=30m, and compare; REPATRIATE_SEED=n chooses
	REPATRIATE_SOAK=$(SOAK) $(GO) test -count=1 -run '^TestSoak$$' -v -timeout 0 ./internal/e2e

fuzz: ## give every parser of foreign input FUZZTIME=30s of made-up input; FUZZ=regexp chooses
	scripts/fuzz.sh $(FUZZTIME) '$(FUZZ)'

# Asks vuln.go.dev, and so needs the network.
vulncheck: ## look whether what is called has known vulnerabilities
	$(GO) run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

licences: ## write docs/licences.md, and refuse licences that are not permissive
	$(GO) test -count=1 ./internal/licences -update

servers: test-deps ## start every installed server for trying things out, until Ctrl-C
	$(GO) run ./internal/realserver/serve
