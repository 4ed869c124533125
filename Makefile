# Python 3.11 to build the environment with; every target works without make too (see README.md).
PYTHON ?= python3.11
BIN := .venv/bin
# A finished install leaves a stamp, so that it happens once for each state of the requirements.
STAMP := .venv/installed-

.PHONY: demo test coverage check clean

demo: $(STAMP)run
	$(BIN)/veil demo

test: $(STAMP)test
	$(BIN)/veil models fetch
	$(BIN)/python -m pytest
	@if command -v node >/dev/null && command -v npm >/dev/null; then npm test; \
	elif [ "$$CI" = true ]; then echo "Node.js and npm must be there in continuous integration" >&2; exit 1; \
	else echo "SKIPPED: the JavaScript tests, because Node.js with npm is not installed"; fi

check: $(STAMP)check node_modules/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	npm run check

.venv/bin/python:
	$(PYTHON) -m venv .venv

$(STAMP)run: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[cloud,demo,workbench]'
	touch $@

$(STAMP)test: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $(STAMP)run $@

$(STAMP)check: $(STAMP)test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,check]'
	touch $@

node_modules/installed: package.json package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "make check needs Node.js 20.19 or later with npm" >&2; exit 1; }
	npm ci --silent
	touch $@

coverage: $(STAMP)test
	$(BIN)/veil models fetch
	$(BIN)/coverage run -m pytest
	-$(BIN)/coverage combine --quiet # complains about the unfinished files of workers that tests have killed
	$(BIN)/coverage report --skip-covered

clean:
	rm -rf .venv node_modules data/work data/sample
