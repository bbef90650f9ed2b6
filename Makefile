# The five words of this project. Each works on a fresh machine: it makes .venv first, and again when pyproject.toml
# has changed.
#
#   make demo     install, then the main job on real data
#   make test     install, then lint, types, and all tests
#   make check    lint, format, types and the shape of the house: what to run before a commit
#   make docs     write the generated pages again (docs/cli.md, docs/plugins.md)
#   make bench    the measurements behind the claims (benchmarks/)

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   ?= demo
BUDGET ?= 2m
# One thread a worker: these tests are many small tensors, which more threads only slow down.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)

.DEFAULT_GOAL := help
.PHONY: help demo test check lint browser docs bench clean

help:
	@sed -n 's/^#   //p' Makefile

# The stamps hold the time of the last good install; `make clean` removes them with the environment.
$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || { echo "headstart needs Python 3.11 or newer, and there is no $(PYTHON) here."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "headstart needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1 | cut -d" " -f2)."; \
	  echo "Next: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.python
	@echo "Installing headstart into $(VENV) (PyTorch included: about two minutes, over 2 GB to download) ..."
	@start=$$(date +%s); $(BIN)/python -m pip install -qq --disable-pip-version-check -e . && \
	  echo "Installed in $$(( $$(date +%s) - start )) s."
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.python
	@echo "Installing headstart and what its tests need into $(VENV) (about two minutes the first time) ..."
	@start=$$(date +%s); $(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[dev]' && \
	  echo "Installed in $$(( $$(date +%s) - start )) s."
	@touch $@ $(VENV)/.installed

# The tests of pages look at them in a real browser, which is a package of the system and not of Python.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium with apt-get, for the tests of pages ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else \
	  echo "No Chromium here: the tests of pages will skip themselves (on Debian and Ubuntu: apt install chromium)."; \
	fi

demo: $(VENV)/.installed
	$(BIN)/python examples/digits.py $(DEMO)/digits --per-class 25
	@# Offline: with the backbones that are on this machine, so that it takes the same time everywhere.
	HF_HUB_OFFLINE=1 $(BIN)/headstart fit $(DEMO)/digits -o $(DEMO)/model --overwrite --budget $(BUDGET)
	$(BIN)/headstart predict $(DEMO)/model $(DEMO)/digits/test/7/digit-00*.png
	$(BIN)/headstart evaluate $(DEMO)/model $(DEMO)/digits/test

test: lint browser
	$(PYTEST) -m "not slow"
	$(PYTEST) -m slow

check: lint
	$(PYTEST) tests/house -m "not slow"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/generate.py

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/parity.py
	$(BIN)/python benchmarks/serving.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis headstart.egg-info $(DEMO)
