# Every target that needs the environment makes it first, once: a stamp in .venv says from which pyproject.toml and
# constraints.txt it was installed. Settings: make PYTHON=python3.12 EXTRA=cuda13 bench

PYTHON ?= python3
# cpu, cuda12 or cuda13: an extra of pyproject.toml. cuda12 where an NVIDIA driver answers, else cpu.
EXTRA ?= $(shell nvidia-smi -L 2>/dev/null | grep -q '^GPU' && echo cuda12 || echo cpu)
# Further extras. JAX comes by itself and as a backend of Keras.
EXTRAS ?= report,dev,jax,cluster
# The run that `make report` renders: the newest.
RUN ?= $(patsubst %/records.jsonl,%,$(shell ls -t results/*/records.jsonl 2>/dev/null | head -n 1))

VENV := .venv
BIN := $(VENV)/bin
FAST := $(addprefix tests/, architecture/test_totals.py architecture/test_walls.py mutation/test_report.py \
  $(addprefix benchmarks/, analysis plan records report worker test_gpus.py test_statistics.py) \
  $(addprefix implementations/, $(addprefix equivalence/test_, tolerances.py precision.py rounding.py strays.py) test_initialisation.py mlp/test_spec.py mlp/test_extremes.py))
# What `make test` runs: all, or what concerns one model, and of the rest what is quick.
CHOSEN = $(if $(MODEL),--model $(MODEL) $(FAST) tests/conformance/test_conformance.py tests/implementations/$(MODEL))
# One more than cores: some tests wait.
PROCESSES ?= $(shell expr 1 + $$(nproc 2>/dev/null || echo 1))
STAMP := $(VENV)/.installed-$(EXTRA)

.DEFAULT_GOAL := help
.PHONY: help setup bench choose test test-fast test-cluster lint types check prove selfcheck gpu peers docs report clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Settings: PYTHON=$(PYTHON) EXTRA=$(EXTRA) EXTRAS=$(EXTRAS)"

setup: $(STAMP) ## Make .venv and install everything (the other targets do it by themselves)

bench: $(STAMP) ## Prove the implementations equal, time them (3 minutes) and write the report
	$(BIN)/python -m benchmarks run --profile quick

choose: $(STAMP) ## Which framework for your network: SPEC=my.toml DATA=my.npz, both optional (BUDGET=10m)
	$(BIN)/python -m benchmarks run --profile choose $(if $(SPEC),--spec '$(SPEC)') $(if $(DATA),--data '$(DATA)') $(if $(BUDGET),--budget '$(BUDGET)')

test: $(STAMP) ## Run the tests (MODEL=mlp: those of one model, and the quick ones of what all share)
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadgroup --no-loadscope-reorder $(CHOSEN)

test-fast: $(STAMP) ## Run the tests that start no workers and compile nothing (about a minute)
	$(BIN)/python -m pytest -q $(FAST)

test-cluster: $(STAMP) ## Take sweeps through a real Slurm that is preempted, killed and cut off (under four minutes; as root, with Slurm installed)
	@$(BIN)/python -c 'import sys; from tests.support import slurm; sys.exit(slurm.missing() or 0)'
	$(BIN)/python -m pytest -m '' tests/cluster

lint: $(STAMP) ## Check format, lint and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo

types: $(STAMP) ## Check types
	$(BIN)/mypy

check: lint types test ## Run what CI's main job runs: format, lint, import contracts, types, tests

prove: $(STAMP) ## Plant every fault in every framework, try thousands of seeds, and write results/proof (two hours; stopped, it goes on; MODEL=cnn: of one network)
	$(BIN)/python -m tests.mutation $(MODEL)

selfcheck: $(STAMP) ## Hold the harness against known truths and other timers (15 minutes; ARGS=--full takes a night)
	$(BIN)/python -m pytest -q tests/benchmarks/runner/test_simulation.py
	$(BIN)/python -m benchmarks.selfcheck $(ARGS)

gpu: $(STAMP) ## On a machine with an NVIDIA GPU: prove, time and pack everything there (.ci/gpu; some minutes)
	PATH="$(CURDIR)/$(BIN):$$PATH" .ci/gpu

peers: $(STAMP) ## Time the implementations, plain and tuned, beside well-known code for a similar network
	$(BIN)/python -m benchmarks run --profile peers

docs: $(STAMP) ## Make the generated pages again: command line, limits, columns, gallery of runs
	$(BIN)/python -m tests.support.generated_pages

report: $(STAMP) ## Make the report of the newest run again (RUN=results/NAME for another)
	@test -n "$(RUN)" || { echo "No run in results/ yet. Make one: make bench" >&2; exit 2; }
	$(BIN)/python -m benchmarks report $(RUN)

clean: ## Remove caches and build leftovers (keeps .venv and results)
	rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .benchmarks .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

# Which build of torch. On Linux, PyPI's is for CUDA 13: gigabytes of no use without a GPU, and a clash with
# TensorFlow's libraries on cuda12. So torch alone comes first from PyTorch's own index, where a build for this machine
# stands beside PyPI's and wins (+cpu or +cu126 sorts higher). Set TORCH_INDEX for another one (for example
# https://download.pytorch.org/whl/cu129), or to nothing for what pip finds by itself. Where pip is configured with
# places of its own (a mirror, a folder of wheels), it is left alone. An index that does not answer costs seconds, and
# PyPI's build is taken.
TORCH_INDEX_cpu := https://download.pytorch.org/whl/cpu
TORCH_INDEX_cuda12 := https://download.pytorch.org/whl/cu126
TORCH_INDEX ?= $(if $(filter Linux,$(shell uname -s)),$(TORCH_INDEX_$(EXTRA)))
PIP_PLACES = $(BIN)/pip config list | grep -E 'index-url|find-links|no-index' >/dev/null
PIP_INSTALL = $(BIN)/pip install --disable-pip-version-check --constraint constraints.txt

# A build for another EXTRA is not mended but made anew: two TensorFlows, or two CUDAs, must not meet.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	  echo "samenet needs Python 3.11, 3.12 or 3.13; $(PYTHON) is not. Say which: make PYTHON=python3.12 setup" >&2; exit 2; }
	@echo "Installing for '$(EXTRA)' ($(if $(filter cpu,$(EXTRA)),no NVIDIA driver in use,NVIDIA GPU)) into $(VENV)"
	@for stamp in $(VENV)/.installed-*; do case $$stamp in $@|*'*') ;; *) rm -rf $(VENV) ;; esac; done
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if $(PIP_PLACES); then echo "pip is configured with places of its own; torch comes from there"; \
	elif [ -n "$(TORCH_INDEX)" ]; then \
	  $(PIP_INSTALL) --no-deps --retries 1 --timeout 20 --extra-index-url $(TORCH_INDEX) torch; fi
	$(PIP_INSTALL) --editable '.[$(EXTRA),$(EXTRAS)]'
	@touch $@
