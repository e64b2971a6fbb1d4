# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The only commands a newcomer needs. All of them make their own virtual environment.
#   make demo     buy, validate, install and serve a certificate against the emulator, on loopback
#   make test     every test and linter; as root on Debian it installs the packages it needs
#   make unit     the fast tests alone;  make lint: the linters alone
#   make matrix   units and integration on every supported ansible-core; CORE=2.18, devel, lowest or short for some
#   make bench    the benchmarks
#   make site     the documentation as HTML pages in .cache/site/html
#   make chaos    certificates' lives under faults and kills; SEED=n and COUNT=n choose which (RUNNER=tests.chaos.playbooks)
#   make clean    remove everything the commands above have made
# PYTHON=/path/to/python3 chooses the interpreter, 3.11 or newer.

PYTHON ?= python3
VENV := .venv
COLLECTION := $(VENV)/collections/ansible_collections/certops/gogetssl
STAMP := $(VENV)/.installed
REQUIREMENTS := requirements.txt meta/ee-requirements.txt test-requirements.txt

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(VENV)/collections

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint unit matrix bench site chaos clean

help:
	@sed -n 's/^#   make/make/p' Makefile

venv: $(STAMP)

# Ansible finds a collection by its path, so the checkout is linked into a tree of the right shape.
$(STAMP): $(REQUIREMENTS) tests/bin/venv.sh
	tests/bin/venv.sh $(PYTHON) $(VENV) -r requirements.txt -r test-requirements.txt
	mkdir -p $(dir $(COLLECTION))
	ln -sfn ../../../.. $(COLLECTION)
	touch $@

test: $(STAMP)
	python -m tests.bin.stages

unit: $(STAMP)
	python -m tests.bin.stages unit

lint: $(STAMP)
	python -m tests.bin.stages lint shellcheck

matrix: $(STAMP)
	python -m tests.bin.matrix $(CORE)

bench: $(STAMP)
	python -m tests.benchmark

site: $(STAMP)
	python -m tests.bin.stages site

SEED ?= 1
COUNT ?= 500
RUNNER ?= tests.chaos
chaos: $(STAMP)
	python -m $(RUNNER) --seed $(SEED) --count $(COUNT)

# Test hosts first: those of a killed run still hold mounts and a bridge.
clean:
	[ "$$(id -u)" != 0 ] || $(PYTHON) -m tests.hosts down --all
	rm -rf $(VENV) .ansible .cache .mypy_cache .pytest_cache .ruff_cache tests/output

demo: $(STAMP)
	python -m tests.demo
