# Everything a stranger needs: `make demo`, `make test`. No root, no activated environment.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/mondegreen
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
CARD := src/mondegreen/zoo/speech-commands $(foreach db,20 25 30,results/spotter-spectral-$(db)db) \
        results/spotter-spectral-20db-quiet
HARDENED := src/mondegreen/zoo/speech-commands-hardened results/spotter-hardening

.PHONY: help setup demo docs docs-lines test test-browser test-slow test-oldest lint format types smoke results \
        results-check picture reproduction-pictures clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.installed  ## install everything into .venv

# torch comes first and pinned: any other requirement on it would fetch gigabytes of CUDA libraries.
$(VENV)/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) torch
	$(INSTALL) --editable '.[quality,baselines,speech,onnx,codecs,rooms,demo,hf,track,dev,browser,docs]' || { \
	  echo "note: PESQ is compiled here and needs a C compiler; going on without it" >&2; \
	  $(INSTALL) --editable '.[baselines,speech,onnx,codecs,rooms,demo,hf,track,dev,browser,docs]'; }
	touch $@

demo: setup  ## train, attack, measure and report on the synthetic corpus (FRESH=1 starts over)
	$(RUN) demo --out runs/demo $(if $(FRESH),--fresh)

test: setup  ## the tests (those on real clips need MONDEGREEN_DATA)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not browser"

test-browser: setup  ## the pages in a headless Chromium (skipped where there is none to be had)
	@{ { command -v chromium || command -v chromium-browser || command -v google-chrome; } && \
	   command -v chromedriver; } >/dev/null || \
	  { test "$$(id -u)" = 0 && apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium chromium-driver; } >/dev/null 2>&1 || \
	  echo "note: no Chromium with chromedriver here; the tests that need them are skipped" >&2
	$(BIN)/python -m pytest -m browser tests/browser

test-slow: setup  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

docs-lines: setup  ## how many shell lines of the documentation tests run, and which they do not
	PYTHONPATH=website $(BIN)/python -m tests.furnished.lines

# The oldest PyTorch that is supported, in an environment of its own. From PyPI it brings CUDA: 6 GB.
OLDEST := .venv-oldest
TORCH := 2.6.0
CORE := $(addprefix tests/,$(addprefix test_,configs.py runs.py weights.py budgets.py) cli/test_commands.py \
        attacks/test_generator_attack.py classifiers/test_classifier_training.py classifiers/test_features.py \
        doctor/test_doctor.py gan/test_training.py generators/test_spectral.py)

test-oldest:  ## the core of the tests on the oldest PyTorch (6 GB), or on another: TORCH=...
	test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	grep -vE '^(torch|sympy|mpmath|networkx)=' constraints.txt > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --constraint $(OLDEST)/constraints.txt \
	  torch==$(TORCH) hypothesis pytest scipy --editable '.[quality,speech,onnx]'
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -m "not slow and not browser" $(CORE)

docs: setup  ## the documentation as a site in site/, to be opened from the disk; any broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

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
	$(BIN)/python -m mondegreen.report.docs_channels results docs/channels.md
	$(BIN)/python -m mondegreen.report.docs_audits results docs/audit.md
	$(BIN)/python -m mondegreen.report.docs_hardening results docs/hardening.md
	$(BIN)/python -m mondegreen.report.docs_defences results docs/defences.md
	$(BIN)/python -m mondegreen.report.docs_leaderboard leaderboard docs/leaderboard.md
	$(BIN)/python -m mondegreen.report.docs_reproduction results docs/reproduction.md
	$(BIN)/python -m mondegreen.report.docs_performance results docs/performance.md
	$(BIN)/python -m mondegreen.report.docs_tables results docs
	$(BIN)/python -m mondegreen.report.card $(CARD)
	$(BIN)/python -m mondegreen.report.hardened_card $(HARDENED)

picture: setup  ## redraw the README's picture from the evaluation in EVALUATION=folder
	$(RUN) report $(EVALUATION)
	cp $(EVALUATION)/figures/clip_3.svg docs/images/clip.svg

# RUN, given on the command line, stands for a folder here.
reproduction-pictures: setup  ## draw the docs' figures of sounds from a reproduction in RUN=folder
	@test -f $(RUN)/reproduction.json || { echo "give the folder of a reproduction: RUN=folder" >&2; exit 2; }
	$(BIN)/python -m mondegreen.report.docs_reproduction results docs/reproduction.md --sounds $(RUN)
	$(MAKE) results

results-check: setup  ## fail when these are out of step with the result files
	$(BIN)/python -m mondegreen.report.docs_results results docs/results.md --check
	$(BIN)/python -m mondegreen.report.readme results README.md --check
	$(BIN)/python -m mondegreen.report.docs_comparison results docs/comparison.md --check
	$(BIN)/python -m mondegreen.report.docs_transfer results docs/transfer.md --check
	$(BIN)/python -m mondegreen.report.docs_channels results docs/channels.md --check
	$(BIN)/python -m mondegreen.report.docs_audits results docs/audit.md --check
	$(BIN)/python -m mondegreen.report.docs_hardening results docs/hardening.md --check
	$(BIN)/python -m mondegreen.report.docs_defences results docs/defences.md --check
	$(BIN)/python -m mondegreen.report.docs_leaderboard leaderboard docs/leaderboard.md --check
	$(BIN)/python -m mondegreen.report.docs_reproduction results docs/reproduction.md --check
	$(BIN)/python -m mondegreen.report.docs_performance results docs/performance.md --check
	$(BIN)/python -m mondegreen.report.docs_tables results docs --check
	$(BIN)/python -m mondegreen.report.card --check $(CARD)
	$(BIN)/python -m mondegreen.report.hardened_card --check $(HARDENED)

clean:  ## delete runs and caches, keep the environment
	rm -rf runs build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
