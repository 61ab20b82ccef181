# Each target has a comment after "##", which `make help` shows.
# ARGS are passed on: make test ARGS="-k split"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types docs regenerate bench
.NOTPARALLEL:
BIN := .venv/bin
ARGS ?=

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing, make .venv with domtune and its development tools
	@scripts/setup.sh

demo: setup ## the whole story on this machine: start, tune while it runs, prove it, clean up
	@$(BIN)/domtune demo $(ARGS)

test: setup ## all tests, live ones too where a hypervisor can be run; ARGS go to pytest
	@$(BIN)/python -m pytest $(ARGS)

check: lint types ## what to run before a commit: linters, types and the tests without a hypervisor
	@$(BIN)/python -m pytest -m "not live" $(ARGS)

lint: setup ## ruff and codespell
	@$(BIN)/ruff format --check --diff .
	@$(BIN)/ruff check .
	@$(BIN)/codespell

types: setup ## mypy, strict
	@$(BIN)/mypy

docs: setup ## fail when the generated pages of the reference are stale
	@$(BIN)/python -m domtune.docs --check

regenerate: setup ## rewrite generated pages and what the cases expect; then read the diff
	@$(BIN)/python -m pytest tests/test_cases.py tests/test_shipped.py --regenerate $(ARGS)
	@$(BIN)/python -m domtune.docs --write

bench: ## compare with other tools, which it installs first
	@scripts/setup.sh bench
	@$(BIN)/python bench/run.py $(ARGS)
