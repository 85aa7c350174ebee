# make review | make test: both set up .venv on a fresh machine; Python 3.11 or newer and make are all they need.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PLAN ?= credits
ON ?= postgresql
WORKERS ?= 2

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
files = $(shell find $(1) -type f -not -name '*.pyc' -not -path '*/.ipynb_checkpoints/*' -not -path '*/node_modules/*' 2>/dev/null)
PACKAGE := pyproject.toml $(call files,dbplan migrations seeds)
# Tests that want what only CI has installed (a browser) run there, and there none is left out.
MARKED := $(if $(CI),,-m "not ci")

.PHONY: review test check lab erd docs clean

# The command ends with the path of the page; a page that is still true is only named.
review: build/$(PLAN)/review.html
	@$(if $(REVIEWED),:,echo $<)

build/$(PLAN)/review.html: $(PACKAGE) .venv/.installed
	@$(BIN)/dbplan review $(PLAN) --on $(ON) --output $@
	$(eval REVIEWED := yes)

test: build/.tested

build/.tested: $(PACKAGE) $(call files,tests notebooks docs erd) README.md Makefile .venv/.developing
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(MARKED)
	$(BIN)/dbplan notebook check notebooks/*.ipynb
	PYTHONPATH=tests $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -p conftest --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg -p no:cacheprovider -W default notebooks
	@mkdir -p build && touch $@

check: .venv/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: .venv/.developing
	$(BIN)/jupyter lab notebooks

erd: .venv/.installed
	$(BIN)/dbplan erd

# Everything under docs/ and erd/ that is generated from what runs, and the notebooks' outputs.
docs: erd .venv/.developing
	DBPLAN_GOLDEN=write $(BIN)/python -m pytest -q -n $(WORKERS) -m generated
	$(BIN)/dbplan notebook run notebooks/*.ipynb

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "dbplan needs Python 3.11 or newer on PATH, or: make PYTHON=/path/to/python"; exit 2; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 2; }

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing dbplan into .venv"
	@$(PIP) --editable .
	@touch $@

# Node comes from a wheel, its packages from lock files: tools that tests hand exported schemas to, ORMs that are compared.
# None runs an install script.
.venv/.developing: .venv/.installed tests/node/package-lock.json dbplan/orms/node/package-lock.json
	@echo "installing what tests and notebooks need into .venv and tests/node"
	@$(PIP) --editable '.[workbook,orms,mysql,distributed,parquet,dev]'
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tests/node --ignore-scripts --no-audit --no-fund --silent
	@$(BIN)/python -c "from dbplan.orms.installing import install; install(print)"
	@touch $@

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
