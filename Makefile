# `make train` and `make test` are the two to begin with. Set PYTHON to a Python 3.11 to 3.13, WORKERS to the number of tests
# that run at a time: each takes a core and up to 2 GiB.
PYTHON ?= python3
FRAMES ?= $(if $(DEBLURLAB_TEST_DATA),$(DEBLURLAB_TEST_DATA)/reds)
WORKERS ?= 2
VENV := .venv
NEWEST := .venv-newest
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-newest train test test-newest test-slow test-exhaustive faults check docs bench wheel clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed  ## create .venv and install deblurlab with what its tests need

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo 'deblurlab needs Python 3.11 to 3.13: make PYTHON=python3.12 ...'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,tpu]'
	touch $@

$(VENV)/.installed-plan: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,plan,tpu]'
	touch $@

setup-newest: $(NEWEST)/.installed

$(NEWEST)/.installed: pyproject.toml
	$(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

train: setup  ## train UNet16 on the embedded photographs: ends with a table and a picture
	$(BIN)/python -m deblurlab.train experiment=sample_unet16

test: setup  ## run the tests
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --durations 20

test-newest: $(NEWEST)/.installed  ## run the tests with the newest PyTorch, in .venv-newest, without torch_xla
	$(NEWEST)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile -W default::DeprecationWarning -W default::FutureWarning

test-slow: $(VENV)/.installed-plan  ## run the tests that take minutes and guard results
	$(BIN)/python -m pytest -m 'slow and not exhaustive' --numprocesses $(WORKERS) --dist worksteal --durations 20

test-exhaustive: $(VENV)/.installed-plan  ## run the further variants of tests, which CI leaves out
	$(BIN)/python -m pytest -m exhaustive --numprocesses $(WORKERS) --dist worksteal

faults: setup  ## run campaigns of kills, signals and damaged files (hours); SEED=1 SCALE=0.02 repeat a short one
	$(BIN)/python -m tests.faults $(SEED) $(SCALE)

check: setup  ## lint, check formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: setup  ## build the pages and the reference of the API into docs/_build; a warning is an error
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs docs/_build

bench: setup  ## measure speed; writes outputs/bench/*.json. FRAMES is a folder in REDS' layout, BEFORE an earlier checkout
	$(BIN)/python tools/bench_train.py
	$(BIN)/python tools/bench_devices.py
	$(BIN)/python tools/bench_start.py $(if $(BEFORE),--before $(BEFORE))
	$(BIN)/python tools/bench_restore.py $(if $(BEFORE),--before $(BEFORE))
ifneq ($(FRAMES),)
	$(BIN)/python tools/bench_input.py $(FRAMES)
endif

wheel: setup  ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove the environments and build products, keep outputs
	rm -rf $(VENV) $(NEWEST) dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
