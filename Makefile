# Everything starts here: `make run` and `make test` each work as the only command in a fresh clone.

# Commands start ten times sooner once what they import is compiled.
unexport PYTHONDONTWRITEBYTECODE

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.9
# One more than processors: now and then a test waits for a process that it killed or for a browser.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
SECONDS_EACH ?= 600
KILLS ?= 200

ALL_TESTS := -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=15 --durations-min=1

BIN := .venv/bin
UV := $(BIN)/uv
RUNTIME := .venv/.runtime-installed
DEVELOPMENT := .venv/.development-installed
DOCUMENTATION := .venv/.documentation-installed
INTEROP := $(if $(wildcard tests/interop/package-lock.json),tests/interop/node_modules/.installed .venv/client-generator/.installed)

QR_READER := app/http/static/qr/decode.js

LOCK := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

.PHONY: help setup run test test-long lint style format shape bench fuzz torture lighthouse screenshots docs golden catalogues lock release clean needs

help: ## Say what each target does.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(RUNTIME) $(DEVELOPMENT) $(QR_READER) ## Install everything into .venv.

run: $(RUNTIME) $(QR_READER) ## Serve the demo on http://localhost:8000; running it again keeps the data.
	@$(BIN)/sceau serve --demo

test: needs $(if $(PYTEST),$(DEVELOPMENT),style) $(QR_READER) $(INTEROP) ## Lint, import contracts, types and every test (PYTEST=path: those tests alone, at once).
ifdef PYTEST
	@$(BIN)/pytest $(PYTEST)
else
	@$(BIN)/mypy & types=$$!; $(BIN)/pytest $(ALL_TESTS); wait $$types || { echo 'The types are wrong: see above the tests.' >&2; exit 1; }
endif

test-long: export SCEAU_TEST_LONG := yes
test-long: export SCEAU_TEST_KILLS := 20
test-long: test ## The same with ten times the examples made up for each property and more kills, before a release.

lint: style ## Style, import contracts and types.
	@$(BIN)/mypy

style: $(DEVELOPMENT)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --no-logo

format: $(DEVELOPMENT) ## Put the sources in the house style.
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

shape: $(DEVELOPMENT) ## Print what breaks a rule on the shape of the tree, and the figures of the code base.
	@$(BIN)/python -m tests.repository.shape

bench: needs $(DEVELOPMENT) $(INTEROP) ## Measure, beside other implementations; writes var/bench.json (ROWS=page,json: less).
	@mkdir -p var
	@$(BIN)/python -m bench

fuzz: $(DEVELOPMENT) ## Feed every parser made-up input for ten minutes each (SECONDS_EACH=60: less); findings go to var/fuzz/.
	@$(BIN)/python -m fuzz --seconds $(SECONDS_EACH)

torture: needs $(DEVELOPMENT) ## Kill workers and servers during bulk awards, webhooks and renewals, on both engines, and count (KILLS=20: less).
	@$(BIN)/python -W ignore -m tests.torture --kills $(KILLS)
	@SCEAU_TEST_KILLS=$(KILLS) $(BIN)/pytest -q -rP tests/app/jobs/test_webhooks_killed.py tests/app/jobs/test_renewals_killed.py

lighthouse: needs $(DEVELOPMENT) tests/lighthouse/node_modules/.installed ## What Lighthouse says of the main public pages; fails below 95.
	@$(BIN)/python -m tests.lighthouse

screenshots: needs $(DEVELOPMENT) ## Take the pictures of README and of the guide in pictures.
	@$(BIN)/python -m tests.journeys.screenshots

docs: $(DOCUMENTATION) ## Draw the architecture from the imports and build the documentation into site/.
	@$(BIN)/python docs/architecture.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

golden: $(DEVELOPMENT) ## Record pages, API, schemas, messages, commands and signed awards in var/golden (GOLDEN=compare: compare with it).
	@$(BIN)/python -W ignore -m tests.golden $(or $(GOLDEN),record) var/golden

catalogues: $(RUNTIME) ## Bring the translations level with the sources.
	@$(BIN)/python -m app.language.build

lock: $(UV) ## Choose the versions of the lock files afresh where they must change (UPGRADE=--upgrade: everywhere).
	@$(LOCK) $(UPGRADE) --output-file requirements.lock
	@$(LOCK) $(UPGRADE) --extra hsm --extra telemetry --constraint requirements.lock --output-file requirements-image.lock
	@$(LOCK) $(UPGRADE) --extra dev --constraint requirements-image.lock --output-file requirements-dev.lock
	@$(LOCK) $(UPGRADE) --extra dev --extra docs --constraint requirements-dev.lock --output-file requirements-docs.lock
	@echo openapi-python-client | $(subst pyproject.toml,-,$(LOCK)) $(UPGRADE) --output-file tests/interop/client.lock

release: $(DEVELOPMENT) $(QR_READER) ## Write wheel, SBOM, compose file with digests, provenance and checksums into dist/release (IMAGES=FILE).
	@$(BIN)/python -m release dist/release --images $(or $(IMAGES),images.txt)

clean: ## Remove what can be made again; the demo's data and secrets (var/, .sceau-dev/) are kept.
	@rm -rf .venv build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf tests/interop/node_modules .venv/client-generator tests/lighthouse/node_modules
	@rm -rf app/http/static/qr
	@find app packages demo bench fuzz tests alembic -name __pycache__ -type d -prune -exec rm -rf {} +

needs:
	@.ci/needs test

$(UV):
	@PYTHON='$(PYTHON)' .ci/needs setup
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'

# The distribution itself needs no second look at its dependencies: the lock is the whole truth.
$(RUNTIME): requirements.lock pyproject.toml | $(UV)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(DOCUMENTATION): requirements-docs.lock $(DEVELOPMENT)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-docs.lock
	@touch $@

tests/interop/node_modules/.installed: tests/interop/package-lock.json
	@if command -v npm >/dev/null; then \
		npm ci --prefix tests/interop --silent --no-audit --no-fund && touch $@; \
	else \
		echo 'npm is missing: the tests against Node.js libraries will say that they were skipped.'; \
	fi

# The image always has it, a wheel where it could be installed.
$(QR_READER): app/http/qr_reader/package-lock.json
	@if command -v npm >/dev/null && npm ci --prefix app/http/qr_reader --silent --no-audit --no-fund --ignore-scripts; then \
		mkdir -p $(@D) && cp app/http/qr_reader/node_modules/qr/{decode.js,index.js} $(@D) && \
		cp app/http/qr_reader/node_modules/qr/LICENSE-MIT $(@D)/LICENSE-MIT.txt && \
		rm -r app/http/qr_reader/node_modules && touch $@; \
	else \
		echo 'npm cannot install it: in Firefox and Safari the page that verifies will not read QR codes with the camera.'; \
	fi

# The generator of Python clients needs an older typer than we have: an environment of its own.
.venv/client-generator/.installed: tests/interop/client.lock | $(UV)
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv/client-generator
	@$(UV) pip install --quiet --python .venv/client-generator/bin/python --require-hashes -r tests/interop/client.lock
	@touch $@

tests/lighthouse/node_modules/.installed: tests/lighthouse/package-lock.json
	@npm ci --prefix tests/lighthouse --silent --no-audit --no-fund --ignore-scripts && touch $@
