# The commands for working on eventreg. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
# Tests outside tests/proofs that run short, or in the headless shell, in `make test`, and at full length in the whole
# browser in `make proofs`.
IN_ROUNDS := $(shell grep -lE 'EVENTREG_PROOFS|import .*(WHOLE|rounds|seeds)|mark\.browser' -r --include='test_*.py' tests | grep -v '^tests/proofs/')
# The installation of `make install-service`, if there is one. `make upgrade INSTALLED=` is for this checkout.
INSTALLED ?= $(patsubst %/current,%,$(wildcard /opt/eventreg/current))
# An offline bundle brings the wheels along.
OFFLINE := $(if $(wildcard wheels/*.whl),--no-index -f wheels)
.PHONY: help run upgrade rehearse test check proofs bench lint setup-run setup-test install-service uninstall-service scanner pictures lighthouse audit licences release lock

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-17s %s\n' "$$name" "$$what"; done

run: setup-run ## serve on http://127.0.0.1:8000 (HOST and PORT change that)
	@script/scanner quietly
	@exec $(BIN)/python -m eventreg.serve

upgrade: ## bring the installation to the newest signed version, or leave it as it is (VERSION and FROM choose)
	@$(PYTHON) -m script.upgrade --version "$(VERSION)" --from "$(FROM)" --installed "$(INSTALLED)"

rehearse: setup-run ## the day of the event with made-up people, on http://127.0.0.1:8001 (EVENT chooses one)
	@script/scanner quietly
	@exec $(BIN)/python -m eventreg.rehearse

install-service: ## a service of systemd on this machine: DOMAIN=register.example.org; DRY_RUN=1 only prints it
	@test -n "$(DRY_RUN)" || script/scanner quietly
	@$(PYTHON) -B -m script.installation install --domain "$(DOMAIN)" --proxy "$(PROXY)" --destdir "$(or $(DESTDIR),/)" $(if $(DRY_RUN),--dry-run)

uninstall-service: ## take the service away; the data, the settings and the backups stay (DRY_RUN=1)
	@$(PYTHON) -B -m script.installation uninstall --destdir "$(or $(DESTDIR),/)" $(if $(DRY_RUN),--dry-run)

test: setup-test ## install what the tests need, then run all of them
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest $(ARGS)

check: setup-test lint test ## lint, types, templates, spelling, then the tests: what CI runs

proofs: setup-test ## the proofs about seats and the other long tests at full length: almost two hours (`make test` runs them short)
	@script/system-packages proofs
	@PYTHONDONTWRITEBYTECODE= EVENTREG_PROOFS=whole $(BIN)/pytest tests/proofs $(IN_ROUNDS) -rP --durations=0 $(ARGS)

bench: setup-test ## measure, beside the goals; writes benchmarks/results/
	@script/system-packages bench
	@$(BIN)/python -m benchmarks $(ARGS)

lint: setup-test ## only the checks that need no test to run
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/codespell

scanner: ## fetch the reader of QR codes for the door's page (needs npm; `make run` does it where npm is there)
	@script/scanner

pictures: setup-test ## screenshots of all screens into pictures/, and those of the README
	@$(BIN)/python -m script.pictures

lighthouse: setup-test ## what Lighthouse and html-validate say of the public pages (needs Node and npm)
	@$(BIN)/python -m script.lighthouse

setup-run: .venv/.run

setup-test: .venv/.test
	@script/system-packages
	@script/scanner

audit: setup-test ## known vulnerabilities of the locked packages; 3 if nobody could be asked
	@$(BIN)/python -m script.audit

licences: setup-test ## write docs/licences.md, the licences of all that is shipped
	@$(BIN)/python -m script.licences

release: setup-test ## text of the tag, list of parts, and once the tag is signed the offline bundle, in dist/
	@$(BIN)/python -m script.release

lock: ## write requirements.txt and requirements-dev.txt anew, with hashes (needs uv)
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes requirements-dev.in -o requirements-dev.txt

.venv/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "eventreg needs Python 3.11 or newer; say which with: make run PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what eventreg needs (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(OFFLINE) -r requirements.txt
	@touch $@

.venv/.test: requirements-dev.txt .venv/.run
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
