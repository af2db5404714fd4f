# Every target that is meant for people says what it does behind `##`; `make help` prints them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLAY ?= morning-rush
export PYTHONWARNINGS ?=
# What was compiled once is not compiled again in every process, whatever the machine's habit is.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2}'

# ---- what everything needs
$(VENV)/.done: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(VENV)/.done ## Python environment with the pinned dependencies

.PHONY: setup-services
setup-services: ## Debian's redis-server, Prometheus and Alertmanager, for what talks to real ones (root)
	@bash tests/setup_services.sh

.PHONY: lock
lock: setup ## Write the hash-pinned requirements anew from pyproject.toml
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/pip install -q uv
	@for t in operator: dev:--group=dev; do $(BIN)/python -m uv pip compile -q --generate-hashes --no-emit-index-url --no-header \
	  --universal --python-version 3.11 pyproject.toml $${t#*:} -o requirements/$${t%%:*}.txt; done
	@cd scenarios/morning-rush/app/processes && $(CURDIR)/$(BIN)/python -m uv pip compile -q --generate-hashes \
	  --no-emit-index-url --no-header --universal --python-version 3.11 requirements.in -o requirements.txt

# ---- checks
.PHONY: check
check: setup ## Format, lint, types, imports, generated files, unit tests (a minute; neither root nor apt)
	@mkdir -p build
	@$(MAKE) -s -j 2 --output-sync=target unit-half unit-rest types imports generated-are-current lint

.PHONY: lint types imports
lint: setup
	@$(BIN)/ruff format -q --check . || { echo 'not formatted: make format'; false; }
	@$(BIN)/ruff check -q .
types: setup
	@$(BIN)/mypy
imports: setup
	@mkdir -p build && $(BIN)/lint-imports --no-cache >build/imports.log 2>&1 || { cat build/imports.log; false; }

.PHONY: format
format: setup ## Format the code, and sort its imports
	@$(BIN)/ruff check -q --select I --fix . && $(BIN)/ruff format -q .

.PHONY: generate
generate: setup ## CRDs and the tables in the docs, from the code; the chart, from the manifests
	@$(BIN)/python -m kubedrill.plugins.crds crds
	@$(BIN)/python charts/generate.py
	@$(BIN)/python -m kubedrill.core.machine.phases > docs/reference/phases.md
	@$(BIN)/python docs/draw_layers.py --write
	@$(BIN)/python -m tests.golden.sentences

.PHONY: generated-are-current
generated-are-current: setup
	@mkdir -p build/generated && $(BIN)/python -m kubedrill.plugins.crds build/generated && diff -r crds build/generated
	@$(BIN)/python -m kubedrill.core.machine.phases | diff docs/reference/phases.md -
	@$(BIN)/python docs/draw_layers.py
	@$(BIN)/python charts/generate.py --check

.PHONY: unit
unit: setup ## Unit tests (milliseconds each, no service and no cluster)
	@$(MAKE) -s -j 2 --output-sync=target unit-half unit-rest

# Two processes that take about as long, each of which reads its own half alone. Workers that are handed their tests read all
# of them each, and whoever hands them out takes a share of both cores.
HALF := $(addprefix tests/,cli giving_up model protocol shell watchdog)
.PHONY: unit-half unit-rest
unit-half: setup
	@mkdir -p build && $(BIN)/pytest -q $(HALF)
unit-rest: setup
	@mkdir -p build && $(BIN)/pytest -q tests $(HALF:%=--ignore=%) --ignore=tests/integration --ignore=tests/e2e

.PHONY: unit-thorough
unit-thorough: setup ## The unit tests as CI runs them: four times the examples, the model with two departures (two minutes)
	@KUBEDRILL_TESTS=thorough $(MAKE) -s unit

.PHONY: integration
integration: setup setup-services ## Tests that start a real Redis, Prometheus or Alertmanager (no cluster)
	@mkdir -p build && $(BIN)/pytest -q -n 2 --dist worksteal tests/integration

.PHONY: coverage
coverage: setup ## How much of the code the unit tests run: the least covered modules, and the total
	@mkdir -p build && $(BIN)/pytest -q -n 2 --dist worksteal --cov=kubedrill --cov-report=term:skip-covered --cov-precision=1 \
	  tests --ignore=tests/e2e --ignore=tests/integration | tee build/coverage.log | tail -n 60

.PHONY: model
model: setup ## All ways through two drills, deeper than the unit tests go: crashes, edits, second operators (minutes)
	@KUBEDRILL_MODEL_DEPTH=deep $(BIN)/pytest -q -s tests/model/test_every_way_ends_well.py

# ---- the cluster
.PHONY: cluster
cluster: ## A real throwaway cluster: yours (KUBEDRILL_CONTEXT), kind on Docker, or a self-built one
	@$(PYTHON) -m cluster up

.PHONY: cluster-down
cluster-down: ## Remove the cluster and all that it left
	@$(PYTHON) -m cluster down

.PHONY: cluster-status
cluster-status: ## What of the cluster is there
	@$(PYTHON) -m cluster status

# ---- the operator and the staging app in the cluster
KUBE = eval "$$($(PYTHON) -m cluster env)";
IMAGE := localhost/kubedrill/operator:dev

.PHONY: operator-image
operator-image: cluster ## Build the operator's image and load it into the cluster
	@rm -rf build/operator-image && mkdir -p build/operator-image/operator build/operator-image/requirements
	@cp operator/Containerfile build/operator-image/ && cp requirements/operator.txt build/operator-image/requirements/
	@cp -r operator/kubedrill build/operator-image/operator/ && find build/operator-image -name __pycache__ -prune -exec rm -r {} +
	@$(PYTHON) -m cluster image $(IMAGE) build/operator-image

.PHONY: image
image: ## The operator's image for your registry: IMG=registry/kubedrill:tag (docker, podman or buildah)
	@operator/image.sh '$(IMG)'

DIST := build/dist
.PHONY: wheel
wheel: setup ## The command line as a wheel in build/dist: pipx install it, and `kubectl drill` is there
	@$(BIN)/pip wheel -q --no-deps --no-build-isolation -w $(DIST) . && ls $(DIST)/*.whl

.PHONY: single-file
single-file: wheel ## The command line as one file, build/dist/kubectl-drill, for this machine's Python and platform
	@rm -rf build/single-file && $(BIN)/pip install -q --no-compile --require-hashes --target build/single-file -r requirements/operator.txt
	@$(BIN)/pip install -q --no-compile --no-deps --target build/single-file $(DIST)/kubedrill-*.whl
	@$(BIN)/python operator/single_file/pack.py build/single-file $(DIST)/kubectl-drill && ls -sh $(DIST)/kubectl-drill

.PHONY: install
install: operator-image generate ## CRDs, rights and the operator itself
	@$(KUBE) $(BIN)/python demo/install.py

.PHONY: staging
staging: cluster ## The staging app of the seed, in namespace `staging`, until it is steady
	@$(KUBE) $(PYTHON) scenarios/morning-rush/app/up.py --namespace staging

.PHONY: demo
demo: setup cluster install staging ## The seed's drill, live: PLAY=diagnose-first for another team, PLAYERS=me to play yourself
	@$(KUBE) $(BIN)/python demo/demo.py --play $(PLAY) $(if $(filter me,$(PLAYERS)),--players-me)

# ---- tests
.PHONY: e2e
e2e: setup cluster install ## Everything on the real cluster
	@$(KUBE) for f in tests/e2e/*/; do $(BIN)/pytest -q $$f || exit 1; done

.PHONY: test
test: setup setup-services ## Unit and integration tests, then all on a real cluster; prints how many of each level ran
	@bash tests/run_all.sh

# What the fault matrix needs of the cluster: the CRDs alone. Its operators are processes of its own.
CRDS = kubectl apply --server-side --force-conflicts -f crds >/dev/null && \
  kubectl wait --for=condition=Established -f crds --timeout=30s >/dev/null
MATRIX = $(KUBE) $(CRDS) && $(BIN)/python -m tests.faultmatrix

.PHONY: faultmatrix
faultmatrix: setup setup-services cluster ## The operator killed, lied to and cut off at every write (PLAN='names or globs' for some; about 40 min)
	@$(MATRIX) --plan '$(or $(PLAN),*)' --slots 7 $(if $(TRACE),--trace)

.PHONY: faultmatrix-night
faultmatrix-night: setup setup-services cluster ## All plans but the slow ones, those that repeat a rule on another fault too
	@$(MATRIX) --nightly --slots 7

.PHONY: faultmatrix-ci
faultmatrix-ci: setup setup-services cluster ## The subset of CI: every write of each fault kind at least once (about 5 min)
	@$(MATRIX) --ci

.PHONY: faultmatrix-slow
faultmatrix-slow: setup setup-services cluster ## The plans with long outages
	@$(MATRIX) --slow

.PHONY: faultmatrix-reference
faultmatrix-reference: setup setup-services cluster ## Count the writes of clean runs anew, from which the plans are spelled out
	@$(KUBE) $(CRDS) && $(BIN)/python -m tests.faultmatrix.reference

.PHONY: mutants
mutants: setup setup-services cluster ## Plant small bugs, one at a time: the suite must catch them (20 min)
	@$(KUBE) $(CRDS) && $(BIN)/python -m tests.mutants $(if $(DEFECT),--defect '$(DEFECT)')

.PHONY: scale
scale: setup setup-services ## 10,000 pods, 50 drills in play and 100 held; then how quick a small cluster is (no cluster needed, 30 min)
	@$(BIN)/python -m tests.scale $(if $(ONLY),--only '$(ONLY)')

.PHONY: soak
soak: setup setup-services cluster ## 300 random drills with random kills: nothing is left, and memory does not grow
	@$(KUBE) $(CRDS) && $(BIN)/python -m tests.faultmatrix.soak

.PHONY: shapes
shapes: setup cluster install staging ## Drills on all shapes of alerts, held against an independent recorder (PLAY='names or globs'; 30 min)
	@$(KUBE) $(BIN)/python -m tests.shapes --play '$(if $(filter command line,$(origin PLAY)),$(PLAY),*)'

.PHONY: cases
cases: setup cluster install staging ## The field cases with their own YAML: alerts, monitoring and neighbours of other people (15 min)
	@$(KUBE) $(BIN)/pytest -q nightly/cases

.PHONY: nodes
nodes: setup cluster install staging ## The control plane restarted, the worker stopped, in the middle of drills
	@$(KUBE) $(BIN)/pytest -q nightly/test_nodes.py

.PHONY: upgrade
upgrade: setup cluster install staging ## Operator and CRDs upgraded and rolled back, in either order, in the middle of drills
	@$(KUBE) $(BIN)/pytest -q nightly/test_upgrade_in_play.py

.PHONY: installs
installs: setup cluster install staging ## Each way to install, upgraded and removed in the middle of drills (10 min, takes the operator away)
	@$(KUBE) $(BIN)/pytest -q nightly/test_installs.py

.PHONY: soak-baseline
soak-baseline: setup cluster staging ## Ten minutes of the staging app's baseline
	@$(KUBE) KUBEDRILL_BASELINE_SECONDS=600 $(BIN)/pytest -q tests/e2e/staging -k baseline

.PHONY: bench
bench: setup cluster install staging ## Latency of injection and undo, the operator's cost (not a test)
	@$(KUBE) PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python bench/latency.py

.PHONY: nightly
nightly: setup cluster install staging soak-baseline ## What takes too long for CI: ten minutes of baseline, twenty unfixed drills
	@$(KUBE) $(BIN)/pytest -q nightly
