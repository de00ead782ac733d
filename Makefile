# Every command a developer or CI needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
TEST_PROCESSES ?= 3
# Some machines tell Python to keep no bytecode: every process would then compile all it imports.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup serve test test-hostile test-operations test-web test-clients clients lint protos protos-check proto-breaking proto-release openapi openapi-check settings web web-check lock bench bench-quick faults soak fuzz clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## Make .venv with the locked dependencies and this package

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

serve: setup ## Run the service on this machine
	$(BIN)/ocr-grpc serve

# What sends documents and calls by the thousand, for minutes.
HOSTILE = tests/end_to_end/test_fuzz.py tests/end_to_end/test_http_conformance.py tests/end_to_end/test_canary_documents.py
# Fleets of services that are restarted, cut off and watched.
OPERATIONS = tests/deploy tests/upgrade tests/faults
# Not the files with the most tests first: those of one test, such as kills and faults, take longest.
PYTEST = $(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test: setup ## Run all tests but those of the next four, three at a time: many wait for something
	$(PYTEST) $(addprefix --ignore ,tests/web tests/clients $(OPERATIONS) $(HOSTILE))

test-hostile: setup ## Run the tests with hostile documents and made-up calls
	$(PYTEST) $(HOSTILE)

test-operations: setup ## Run the tests of deploy/, of upgrades and backups, and of faults under load
	$(PYTEST) $(OPERATIONS)

test-web: setup ## Run the tests of the web app, in a real Chromium
	$(PYTEST) tests/web

# The Makefile of each has `stubs`, `build`, `check` and `test`.
CLIENTS = python typescript go java
test-clients: setup .build/googleapis ## Run the tests of the clients against running services (Go, Java, Node: see clients/)
	rm -rf .build/called
	$(BIN)/pytest --numprocesses 2 --dist loadfile tests/clients
	$(BIN)/python -m tests.clients.called

clients: setup .build/googleapis ## Generate the stubs of all clients from protos/
	for client in $(CLIENTS); do $(MAKE) --no-print-directory -C clients/$$client stubs || exit 1; done

lint: setup protos-check ## Check style, types, layers and the contract
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/buf lint protos

# The packages named in the protos are the folders of the generated modules, so imports just work.
PROTO_FILES = $(shell cd protos && find ocr_grpc -name '*.proto' | sort)
PROTOC = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iprotos -I.build/googleapis
SITE = $(shell $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

.build/googleapis: $(VENV)/.installed
	$(BIN)/python -c 'import shutil, sys; [shutil.copytree(f"{sys.argv[1]}/google/{d}", f"{sys.argv[2]}/google/{d}", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py*", "__pycache__")) for d in ("api", "rpc")]' $(SITE) $@
	touch $@

protos: setup .build/googleapis ## Generate ocr_grpc/v1 and ocr_grpc/internal from protos/
	find ocr_grpc/v1 ocr_grpc/internal -name '*_pb2*' -delete
	$(PROTOC) --python_out=. --mypy_out=quiet:. $(PROTO_FILES)
	$(PROTOC) --grpc_python_out=. --mypy_grpc_out=quiet:. $(filter %_service.proto,$(PROTO_FILES))

protos-check: protos ## Fail if the committed stubs are not what protos/ gives
	git diff --exit-code --stat -- ocr_grpc/v1 ocr_grpc/internal
	test -z "$$(git ls-files --others --exclude-standard -- ocr_grpc/v1 ocr_grpc/internal)"

RELEASED := protos/released.binpb

proto-breaking: setup .build/googleapis ## Fail if protos/ breaks callers of the last release
	$(BIN)/buf breaking protos --against $(RELEASED) --exclude-imports

proto-release: setup .build/googleapis ## Make protos/ the contract that the next versions must keep
	$(BIN)/buf build protos --exclude-source-info -o $(RELEASED)

openapi: setup ## Generate openapi.json and protos.zip in ocr_grpc/web from protos/
	$(BIN)/python -m ocr_grpc.openapi

openapi-check: openapi ## Fail if the committed ones are not what protos/ gives
	git diff --exit-code --stat -- ocr_grpc/web/openapi.json ocr_grpc/web/protos.zip
	test -z "$$(git ls-files --others --exclude-standard -- ocr_grpc/web/openapi.json ocr_grpc/web/protos.zip)"

settings: setup ## Generate docs/settings.md from ocr_grpc/settings.py
	$(BIN)/ocr-grpc settings --markdown >docs/settings.md

# Node 20.19 or newer with npm is needed for these two alone: what they make is committed.
web: setup .build/googleapis ## Build the web app of clients/web into ocr_grpc/web (needs Node)
	npm --prefix clients/web ci --silent
	npm --prefix clients/web run --silent build

web-check: web ## Check clients/web; fail if ocr_grpc/web is not what it gives (needs Node)
	npm --prefix clients/web run --silent check
	git diff --exit-code --stat -- ocr_grpc/web
	test -z "$$(git ls-files --others --exclude-standard -- ocr_grpc/web)"

bench: setup ## Measure engine and service; prints the README's figures (an hour)
	$(BIN)/python -m benchmarks.engine
	$(BIN)/python -m benchmarks.order
	$(BIN)/python -m benchmarks.awkward
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.fleet --kills 0
	$(BIN)/python -m benchmarks.beside
	$(BIN)/python -m benchmarks.vlm
	$(BIN)/python -m benchmarks.vlm --whole
	$(BIN)/python -m benchmarks.service
	$(BIN)/python -m benchmarks.http
	$(BIN)/python -m benchmarks.cache
	$(BIN)/python -m benchmarks.batches
	$(BIN)/python -m benchmarks.calls
	$(BIN)/python -m benchmarks.events
	$(BIN)/python -m benchmarks.held
	$(BIN)/python -m benchmarks.sizes
	$(BIN)/python -m benchmarks.logins
	$(BIN)/python -m benchmarks.bombs

bench-quick: setup ## The same on a few pages (some minutes)
	$(BIN)/python -m benchmarks.engine --quick --dpi 150
	$(BIN)/python -m benchmarks.awkward --quick
	$(BIN)/python -m benchmarks.service --only first_delta,memory,streams
	$(BIN)/python -m benchmarks.http --only events,upload,revival
	$(BIN)/python -m benchmarks.batches --quick --only cancel,thousand
	$(BIN)/python -m benchmarks.calls
	$(BIN)/python -m benchmarks.events
	$(BIN)/python -m benchmarks.held --streams 300 --seconds 20

faults: setup ## Kill, stop and cut off engine workers, servers and workers of batches, some 350 times
	$(BIN)/python -m benchmarks.service --only killed_worker
	$(BIN)/python -m benchmarks.fleet --kills 50
	$(BIN)/python -m benchmarks.kills
	$(BIN)/python -m benchmarks.batch_faults

soak: setup ## Break a service under load every 20 s, for 25 minutes, then take Redis and PostgreSQL away
	$(BIN)/python -m tests.faults --minutes 20 --every 20
	$(BIN)/python -m tests.faults --minutes 5 --shape embedded
	$(BIN)/python -m tests.faults.outage

fuzz: setup ## Send 5,000 hostile documents to a server; CORPUS=folder adds real files, SEED=n repeats
	$(BIN)/python -m tests.fuzz $(if $(SEED),--seed $(SEED)) $(if $(CORPUS),--corpus $(CORPUS))

# For images, of the same versions: what the service needs, and what builds it.
LOCK_PART = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-annotate --no-upgrade --constraints requirements.lock

lock: setup ## Lock the newest allowed versions of all dependencies
	$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --extra traces --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --upgrade --output-file requirements.lock
	$(LOCK_PART) pyproject.toml --extra traces --output-file deploy/requirements.lock
	$(LOCK_PART) deploy/build-requirements.in --output-file deploy/build-requirements.lock

clean: ## Remove what was built here (not the data folder)
	rm -rf $(VENV) .build .pytest_cache .ruff_cache
