# Every target does its own set-up and is safe to run again. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PYTHONUTF8 = 1
# Compiled modules are kept, whatever the shell says: without them every test process rewrites all tests' assertions.
export PYTHONDONTWRITEBYTECODE =
# Each test that docs/invariants.md and docs/reliability.md name must have run and passed. `make e2e PROOFS=` is for a
# cluster whose audit log cannot be read: the tests of that log are skipped there.
PROOFS := --proofs=all

##@ Use it

.PHONY: demo
demo: venv ## Bring up a real cluster, install the chart, run a batch on a real repository and show it live
	$(PY) -m scripts.demo

.PHONY: demo-agents
demo-agents: venv ## Real coding agents side by side in one batch, with models that play a script: no key is needed
	$(PY) -m scripts.demo_agents

.PHONY: cluster
cluster: ## Start (or find) a Kubernetes cluster; prints the kubeconfig's path. CLUSTER=embedded|kind|current
	$(PYTHON) -m devcluster up

.PHONY: cluster-down
cluster-down: ## Stop the cluster that `make cluster` started and leave nothing of it
	$(PYTHON) -m devcluster down

##@ Develop it

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.PHONY: venv
venv: $(VENV)/.ready ## Make the Python environment in .venv from the hashed lock file

.PHONY: lint
lint: venv docs ## ruff, mypy --strict, the import rules, spelling, and the documentation's links
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/codespell
	$(PY) -m scripts.check_words

.PHONY: docs
docs: venv ## Build the documentation as a site, in site/; a broken link or a page in no menu fails it
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

.PHONY: unit
unit: venv ## The quick layer: pure logic, no cluster (under 30 seconds)
	$(PY) -m pytest tests/unit tests/devcluster -n 2 -q $(PROOFS)

.PHONY: local
local: venv ## The local supervisor on real git, real processes and a real Postgres
	scripts/ensure_postgres.sh
	scripts/ensure_git_servers.sh
	$(PY) -m pytest tests/local -n 2 -q $(PROOFS)

.PHONY: chart
chart: venv cluster ## helm lint, helm template, and what the rendered chart must say
	$(PY) -m pytest tests/chart -q

.PHONY: e2e
e2e: venv ## End to end on a real cluster: API server, kubelet, containerd, the chart and the image of this checkout
	scripts/ensure_git_servers.sh
	$(PY) -m scripts.deploy
	$(PY) -m pytest tests/e2e -n 3 --dist loadfile -q $(PROOFS) $(E2E)

.PHONY: agents
agents: export AGENTS = aider claude-code codex mini-swe-agent opencode
agents: venv ## Every agent that the chart has a preset for, on the real cluster (the image takes 10 minutes at first)
	$(PY) -m scripts.deploy
	$(PY) -m pytest tests/e2e/test_real_agents.py -q

.PHONY: invariants
invariants: venv ## The tests that the documents name as proofs and that need no cluster; `make e2e` checks the others
	scripts/ensure_postgres.sh
	scripts/ensure_git_servers.sh
	$(PY) -m pytest tests/unit tests/local -n 2 -q --proofs=only

.PHONY: coverage
coverage: venv ## The lines and branches of operator/ that the quick layer and the local layer go through, by package
	scripts/ensure_postgres.sh
	scripts/ensure_git_servers.sh
	rm -rf .coverage_data && mkdir .coverage_data
	$(PY) -m coverage run -m pytest $(or $(TESTS),tests/unit tests/local) -n 2 -q
	$(PY) -m coverage combine --quiet
	$(PY) -m scripts.coverage_table

.PHONY: mutation
mutation: venv ## Change decisions one at a time and count what no test notices (2 hours; PART="autopack_operator.domain.batch.*")
	$(PY) -m scripts.mutation run --max-children 2 $(if $(PART),"$(PART)")

PLAN ?= full
LANES ?= 8
MINUTES ?= 30

.PHONY: faults
faults: venv cluster ## Random lives of a worktree (MINUTES=30), then over 1,400 trials on the real cluster. PLAN=file
	scripts/ensure_postgres.sh
	$(if $(filter full,$(PLAN)),$(PY) -m tests.local.nothing_lost.machine --minutes $(MINUTES))
	$(PY) -m faults $(PLAN) --lanes $(LANES)

.PHONY: faults-quick
faults-quick: venv cluster ## A sample of the fault campaign of every category (under 6 minutes)
	scripts/ensure_postgres.sh
	$(PY) -m faults quick --lanes $(LANES)

.PHONY: test
test: ## All tests, the quick layers first
	$(MAKE) lint
	$(MAKE) unit
	$(MAKE) local
	$(MAKE) chart
	$(MAKE) e2e
	$(MAKE) faults-quick

.PHONY: bench
bench: venv ## Speed, scale and cost beside what Kubernetes and git do; a table, and one JSON object last (40 minutes)
	$(PY) -m bench $(BENCH)

.PHONY: bench-quick
bench-quick: venv ## The same with small sizes and few repeats (5 minutes)
	$(PY) -m bench --quick $(BENCH)

.PHONY: bench-check
bench-check: venv ## bench-quick, failing when a ratio is worse than bench/baseline.json by more than 20%
	$(PY) -m bench --quick --check $(BENCH)

.PHONY: bench-churn
bench-churn: venv ## The operator's memory over an hour of 5 runs a second (BENCH="--minutes 5" for less)
	$(PY) -m bench.churn $(BENCH)

.PHONY: generate
generate: venv ## Write the generated files again: CRDs, and the references in docs/
	$(PY) -m scripts.generate_crds
	$(PY) -m scripts.generate_api_docs
	$(PY) -m scripts.generate_metrics_docs
	$(PY) -m scripts.generate_chart_docs
	$(PY) -m scripts.generate_cli_docs

.PHONY: lock
lock: venv ## Refresh the lock files from pyproject.toml, with hashes
	$(VENV)/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra dev -c requirements.lock \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -o requirements-dev.lock

.PHONY: lock-agents
lock-agents: venv ## Refresh the lock files of images/agents, with hashes
	for folder in images/agents/*/package.json; do \
	  (cd "$$(dirname "$$folder")" && rm -f package-lock.json && \
	   npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund); done
	for input in images/agents/node.in images/agents/*/requirements.in; do \
	  overrides=$$(ls "$$(dirname "$$input")/overrides.txt" 2>/dev/null || true); \
	  $(VENV)/bin/uv pip compile "$$input" --quiet --upgrade --python-platform linux --python-version 3.11 \
	    $${overrides:+--overrides "$$overrides"} --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock-agents" -o "$${input%.in}.lock"; done

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z_-]+:.*##/ {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
