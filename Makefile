# Python 3.11 to build the environment with; every target works without make too (see README.md).
PYTHON ?= python3.11
BIN := .venv/bin
# A finished install leaves a stamp, so that it happens once for each state of the requirements.
STAMP := .venv/installed-

# MoviePy declares a version of Pillow that has known holes. It works with the current one, so it is installed without
# what it declares; the extra `comparison` installs it as it wants to be.
COMPARISON := moviepy==2.2.1 imageio==2.38.1 proglog==0.1.12 decorator==5.3.1 python-dotenv==1.2.4 tqdm==4.70.1

# Installing compiles nothing ahead, so what is imported has to be kept: every process would compile it again otherwise.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick benchmarks coverage check lock clean

demo: $(STAMP)run
	$(BIN)/veil demo

test: $(STAMP)test
	$(BIN)/veil models fetch
	$(BIN)/python -m pytest

# No browser, no models, nothing slow: what a developer runs after every change. These tests wait for nothing, so a third
# process would only collect them once more.
quick: $(STAMP)test
	$(BIN)/python -m pytest --numprocesses=2 -m "not browser and not models and not performance and not slow"

# Measures; needs an idle machine, prints a table.
benchmarks: $(STAMP)test
	$(BIN)/veil models fetch
	$(BIN)/python -m pytest --numprocesses=0 -o faulthandler_timeout=0 -m performance tests/benchmarks

check: $(STAMP)check node_modules/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.architecture
	npm run check

.venv/bin/python:
	$(PYTHON) -m venv .venv

$(STAMP)run: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[cloud,detectors,workbench]'
	touch $@

$(STAMP)test: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[test]'
	$(BIN)/python -m pip install --quiet --no-compile --no-deps $(COMPARISON)
	touch $(STAMP)run $@

$(STAMP)check: $(STAMP)test
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[test,check]'
	touch $@

# Every package that users install, with its hashes; after a change of pyproject.toml or constraints.txt.
lock: $(STAMP)check
	.ci/lock

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
