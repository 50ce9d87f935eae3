# Everything that developers and first visitors need. Each target installs what it lacks into .venv.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 5050
# Some machines tell Python to compile everything anew in each process, and tests start hundreds.
# Of its time a test waits a third: for servers, browsers, processes that it kills.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(len(os.sched_getaffinity(0)) + 1)' 2>/dev/null || echo auto)
BIN := $(VENV)/bin
PACKAGING := setup.cfg setup.py pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo run worker test lint check bench docs bad-tools clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Highstreet needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python lacks venv; on Debian: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of extras; a change of the packaging installs anew.
$(VENV)/.installed: $(PACKAGING) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-%: $(PACKAGING) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed ## Build three demo brands from real purchases and serve them on localhost
	$(BIN)/highstreet demo --port $(PORT) $(ARGS)

run: $(VENV)/.installed ## Serve what is in ./instance, with a job runner inside
	$(BIN)/highstreet run --port $(PORT) $(ARGS)

worker: $(VENV)/.installed ## Run jobs in a process of their own (through Redis, if HIGHSTREET_REDIS_URL is set)
	$(BIN)/highstreet worker $(ARGS)

lint: $(VENV)/.installed-test ## Look over style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## Lint, then run all tests (SQLite always; PostgreSQL and Redis where they answer)
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(VENV)/.installed-bench ## Print each figure beside its floor
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.installed-docs ## Write docs/reference anew from the code, and build the site into build/docs
	$(BIN)/python -m highstreet.cli.reference docs/reference
	$(BIN)/python -m sphinx -q -W --keep-going docs build/docs

bad-tools: $(VENV)/.installed-test ## Run every seeded bad tool, and write down what the kit says of it
	HIGHSTREET_WRITE_BAD_TOOLS=1 $(BIN)/python -m pytest -q tests/kit/test_bad_files.py tests/kit/test_bad_deeds.py

clean: ## Remove caches and build results; .venv and instance stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
