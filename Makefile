# Bare `make` prints what there is. Everything runs in .venv, which is made from the locked requirements.

PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r
COMPILE := $(BIN)/uv pip compile -q --no-config --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header $(ARGS) pyproject.toml
# What a real installation must set; nothing connects anywhere in `manage.py check`.
PRODUCTION := DATABASE_URL=postgresql://coop:secret@db/coop REDIS_URL=redis://redis:6379/0 MEDIA_ROOT=/tmp \
  ALLOWED_HOSTS=coop.vendor.example SECRET_KEY=only-for-this-check-3Hq0yVw8mKf5tZr1xNb7cJd2pLs9gTe4

.DEFAULT_GOAL := help
.PHONY: help demo test check bench chaos format lock clean ci

help: ## print these lines
	@echo "Coop: co-op marketing funds from an earnings line to a paid claim. Commands:"
	@sed -nE 's/^([a-z]+):.*## /  make \1	/p' Makefile | expand -t 16

demo: $(VENV)/.demo ## start everything, print the address (PORT=8000 COOP_HOME=.coop EMPTY=1 NOW=2023-07-01T00:00:00Z)
	@exec $(BIN)/python manage.py up

test: $(VENV)/.test ## run the whole suite (ARGS="-k words" runs a part)
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev ## formatter, linter, types, imports, migrations, templates, Dockerfile, deployment settings
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djade --check $$(find templates -name '*.html')
	$(BIN)/hadolint Dockerfile
	@if command -v docker-compose >/dev/null; then set -x; \
	  SECRET_KEY=x POSTGRES_PASSWORD=x REDIS_PASSWORD=x docker-compose --env-file .env.example config -q; \
	  else echo "docker-compose.yml was not checked: there is no docker-compose here."; fi
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy"; $(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.demo ## measure against limits and peers, an hour for all (ARGS="sweep --scale 0.1" for less)
	@$(BIN)/python -m bench $(ARGS)

chaos: $(VENV)/.test ## kill everything at random under load, then prove what was promised (ARGS="--minutes 10 --seed 7")
	@$(BIN)/python -m tests.chaos $(ARGS)

format: $(VENV)/.dev ## format code and templates
	@$(BIN)/ruff check -q --fix-only .
	@$(BIN)/ruff format -q .
	@$(BIN)/djade $$(find templates -name '*.html') || true

lock: $(VENV)/.dev ## compile requirements/*.txt anew from pyproject.toml (ARGS=--upgrade takes newer versions)
	@$(COMPILE) -o requirements/base.txt
	@$(COMPILE) --group demo -c requirements/base.txt -o requirements/demo.txt
	@$(COMPILE) --group test -c requirements/demo.txt -o requirements/test.txt
	@$(COMPILE) --group dev -c requirements/test.txt -o requirements/dev.txt

ci: ## what the CI server runs: chromium first, then check and test
	@.ci/run

clean: ## delete .venv, .coop and what tools left behind
	@rm -rf $(VENV) .coop .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A changed lock installs again, an unchanged one costs nothing. Each set contains the one before.

$(VENV)/.demo: requirements/demo.txt | $(BIN)/pip
	@echo "Installing what the demo needs (50 MB; half a minute) ..."
	@$(INSTALL) requirements/demo.txt
	@touch $@

$(VENV)/.test: requirements/test.txt | $(BIN)/pip
	@echo "Installing what the tests need (110 MB) ..."
	@$(INSTALL) requirements/test.txt
	@touch $(VENV)/.demo $@

$(VENV)/.dev: requirements/dev.txt | $(BIN)/pip
	@echo "Installing the developers' tools (190 MB) ..."
	@$(INSTALL) requirements/dev.txt
	@touch $(VENV)/.demo $(VENV)/.test $@

$(BIN)/pip:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Coop needs Python 3.11 or newer, and '$(PY)' is not. If you have it under another name: make demo PY=python3.12"; exit 1; }
	@$(PY) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
