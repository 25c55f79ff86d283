# Two commands are enough on a fresh machine: `make demo` and `make test`; both set up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests that run at once; the processor's cores by default.
WORKERS ?= auto
# More for pytest, for example: make test ARGS="tests/unit -x"
ARGS ?=
UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo screenshots guide-images test coverage check format bench soak lock clean

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## make .venv with exactly the locked packages

$(STAMP): requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)'. Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "'$(PYTHON)' is $$($(PYTHON) -V 2>&1); this needs Python 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

demo: $(STAMP) ## show the main job in a sandbox
	@$(BIN)/ketnap demo

test: $(STAMP) ## run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

coverage: $(STAMP) ## run the tests and tell which lines none of them reaches
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov --cov-report=term $(ARGS)

check: $(STAMP) ## format, lint, types, imports: in seconds
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

bench: $(STAMP) ## measure, each figure beside its floor
	@$(BIN)/ketnap bench

screenshots: $(STAMP) ## draw every page at two sizes into screenshots/
	KETNAP_SHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_pages.py $(ARGS)
	@echo "They are in screenshots/."

guide-images: $(STAMP) ## draw the pictures of the guide again, from the demo
	$(BIN)/python scripts/make-guide-images

soak: $(STAMP) ## run the long form of the tests
	$(BIN)/python -m pytest -m soak $(ARGS)

# Installing looks at nothing but the lock files; only this target asks which versions there are.
lock: $(STAMP) ## write the lock files anew (UPGRADE=1: newest versions)
	$(UV_COMPILE) $(if $(UPGRADE),--upgrade) -o requirements.lock
	$(UV_COMPILE) $(if $(UPGRADE),--upgrade) --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove what was made, and nothing that was entered
	rm -rf $(VENV) build dist demo htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
