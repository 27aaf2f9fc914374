# Lanes, from a clone to a running program: `make run`. Every target sets up what it needs and says
# so; `make` alone lists them. cargo builds everything, the site too (xtask/src/main.rs).
#
# The server's packages are always built together, with one list of features, so that a dependency
# is compiled once for lint, once for tests and once for release. The page is built apart from
# them: in one command cargo would turn on `ssr` and `hydrate` for the same crate.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
# A fresh rustup is on the path of new shells only.
export PATH := $(PATH):$(HOME)/.cargo/bin

CARGO ?= cargo
# In CI the lock file is to be right already.
LOCKED := $(if $(CI),--locked)
TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
# The profile `make run` builds the server with: release, or dev for a quicker first build.
RUN_PROFILE ?= release
RUN_DIR := $(if $(filter dev,$(RUN_PROFILE)),debug,$(RUN_PROFILE))

# Every crate in crates/ is called lanes-<folder>.
CRATES := $(patsubst crates/%/Cargo.toml,-p lanes-%,$(wildcard crates/*/Cargo.toml))
SERVER := -p lanes -p app --features app/ssr $(CRATES)
PAGE := -p frontend -p app --features app/hydrate --target wasm32-unknown-unknown

# The built program the end-to-end tests start.
export LANES_BIN ?= $(TARGET_DIR)/debug/lanes
# Where Python packages go.
VENV := $(TARGET_DIR)/venv
# More arguments for Playwright: make e2e ARGS="--project=journeys -g sweep"
ARGS ?=
# How long each fuzz target runs, in seconds: make fuzz FOR=600
FOR ?= 60

.PHONY: help run build test fmt lint unit sizes clients fuzz-api e2e bench soak fuzz shots clean site debug setup-rust setup-e2e setup-clients

help: ## list the targets
	@echo "Lanes: make TARGET"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: site ## build and serve on http://127.0.0.1:7862
	@echo "building the server ($(RUN_PROFILE); the first time takes some minutes) …"
	@$(CARGO) build $(LOCKED) --profile $(RUN_PROFILE) -p lanes
	@exec $(TARGET_DIR)/$(RUN_DIR)/lanes serve

build: site ## leave one self-contained program at target/release/lanes
	@echo "building the server (release) …"
	@$(CARGO) build $(LOCKED) --release -p lanes
	@echo "the program is $(TARGET_DIR)/release/lanes"

test: fmt lint unit sizes clients fuzz-api e2e ## everything CI checks, in its order
	@echo "all of it passed"

fmt: setup-rust ## check the formatting
	@echo "checking the formatting …"
	@$(CARGO) fmt --all -- --check

lint: site ## clippy over the server, the build tool and the page; a warning fails
	@echo "linting the server …"
	@$(CARGO) clippy $(LOCKED) $(SERVER) --all-targets -- -D warnings
	@echo "linting the build tool …"
	@$(CARGO) clippy $(LOCKED) -p xtask --all-targets -- -D warnings
	@echo "linting the page …"
	@$(CARGO) clippy $(LOCKED) $(PAGE) -- -D warnings
# A workspace of its own, built by `fuzz` alone: what it would be built of must still be known.
	@$(CARGO) tree --locked --manifest-path fuzz/Cargo.toml >/dev/null

unit: site ## unit and integration tests
	@echo "testing the server …"
	@$(CARGO) test $(LOCKED) $(SERVER) --no-fail-fast
	@echo "testing the build tool …"
	@$(CARGO) test $(LOCKED) -p xtask

sizes: site ## what a first visit costs, held to its limits
	@$(CARGO) run $(LOCKED) --quiet -p xtask -- sizes

clients: setup-clients debug ## OpenAI's own clients against the simulator and the door
	@tests/clients/run "$(LANES_BIN)" "$(VENV)" clients

fuzz-api: setup-clients debug ## fuzz the REST API from its description; FUZZ_EXAMPLES=100 FUZZ_SECONDS=600 go deeper
	@tests/clients/run "$(LANES_BIN)" "$(VENV)" fuzz

e2e: setup-e2e debug ## end-to-end tests in a real browser; ARGS="-g name" chooses
	@echo "testing $(LANES_BIN) in $$(.ci/setup-e2e --browser) …"
	@cd end2end && npx tsc --noEmit && npx playwright test $(ARGS)

# 2,000 lanes are as many open sockets: hence the limit of open files.
bench: build setup-e2e ## measure the built program; writes docs/benchmarks.md
	@cd end2end && LANES_BENCH=1 LANES_BIN=$(TARGET_DIR)/release/lanes npx playwright test --project=bench --workers=1
	@ulimit -n "$$(ulimit -Hn)" || true; $(CARGO) bench $(LOCKED) -p lanes --bench program

soak: site ## 50,000 calls, every fault, an endpoint that dies: each accounted for once (minutes)
	@LANES_BENCH_ONLY=soak $(CARGO) bench $(LOCKED) -p lanes --bench program

fuzz: setup-rust ## fuzz each place where something is parsed: FOR=60 seconds each
	@fuzz/run.sh all $(FOR)

shots: setup-e2e debug ## screenshots of every screen
	@cd end2end && LANES_SHOTS=1 npx playwright test --project=shots $(ARGS)

clean: ## remove everything that was built or installed here
	$(CARGO) clean
	rm -rf end2end/node_modules end2end/test-results end2end/playwright-report

site: setup-rust ## build what the browser loads (nothing to do if nothing changed)
	@[ -d "$(TARGET_DIR)/xtask" ] || echo "building the build tool (half a minute, once) …"
	@$(CARGO) run $(LOCKED) --quiet -p xtask -- site $(LOCKED)

# With the tests, so that features are the same as in `unit` and nothing is compiled twice.
debug: site
	@echo "building the server (dev) …"
	@$(CARGO) build $(LOCKED) $(SERVER) --bins --tests

setup-rust: ## see to cargo and the WebAssembly target
	@.ci/setup-rust

setup-e2e: ## see to node, the browser, its fonts and the test packages
	@.ci/setup-e2e

setup-clients: setup-e2e
	@.ci/setup-clients "$(VENV)"
