# What can be done here, from a fresh checkout on. Needs make and python3 (3.11 or newer) with pip;
# everything else goes into .venv, exactly as the lock files say. ARGS are passed on to the command:
#
#   make run ARGS="--as-of 2026-06-17"

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The interpreter is the one that made .venv; uv must not fetch another.
export UV_PYTHON_DOWNLOADS := never
# Trust whom the machine trusts, as its pip does: some networks have an authority of their own.
export UV_SYSTEM_CERTS := 1

# A .venv whose Python is gone (upgraded, moved) is made anew.
$(shell test -x $(BIN)/python || rm -rf $(VENV))

.PHONY: help run ui test test-slow bench compare lint format screenshot lock lock-check clean \
  release audit licences reliability mutation coverage
.DELETE_ON_ERROR:

help:
	@sed -n 's/^## //p' Makefile

## make run          read what is new, run the weekly job, publish the page (fleet refresh)
run: $(READY)
	@$(BIN)/fleet refresh $(ARGS)

## make ui           Dagster's web interface on this machine (fleet ui)
ui: $(READY)
	@$(BIN)/fleet ui $(ARGS)

PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=worksteal

## make test         the quick tests
test: $(READY)
	$(BIN)/pytest -m "not slow" $(PARALLEL) $(ARGS)

## make test-slow    the tests that take minutes, or a real client, browser or server
test-slow: $(READY)
	$(BIN)/pytest -m slow $(PARALLEL) $(ARGS)

## make bench        CPU, memory and time beside ccusage; ARGS=--large for a million requests
bench: $(READY)
	@$(BIN)/python benchmarks/bench.py $(ARGS)

## make compare      who counts what of recorded clients: the truth, fleet, ccusage
compare: $(READY)
	@$(BIN)/python tests/reports/recorded_comparison.py
	@echo
	@$(BIN)/python tests/reports/ccusage_comparison.py

## make lint         style, types, and whether the lock is fresh and names no host
lint: $(READY) lock-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python .ci/supply_chain.py pth

## make format       bring the code into the one style
format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## make screenshot   docs/images/page.png, from the demo fleet (needs chromium)
screenshot: $(READY)
	@docs/screenshot.sh

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate

## make lock         requirements*.lock for what pyproject.toml asks for; ARGS=--upgrade for the newest
lock: $(BIN)/uv
	$(COMPILE) $(ARGS) pyproject.toml --group dev --output-file requirements.lock
	echo uv | $(COMPILE) $(ARGS) - --output-file requirements-uv.lock
	$(BIN)/python .ci/lock.py sign

lock-check: $(READY)
	$(BIN)/python .ci/lock.py check

## make release      dist/: wheel, sdist, locked requirements, bill of materials; tried elsewhere
release: $(READY) lock-check
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build --directory dist
	$(BIN)/python .ci/supply_chain.py pth
	$(BIN)/python .ci/supply_chain.py runtime >dist/requirements.txt
	$(BIN)/python .ci/supply_chain.py sbom >dist/sbom.cdx.json
	$(BIN)/python .ci/supply_chain.py licences >dist/licences.txt
	cd dist && sha256sum * >SHA256SUMS
	$(BIN)/python .ci/try_release.py dist

## make audit        known advisories about what the lock names; 3 if nobody could be asked
audit: $(READY)
	$(BIN)/python .ci/supply_chain.py audit

## make licences     every locked package with its licence
licences: $(READY)
	@$(BIN)/python .ci/supply_chain.py licences

## make reliability  every fault of the reliability plan, measured into docs/reliability.md
reliability: $(READY)
	$(BIN)/python tests/faults/reliability.py $(ARGS)

## make mutation     whether tests notice changes to counting, cost, prices and ranking
mutation: $(READY)
	nice -n 19 $(BIN)/python tests/strength/mutation.py $(ARGS)

## make coverage     how many of their branches the tests run
coverage: $(READY)
	$(BIN)/python tests/strength/branches.py $(ARGS)

## make clean        take away .venv and all caches; never the data in FLEET_HOME
clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
	  "Python 3.11 or newer is needed and $(PYTHON) is %d.%d: try `make PYTHON=python3.11 ...`" \
	  % sys.version_info[:2])'
	@$(PYTHON) -m venv --clear --without-pip $(VENV) || { echo "$(PYTHON) cannot make a virtual" \
	  "environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

# Debian ships Python without ensurepip and its own pip apart: either of the two is enough.
FROM_LOCK := install --quiet --require-hashes --requirement requirements-uv.lock

$(BIN)/uv: requirements-uv.lock $(BIN)/python
	@if $(PYTHON) -m pip --python $(BIN)/python --version >/dev/null 2>&1; \
	then $(PYTHON) -m pip --python $(BIN)/python $(FROM_LOCK); \
	elif $(BIN)/python -m ensurepip >/dev/null 2>&1; \
	then $(BIN)/python -m pip $(FROM_LOCK); \
	else echo "pip is missing; on Debian and Ubuntu: apt-get install python3-pip" >&2; exit 1; fi
	@touch $@

$(READY): requirements.lock pyproject.toml $(BIN)/uv
	@echo "installing what requirements.lock names into $(VENV) ..." >&2
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
	  requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q fleet_pipeline assets
	@touch $@
