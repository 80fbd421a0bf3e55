# Two commands work from a fresh clone: make demo, make test. They need Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check crash clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -e .
	touch $@

$(VENV)/installed-test: pyproject.toml $(VENV)/installed
	$(BIN)/pip install --quiet -e ".[test]"
	touch $@

demo: $(VENV)/installed
	$(BIN)/cytally demo demo

test: $(VENV)/installed-test
	$(BIN)/pytest

check: $(VENV)/installed-test
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/mypy

crash: $(VENV)/installed-test
	$(BIN)/python benchmarks/crash.py --kills 200

clean:
	rm -rf $(VENV) demo build dist
