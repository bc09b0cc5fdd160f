# trailhouse: `make help` lists the targets. Everything sets itself up in .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EVENTS ?= 200000
DEMO_DIR ?= var/demo

.PHONY: help install demo check test soak bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("trailhouse needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 $(MAKECMDGOALS)" if sys.version_info < (3, 11) else 0)'
	@echo "setting up $(VENV) (once): Python, tools and libraries at their locked versions"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP) ## make .venv with .venv/bin/trailhouse
	@$(BIN)/trailhouse version

demo: $(STAMP) ## make a bucket of about 200,000 events, answer four questions, check the answers
	@$(BIN)/python tools/demo.py --events $(EVENTS) --dir $(DEMO_DIR)

check: $(STAMP) ## the quick loop: lint, types, fast tests (under two minutes)
	@$(BIN)/python tools/lanes.py check

test: $(STAMP) ## every lane that this machine can run
	@$(BIN)/python tools/lanes.py test

soak: $(STAMP) ## what takes long: kills, fuzzing, large sources
	@$(BIN)/python tools/lanes.py soak

bench: $(STAMP) ## speed and memory, side by side in one run
	@$(BIN)/python tools/lanes.py bench

lock: $(STAMP) ## write requirements/*.txt anew from pyproject.toml
	@$(BIN)/python tools/lock.py

clean: ## remove the environment and everything made by demo and tests
	rm -rf .venv .venv-* node_modules cdk.out var build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
