# Two commands work from a fresh clone: make demo, make test. They need Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

NUMERIC := tests/inference tests/nets tests/detection \
	tests/dosimetry/training/test_verifier.py::test_a_whole_course_in_miniature

.PHONY: demo test test-avx2 check crash clean

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
	$(MAKE) test-avx2

# Numbers once more as an older processor computes them: other kernels, no bfloat16.
test-avx2: $(VENV)/installed-test
	ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 $(BIN)/pytest $(NUMERIC)

check: $(VENV)/installed-test
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/mypy

crash: $(VENV)/installed-test
	$(BIN)/python benchmarks/crash.py --kills 200

clean:
	rm -rf $(VENV) demo build dist
