# Everything a fresh machine needs is Python, venv and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two lists of what is needed: to run the demo, and to develop, which is far more.
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready
LOG := $(VENV)/setup.log

.PHONY: help run test browser deployment faults soak mutants loaded screenshots check bench lock rules sbom release clean
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Both are set up once, and again only when what they install has changed. What pip says is for who asks.
define install
@$(BIN)/python -m pip install --no-compile --disable-pip-version-check $(1) >$(LOG) 2>&1 || \
	{ echo "The packages could not be had: setting up needs the network, once (pip's own words: $(LOG))." >&2; exit 1; }
endef

$(RUNS): requirements-demo.lock pyproject.toml recorder/pyproject.toml
	@$(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed, with venv, and $(PYTHON) is not that: name one by PYTHON=/path/to/it" >&2; exit 1; }
	@echo "Setting up $(VENV) (once; less than a minute, some 230 MB) ..."
	@$(PYTHON) -m venv $(VENV)
	$(call install,--require-hashes -r requirements-demo.lock)
	$(call install,--no-deps --no-build-isolation -e . -e recorder)
	@touch $@

$(READY): $(RUNS) requirements.lock
	@echo "Setting up the tools of development (once; about a minute) ..."
	$(call install,--require-hashes -r requirements.lock)
	@touch $@

run: $(RUNS) ## Start the demo: PostgreSQL, Valkey, seeded data and the service
	@$(BIN)/parallel-ops demo $(ARGS)

# Three at a time, for two cores: tests often wait for servers that start, end or are away. Each process has
# servers of its own, and one that is done takes from what the others have left.
# Where Python is told to keep no bytecode, each process would compile all tests anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(READY) ## Run the tests on a real PostgreSQL and a real Valkey
	$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

browser: $(READY) ## Run the duty board's tests in Debian's Chromium
	$(BIN)/python -m pytest tests/browser $(ARGS)

deployment: $(READY) ## Run what is deployed: nginx before three instances, Prometheus and its alerts
	$(BIN)/python -m pytest tests/deployment $(ARGS)

faults: $(READY) ## Break things on purpose while every answer is checked (ten minutes)
	timeout --kill-after=30 1200 $(BIN)/python -m pytest tests/faults $(ARGS)

soak: $(READY) ## Twenty minutes of load while the data changes, and nothing may grow
	$(BIN)/python -m pytest tests/faults/test_long_load.py --minutes 20 $(ARGS)

mutants: $(READY) ## Change the code on purpose, and see whether the unit tests notice (some ten minutes)
	$(BIN)/python -m tests.mutants $(ARGS)

loaded: $(READY) ## Run the tests ten times over beside busy loops, at other hours each time (more than an hour)
	$(BIN)/python -m tests.loaded $(ARGS)

screenshots: $(READY) ## Take pictures of the duty board into build/screenshots (needs Chromium)
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

check: $(READY) ## Format, lint, types, and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## Run the benchmarks and rewrite the tables of docs/benchmarks.md
	$(BIN)/python -m benchmarks $(ARGS)

LOCK := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 --no-emit-package parallel-ops-recorder

lock: ## Pin every dependency again, and the same versions for the image (needs uv)
	$(LOCK) --all-extras -o requirements.lock pyproject.toml
	$(LOCK) -c requirements.lock -o requirements-runtime.lock pyproject.toml
	$(LOCK) --extra otel -c requirements.lock -o requirements-otel.lock pyproject.toml
	echo hatchling | $(LOCK) -c requirements.lock -o requirements-build.lock -
	printf 'hatchling\neditables\n' | $(LOCK) --extra demo -c requirements.lock -o requirements-demo.lock pyproject.toml -

# The alerts once more, as the Prometheus Operator takes them.
RULE := deploy/kubernetes/monitoring/prometheusrule.yaml

rules: ## Make the PrometheusRule of deploy/kubernetes, after changes of deploy/prometheus/rules.yml
	@{ printf '%s\n' '# Made by `make rules` of deploy/prometheus/rules.yml: change that.' \
		'apiVersion: monitoring.coreos.com/v1' 'kind: PrometheusRule' 'metadata:' '  name: parallel-ops' \
		'  labels: {app.kubernetes.io/name: parallel-ops}' 'spec:'; sed 's/./  &/' deploy/prometheus/rules.yml; } >$(RULE)

# What the image has, and no more: an environment of what is pinned for it, as the Dockerfile makes it.
ENVIRONMENT := build/environment
SBOM := build/sbom.json

$(ENVIRONMENT): requirements-runtime.lock pyproject.toml | $(READY)
	$(PYTHON) -m venv --clear --without-pip $@
	$(BIN)/python -m pip --python $@/bin/python install --quiet --disable-pip-version-check --require-hashes -r requirements-runtime.lock
	rm -rf build/wheels
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheels . ./recorder
	$(BIN)/python -m pip --python $@/bin/python install --quiet --disable-pip-version-check --no-deps --no-index build/wheels/*.whl

sbom: $(READY) $(ENVIRONMENT) ## List all that the service is made of in build/sbom.json (CycloneDX)
	mkdir -p $(dir $(SBOM))
	$(BIN)/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --output-file $(SBOM) $(ENVIRONMENT)/bin/python

release: check test ## Build the packages into dist/, and tag the version that CHANGELOG.md dates
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist
	cd recorder && ../$(BIN)/python -m hatchling build -d ../dist
	bash .ci/release

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
