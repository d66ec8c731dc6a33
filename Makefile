# Foretick: `make run` and `make test` need Python 3.11 to 3.13 and make; all else comes from package registries.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help run down test test-all test-faults soak check check-rules check-types check-web bench bench-growth lock audit sbom FORCE

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(SUPPORTED)' 2>/dev/null && { echo $$p; break; }; done)
endif
BIN := .venv/bin
UV := $(BIN)/uv
INSTALL := UV_COMPILE_BYTECODE=$${UV_COMPILE_BYTECODE:-1} UV_LINK_MODE=hardlink $(UV) pip install
CORES := $(shell nproc 2>/dev/null || echo 2)
# Workers of `make test`, which computes all the time.
GUARDS := $(shell echo $$(($(CORES) < 4 ? $(CORES) : 4)))
# Workers of `make test-all`: more than cores, because much of what tests do is wait for servers.
WORKERS := $(shell echo $$(($(CORES) < 6 ? $(CORES) + 1 : 6)))
# Of those, how many may wait for deadlines in real time.
PAIR := $(shell echo $$(($(WORKERS) < 2 ? 1 : $(CORES) < 4 ? 2 : 3)))
EVENTS := 100000# in a stream of `make test-faults`
MINUTES := 60# of `make soak`
PYTEST := $(BIN)/pytest --dist loadgroup --no-loadscope-reorder --max-worker-restart 0
PACKAGES := contracts streaming producers projections forecasting gateway stack

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.local .venv-airflow/.airflow ## start everything: environments, servers, services, first training (ARGS=...)
	@exec $(BIN)/foretick up $(ARGS)

down: ## stop what `make run` started
	@if [ -x $(BIN)/foretick ]; then exec $(BIN)/foretick down; else echo "nothing is installed"; fi

test: .venv/.dev ## what guards every commit: units, contracts, walks on real servers; minutes (ARGS="-k name")
	@$(PYTEST) -n $(GUARDS) --timeout 300 -m "not (realtime or slow or long)" tests/walks tests/contract tests/unit $(ARGS)

# Both rings run, whatever the first one finds; pytest's 5 says that none of a ring's tests was asked for.
test-all: .venv/.dev .venv-airflow/.airflow ## every test: real servers, training, Airflow, a browser, faults (ARGS="-k name")
	@$(PYTEST) -n $(WORKERS) --hypothesis-profile explore -m "not realtime and not long" $(ARGS); first=$$?; \
	FORETICK_FAULT_EVENTS=3000 $(PYTEST) -n $(PAIR) --hypothesis-profile explore -m "realtime or long" $(ARGS); then=$$?; \
	failed() { [ "$$1" -ne 0 ] && [ "$$1" -ne 5 ]; }; \
	if failed $$first || failed $$then || [ "$$first" -eq 5 -a "$$then" -eq 5 ]; then \
		echo "make test-all: failed ($$first, $$then)"; exit 1; fi

test-faults: .venv/.dev ## all fault tests, at full length (EVENTS=5000 ARGS="-k kill")
	@FORETICK_FAULT_EVENTS=$(EVENTS) FORETICK_INTERLEAVINGS=2000 exec $(BIN)/pytest --timeout 3600 tests/faults \
		tests/unit/projections/test_interleavings.py tests/unit/gateway/stream/test_schedules.py $(ARGS)

soak: .venv/.dev ## an hour of a whole system whose parts are killed every minute, its history checked (MINUTES=10)
	@FORETICK_FAULT_SOAK_MINUTES=$(MINUTES) FORETICK_FAULT_SOAK_FOLDER=build/soak exec $(BIN)/pytest -s --timeout 0 \
		tests/faults/test_soak.py $(ARGS)

check: .venv/.dev ## lint, format, types, import rules, schemas, compose file, the web app's lint and tests
	@$(MAKE) --no-print-directory --jobs=$(CORES) --output-sync=target check-web check-types check-rules

check-rules:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@for part in producers projections gateway forecasting; do \
		$(BIN)/deptry contracts streaming $$part --non-dev-dependency-groups core,web,dask,$$part || exit 1; done
	$(BIN)/deptry $(PACKAGES) --non-dev-dependency-groups core,web,producers,projections,gateway,forecasting,dask,cli,local
	$(BIN)/foretick contracts check --offline
	$(BIN)/docker-compose -f docker-compose.yml --env-file /dev/null config -q

check-types:
	$(BIN)/mypy --strict $(PACKAGES)

check-web:
	$(BIN)/python -m stack.services.web_build

bench: .venv/.dev ## measure the hot paths, beside the raw limit and a rival (ARGS=--quick)
	@for each in benchmarks/bench_*.py; do PYTHONPATH=. $(BIN)/python "$$each" $(ARGS) || exit 1; done

bench-growth: .venv/.dev ## measure what starts cost as the log grows: 100,000, 1 and 5 million bars; hours (ARGS=...)
	@PYTHONPATH=. exec $(BIN)/python benchmarks/growth.py $(ARGS)

lock: .venv/.local ## resolve pyproject.toml again and rewrite requirements/*.txt with hashes
	$(UV) lock --upgrade
	for group in producers projections gateway forecasting dask cli local dev bench airflow; do \
		$(UV) export --quiet --no-emit-project --group $$group --no-default-groups -o requirements/$$group.txt || exit 1; done
	$(UV) --version | sed -E 's/^uv ([0-9.]+).*/uv==\1/' | $(UV) pip compile --quiet - --generate-hashes --no-header \
		--no-annotate -o requirements/bootstrap.txt

audit: .venv/.uv ## ask PyPI and npm for known weaknesses in all that is pinned
	@failed=0; for each in requirements/*.txt; do echo "$$each"; \
		$(UV) tool run pip-audit==2.10.1 --require-hashes --disable-pip -r "$$each" || failed=1; done; \
	for each in web tests/javascript; do echo "$$each"; npm --prefix "$$each" audit || failed=1; done; exit $$failed

sbom: .venv/.uv ## write what all that is pinned consists of, as CycloneDX, to build/sbom
	@mkdir -p build/sbom; for each in requirements/*.txt; do \
		$(UV) tool run --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml \
			--output-file "build/sbom/$$(basename "$$each" .txt).json" "$$each" || exit 1; done; \
	npm --prefix web sbom --package-lock-only --sbom-format cyclonedx >build/sbom/web.json; ls build/sbom

# An environment is made again when the files it comes from have other contents (not merely other times), so a
# second run costs nothing. $(call when-changed,FILES,COMMANDS): the stamp is the rule's target.
define when-changed
@sum=$$(cat $(1) | cksum); if [ "$$(cat $@ 2>/dev/null)" != "$$sum" ]; then { $(2); } && echo "$$sum" > $@; fi
endef

.venv/.uv: FORCE
	@[ "$$(uname -sm)" = "Linux x86_64" ] || { \
		echo "make run needs Linux on x86-64 (this is $$(uname -sm)); elsewhere use docker compose up"; exit 2; }
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c '$(SUPPORTED)' 2>/dev/null || { \
		echo "Python 3.11, 3.12 or 3.13 is needed and was not found. Install one, or name it: make run PYTHON=/path/to/python3.12"; \
		exit 2; }
	@[ -e .venv ] || "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 2; }
	$(call when-changed,requirements/bootstrap.txt,echo "Making .venv with $$($(PYTHON) --version)" \
		&& "$(PYTHON)" -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r requirements/bootstrap.txt)

.venv/.local: .venv/.uv FORCE
	$(call when-changed,requirements/local.txt pyproject.toml,echo "Installing Foretick and its servers into .venv (about 2 GB)" \
		&& $(INSTALL) --python $(BIN)/python --require-hashes -r requirements/local.txt \
		&& $(INSTALL) --python $(BIN)/python --no-build-isolation --no-deps --editable .)

.venv/.dev: .venv/.local FORCE
	$(call when-changed,requirements/dev.txt,echo "Installing the test tools into .venv" \
		&& $(INSTALL) --python $(BIN)/python --require-hashes -r requirements/dev.txt)

.venv-airflow/.airflow: .venv/.uv FORCE
	$(call when-changed,requirements/airflow.txt,echo "Installing Airflow into .venv-airflow" \
		&& $(UV) venv --quiet --clear --no-python-downloads --python $(BIN)/python .venv-airflow \
		&& $(INSTALL) --python .venv-airflow/bin/python --require-hashes -r requirements/airflow.txt)

FORCE:
