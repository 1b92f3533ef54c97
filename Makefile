# Everything a stranger needs: `make demo`, `make test`. No root, no activated environment.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/mondegreen
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
CARD := src/mondegreen/zoo/speech-commands $(foreach db,20 25 30,results/spotter-spectral-$(db)db) \
        results/spotter-spectral-20db-quiet

.PHONY: help setup demo test test-slow lint format types smoke results results-check picture clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.installed  ## install everything into .venv

# torch comes first and pinned: any other requirement on it would fetch gigabytes of CUDA libraries.
$(VENV)/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) torch
	$(INSTALL) --editable '.[quality,baselines,speech,onnx,codecs,rooms,demo,dev]' || { \
	  echo "note: PESQ is compiled here and needs a C compiler; going on without it" >&2; \
	  $(INSTALL) --editable '.[baselines,speech,onnx,codecs,rooms,demo,dev]'; }
	touch $@

demo: setup  ## train, attack, measure and report on the synthetic corpus (FRESH=1 starts over)
	$(RUN) demo --out runs/demo $(if $(FRESH),--fresh)

test: setup  ## the tests (those on real clips need MONDEGREEN_DATA)
	$(BIN)/python -m pytest -m "not slow"

test-slow: setup  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: setup  ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## apply the format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup  ## mypy --strict
	$(BIN)/mypy

smoke: setup  ## run every command once, at the smallest size
	MONDEGREEN=$(CURDIR)/$(RUN) tests/smoke.sh

results: setup  ## write docs/results.md and the README's table from results/*/results.json
	$(BIN)/python -m mondegreen.report.docs_results results docs/results.md
	$(BIN)/python -m mondegreen.report.readme results README.md
	$(BIN)/python -m mondegreen.report.docs_comparison results docs/comparison.md
	$(BIN)/python -m mondegreen.report.docs_transfer results docs/transfer.md
	$(BIN)/python -m mondegreen.report.docs_performance results docs/performance.md
	$(BIN)/python -m mondegreen.report.docs_tables results docs
	$(BIN)/python -m mondegreen.report.card $(CARD)

picture: setup  ## redraw the README's picture from the evaluation in EVALUATION=folder
	$(RUN) report $(EVALUATION)
	cp $(EVALUATION)/figures/clip_3.svg docs/images/clip.svg

results-check: setup  ## fail when these are out of step with the result files
	$(BIN)/python -m mondegreen.report.docs_results results docs/results.md --check
	$(BIN)/python -m mondegreen.report.readme results README.md --check
	$(BIN)/python -m mondegreen.report.docs_comparison results docs/comparison.md --check
	$(BIN)/python -m mondegreen.report.docs_transfer results docs/transfer.md --check
	$(BIN)/python -m mondegreen.report.docs_performance results docs/performance.md --check
	$(BIN)/python -m mondegreen.report.docs_tables results docs --check
	$(BIN)/python -m mondegreen.report.card --check $(CARD)

clean:  ## delete runs and caches, keep the environment
	rm -rf runs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
