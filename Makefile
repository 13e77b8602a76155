# Needs Python 3.11 or newer and make, nothing else: the first target that runs creates .venv
# from the hashed lock; later runs find the stamp and start at once.
#
#   make demo     a real server, a real conversation: store, recall, refuse, export, erase
#   make test     all tests
#   make check    format, lint, types, layers, proto, dead code, then the tests
#   make stress   the same tests with every loop at its full count
#   make coverage the same tests, and which branches they leave untried
#   make bench    the measurements behind every number in the docs
#   make proto    stubs in memory/v1 and pages in docs/api, from proto/memory/v1
#   make docs     the documentation as a site, in build/site
#   make lock     both lock files from pyproject.toml (needs `uv` on the path)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TYPED := memory server benchmarks training tools
CODE := $(TYPED) tests
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV ?= uv
UV_COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links --extra server pyproject.toml
PYTEST_ARGS ?=
BENCH_DATA ?= benchmarks/data

# Some libraries report to their makers unless told not to.
export ORT_DISABLE_TELEMETRY := 1
export ANONYMIZED_TELEMETRY := False
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: softhsm help install demo test coverage lint check stress bench proto docs lock audit clean

help:
	@sed -n 's/^#   //p' Makefile

install: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tacit needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (once)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
		--no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)
	@$(BIN)/tacit demo

# Three at a time, also on two cores: many tests wait for a disk, a server or a killed process.
test: $(STAMP) softhsm
	@$(BIN)/pytest --numprocesses 3 --dist worksteal $(PYTEST_ARGS)

# `test`, and what it leaves untried; counting branches takes half as much again.
coverage: $(STAMP) softhsm
	@$(BIN)/pytest --cov --numprocesses 3 --dist worksteal $(PYTEST_ARGS)

# The PKCS#11 tests need a token. Where it cannot be installed, they say so and are skipped.
softhsm:
	@command -v softhsm2-util >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || { \
		echo "Installing softhsm2 for the PKCS#11 tests (once)..."; \
		{ apt-get install -y softhsm2 || { apt-get update && apt-get install -y softhsm2; }; } \
			>/dev/null 2>&1 || echo "softhsm2 cannot be installed: PKCS#11 tests will be skipped"; }

# Everything of `check` but the tests.
lint: $(STAMP)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/vulture

check: lint test

stress: $(STAMP) softhsm
	@TACIT_STRESS=1 $(BIN)/pytest $(PYTEST_ARGS)

bench: $(STAMP)
	$(BIN)/python -m benchmarks --data $(BENCH_DATA)
	@$(BIN)/python -m benchmarks.summary

proto: $(STAMP)
	$(BIN)/python -m tools.generate_stubs
	$(BIN)/python -m tools.api_reference

docs: $(STAMP)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

lock:
	$(UV_COMPILE) --output-file requirements.lock
	$(UV_COMPILE) --group dev --output-file requirements-dev.lock

audit: $(STAMP)
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
