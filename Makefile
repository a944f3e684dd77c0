# Targets are listed by a bare `make`.
PYTHON ?= /usr/bin/python3
VENV := .venv
BIN := $(VENV)/bin
PREFIX ?= /opt/ttcs-edge
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
RUN_PACKAGES := libvlc5 vlc-plugin-base libopus0 vlc-bin espeak-ng libebur128-1 libasound2-dev gcc libc6-dev python3-dev python3-venv ca-certificates
DEMO_PACKAGES := tmux groff-base mosquitto nginx-light ffmpeg systemd git iproute2 mount e2fsprogs pulseaudio pulseaudio-utils libasound2-plugins
RIG_PACKAGES := mmdebstrap systemd-container qemu-system-x86 qemu-utils swtpm

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types imports tests tests-system tests-pole tests-player tests-network tests-central tests-simulation tests-mutants tests-others simulate schemas pages bench audit sbom fuzz install deb rig soak uninstall lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## install what is missing and make the environment in .venv

$(VENV)/.ready: requirements.lock setup.cfg Makefile
	@missing=$$(for name in $(RUN_PACKAGES) $(DEMO_PACKAGES); do \
	  dpkg-query -W -f '$${Status}\n' $$name 2>/dev/null | grep -q 'ok installed' || echo $$name; done); \
	if [ -n "$$missing" ]; then \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check --use-pep517 --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --use-pep517 -e . --config-settings editable_mode=compat
	@for module in /usr/lib/python3/dist-packages/lgpio.py /usr/lib/python3/dist-packages/_lgpio*.so; do \
	  test -e $$module && ln -sf $$module $$(echo $(VENV)/lib/python3*/site-packages)/ || true; done
	@touch $@

demo: setup ## show the main job on real parts, in at most 90 seconds
	@$(BIN)/python -m tests.system.demo

test: setup lint types imports tests ## make every check and run every test

lint:
	@$(BIN)/ruff check ttcs_edge tests
	@$(BIN)/ruff format --check ttcs_edge tests

types:
	@$(BIN)/mypy

imports:
	@$(BIN)/lint-imports --config setup.cfg

tests: # those that mostly wait, for sound or for a broker, and those that reckon, which give way; then tests/again.py
	@$(BIN)/python -m compileall -q ttcs_edge tests # hundreds of processes read it
	@$(MAKE) --no-print-directory --jobs=8 --output-sync=target $(addprefix tests-,$(GROUPS)) || \
	  $(BIN)/python -m tests.again $(GROUPS)

WAITING := system pole player network central
RECKONING := simulation mutants # in two: each has one core, and together they take longer than all that waits
GROUPS := $(WAITING) $(RECKONING) others
tests_pole := $(foreach part,coded contacts meter modem monitor panel power rds rs485 shedding walk,tests/system/test_$(part).py)
tests_system := $(filter-out $(tests_pole),$(wildcard tests/system/test_*.py))
tests_player := tests/player tests/attacks tests/drivers tests/monitor/test_process.py
tests_network := tests/badlinks tests/link
tests_central := tests/central
tests_mutants := tests/simulation/test_mutants.py
tests_simulation := $(filter-out $(tests_mutants),$(wildcard tests/simulation/test_*.py))
tests_others := $(foreach name,$(WAITING) $(RECKONING),$(addprefix --ignore=,$(tests_$(name))))
nice_simulation := nice
nice_mutants := nice
nice_others := nice

$(addprefix tests-,$(GROUPS)): tests-%:
	@mkdir -p build/tests && rm -rf build/tests/$* build/tests/$*.exit
	@$(nice_$*) $(BIN)/python -m pytest -q -o cache_dir=build/tests/$* $(tests_$*); \
	  code=$$?; echo $$code > build/tests/$*.exit; exit $$code

audit: setup sbom ## look for known holes in what is locked (asks an advisory service), doors left open, secrets
	@$(BIN)/ruff check -q ttcs_edge # the rules S among them
	@$(BIN)/python -m pytest -q tests/supply
	@$(BIN)/python -m tests.supply.audit

sbom: setup ## write what runs on a station, package by package, to build/sbom.cdx.json (CycloneDX)
	@$(BIN)/python -m tests.supply.sbom

fuzz: setup ## throw bad input at every reader: make fuzz MINUTES=60 SEED=7 ONLY=document/ or one failure, BLOB=...
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),5) --seed $(or $(SEED),0) \
	  $(if $(ONLY),--only '$(ONLY)') $(if $(BLOB),--blob '$(BLOB)')

simulate: setup ## live through years of stations' lives: make simulate YEARS=1000 SEED=7
	@$(BIN)/python -m tests.simulation.years $(or $(YEARS),100) $(or $(SEED),0)

schemas: setup ## write the JSON Schemas of the wire anew, from the types
	@$(BIN)/python -m ttcs_edge.wire.schemas

pages: setup ## write manual pages, completions and the page of all faults anew, from the words that programs say
	@$(BIN)/python -m tests.pages

bench: setup ## run the benchmarks, or one: make bench ONLY=due
	@$(BIN)/python -m compileall -q ttcs_edge # as an installed package has it
	@for file in tests/bench/$(or $(ONLY),[a-z]*).py; do \
	  name=$$(basename $$file .py); test $$name = report || $(BIN)/python -m tests.bench.$$name || exit 1; done

install: ## install the daemon and its unit on this machine, from source
	@$(SUDO) systemd/install $(PREFIX)

deb: ## build the Debian package in dist/, for this release and processor; make deb RELEASE=trixie: in a container, as root
	@$(if $(RELEASE),$(MAKE) --no-print-directory setup && $(SUDO) $(BIN)/python -m tests.rig.debs $(RELEASE),systemd/deb/build)

rig: setup ## prove a release on whole machines, and write the report to sign: make rig BENCH=qemu-bookworm; needs root
	@missing=$$(for name in $(RIG_PACKAGES); do \
	  dpkg-query -W -f '$${Status}\n' $$name 2>/dev/null | grep -q 'ok installed' || echo $$name; done); \
	if [ -n "$$missing" ]; then \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
	@$(SUDO) $(if $(BENCH),env RIG_BENCHES='$(BENCH)') $(BIN)/python -m pytest -q -m rig \
	  $(if $(BENCH),tests/rig/test_scenarios.py,tests/rig)

soak: setup ## the long versions of kill and power, of bad links, of the simulation, of bad input; some need root
	@$(SUDO) $(BIN)/python -m pytest -q -m soak

uninstall: ## remove the daemon and its unit; config and data stay
	@$(SUDO) systemd/uninstall $(PREFIX)

lock: setup ## resolve the dependencies anew, with hashes
	@$(BIN)/pip install -q uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --exclude-newer $$(date -d "-10 days" +%F) --extra cli --extra central --extra dev --upgrade setup.cfg -o requirements.lock
	@# What goes on a station: of the same versions, that without which it runs.
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --exclude-newer $$(date -d "-10 days" +%F) --extra cli --extra central -c requirements.lock setup.cfg \
	  -o requirements-run.lock

clean: ## remove what make has made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
