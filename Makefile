# `make` alone explains itself. Everything that a target needs, it sets up.

PORT ?= 4566
DEMO_USERS ?= 300
DEV_PORT ?= 8000
SOAK ?= 20
PYTHON ?= $(shell for v in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$v -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,14))' 2>/dev/null && echo $$v && break; done)
BIN := .venv/bin
CLIENT_TOOLS = $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-clients.txt
AUDIT_TOOL = $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt

.DEFAULT_GOAL := help
.PHONY: help run dev stop token load reindex replay letters erase block unblock doctor test test-fast policies bench check conform costs audit format package openapi deploy destroy prove requirements clean

help: ## Show what there is
	@echo "Store Users. The two that you want first:  make run   make test"; echo
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

run: .venv/ready ## Start everything here (PORT=4566 DEMO_USERS=300 DETACH=1 RESET=1)
	@$(BIN)/python -m infra.local run --port $(PORT) --demo-users $(DEMO_USERS) \
		$(if $(DETACH),--detach) $(if $(RESET),--reset)

dev: .venv/ready ## Serve the working tree on the running stack, seconds after each edit (DEV_PORT=8000)
	@$(BIN)/python -m infra.dev --port $(DEV_PORT)

stop: .venv/ready ## End what `make run` started
	@$(BIN)/python -m infra.local stop

token: .venv/ready ## Print an access token of a demo person (ROLE=admin)
	@$(BIN)/python -m infra.local token $(or $(ROLE),admin)

load: .venv/ready ## Load store users from a file (FILE=people.csv [STAGE=prod])
	@$(if $(FILE),,echo "Say which file: make load FILE=people.csv" >&2; exit 2;) \
		$(BIN)/python -m infra.load "$(FILE)" $(if $(STAGE),--stage $(STAGE))

reindex: .venv/ready ## Make search and totals anew, while writes go on ([STAGE=prod])
	@$(BIN)/python -m infra.reindex $(if $(STAGE),--stage $(STAGE))

replay: .venv/ready ## Put back what the projection could not apply ([STAGE=prod])
	@$(BIN)/python -m infra.replay $(if $(STAGE),--stage $(STAGE))

letters: .venv/ready ## Show dead letters ([STAGE=prod]); ORDER=1 runs the schedule's, ORDER=now one of now, DROP=exports|schedule removes those
	@$(BIN)/python -m infra.letters $(if $(STAGE),--stage $(STAGE)) $(if $(ORDER),--order $(ORDER)) $(if $(DROP),--drop $(DROP))

erase: .venv/ready ## Erase a store user from everything (USER=cus_0042 [ALSO="former name, e-mail"] [STAGE=prod] [YES=1], or AGAIN=1)
	@$(if $(AGAIN)$(filter command line,$(origin USER)),,echo "Say whom: make erase USER=cus_0042" >&2; exit 2;) \
		$(BIN)/python -m infra.erase $(if $(AGAIN),--again,--user "$(USER)") \
		$(if $(ALSO),--also "$(ALSO)") $(if $(STAGE),--stage $(STAGE)) $(if $(YES),--yes)

block: .venv/ready ## Shut a colleague out at once (PERSON=ana@example.com or SUBJECT=… [STAGE=prod] [KILL=all|none])
	@$(if $(PERSON)$(SUBJECT),,echo "Say who: make block PERSON=ana@example.com" >&2; exit 2;) \
		$(BIN)/python -m infra.block $(if $(SUBJECT),--subject "$(SUBJECT)",--person "$(PERSON)") \
		$(if $(STAGE),--stage $(STAGE)) $(if $(KILL),--kill "$(KILL)")

unblock: .venv/ready ## Let a colleague sign in again (PERSON=ana@example.com or SUBJECT=… [STAGE=prod])
	@$(if $(PERSON)$(SUBJECT),,echo "Say who: make unblock PERSON=ana@example.com" >&2; exit 2;) \
		$(BIN)/python -m infra.block --undo $(if $(SUBJECT),--subject "$(SUBJECT)",--person "$(PERSON)") \
		$(if $(STAGE),--stage $(STAGE))

doctor: .venv/ready ## Look whether all is well, changing nothing ([STAGE=prod])
	@$(BIN)/python -m infra.doctor $(if $(STAGE),--stage $(STAGE))

test: .venv/ready ## Run all tests, on moto, on the local stack and in a browser
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || echo \
		"No Chromium here: the tests of the page are skipped. Debian: apt-get install chromium"
	@command -v firefox-esr >/dev/null || command -v firefox >/dev/null || echo \
		"No Firefox here: its tests of the page are skipped. Debian: apt-get install firefox-esr"
	@$(CLIENT_TOOLS) || test "$(CLIENT_TESTS)" != required || exit 1
	@$(BIN)/python -m pytest -n auto --dist loadfile

test-fast: .venv/ready ## Run the tests that need no local stack
	@$(BIN)/python -m pytest -n auto --dist loadfile --ignore tests/e2e

policies: .venv/ready ## Take each action of the policies away, on the local stack: what needs it has to fail
	@POLICIES=all $(BIN)/python -m pytest -q tests/e2e/test_taken_away.py

bench: .venv/ready ## Measure what docs/performance.md claims (needs java 17 and npm, or BENCH_ENDPOINT; chromium; SOAK=20 minutes)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@$(BIN)/python -m bench --soak $(SOAK)

check: .venv/ready ## Lint, format, types, import rules, package and template, known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.package
	$(BIN)/cfn-lint out/*/template.yaml
	$(BIN)/python -m infra.conform
	$(AUDIT_TOOL)
	$(BIN)/python -m infra.audit --if-reachable

conform: .venv/ready ## Hold the template against what AWS documents (RENEW=1 writes its resources down)
	@$(BIN)/python -m infra.conform $(if $(RENEW),--renew)

costs: .venv/ready ## Count what a month costs (RENEW=1 writes docs/costs.md)
	@$(BIN)/python -m infra.costs $(if $(RENEW),--renew)

audit: .venv/ready ## Look what ships up among known vulnerabilities (needs the network)
	@$(AUDIT_TOOL)
	@$(BIN)/python -m infra.audit

format: .venv/ready ## Format the code
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

package: .venv/ready ## Build what is deployed, into out/, and say its sizes (ARCHITECTURE=arm64)
	@$(BIN)/python -m infra.package $(if $(ARCHITECTURE),--architecture "$(ARCHITECTURE)")

openapi: .venv/ready ## Print the OpenAPI document (SERVER=https://…/api), for generators and reviews
	@$(BIN)/python -m infra.openapi $(if $(SERVER),--server "$(SERVER)")

deploy: .venv/ready ## Deploy to the AWS account of the environment (STAGE=prod [REPLACE="SearchTable"])
	@$(if $(STAGE),,echo "Say which stage: make deploy STAGE=prod" >&2; exit 2;) \
		$(BIN)/python -m infra.deploy --stage $(STAGE) $(if $(REPLACE),--replace $(REPLACE))

destroy: .venv/ready ## Remove a stage and all that it holds (STAGE=staging); it asks first
	@$(if $(STAGE),,echo "Say which stage: make destroy STAGE=staging" >&2; exit 2;) \
		$(BIN)/python -m infra.destroy --stage $(STAGE)

prove: .venv/ready ## Deploy a stage to your AWS account, use, break, restore, remove it, and write docs/proved-on-aws.md (STAGE=trial)
	@$(if $(STAGE),,echo "Say which stage: make prove STAGE=trial" >&2; exit 2;) \
		$(BIN)/python -m infra.prove --stage $(STAGE)

requirements: .venv/ready ## Compile requirements*.txt from requirements*.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url \
		--no-emit-find-links -o requirements-dev.txt requirements-dev.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --no-emit-index-url \
		--no-emit-find-links -c requirements-dev.txt -o requirements.txt requirements.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --no-emit-index-url \
		--no-emit-find-links -c requirements-dev.txt -o requirements-bench.txt requirements-bench.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --no-emit-index-url \
		--no-emit-find-links -c requirements-dev.txt -o requirements-clients.txt requirements-clients.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url \
		--no-emit-find-links -c requirements-dev.txt -o requirements-audit.txt requirements-audit.in

clean: ## End the local stack, and remove everything that make made
	@test ! -e .venv/ready || $(BIN)/python -m infra.local stop
	rm -rf .venv .local out .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .schemathesis \
		tests/clients/node_modules tests/clients/generated \
		examples/react-admin/node_modules examples/react-admin/dist chalicelib/reference/swagger-ui* chalicelib/reference/license.txt

.venv/ready: requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12, 3.13 or 3.14 is needed and was not found." \
		"Install one (Debian: apt-get install python3 python3-venv) or say PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,14))' || { echo \
		"$(PYTHON) is not Python 3.11, 3.12, 3.13 or 3.14: say PYTHON=/path/to/one" >&2; exit 1; }
	@echo "Setting up .venv with $(PYTHON): once, for a minute or two"
	@rm -rf .venv; $(PYTHON) -m venv .venv || { rm -rf .venv; echo \
		"Python cannot make a virtual environment. Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-dev.txt 2> .venv/pip.log || { cat .venv/pip.log >&2; rm -rf .venv; echo \
		"The packages could not be installed. Is the package index reachable (pip config, proxy)?" >&2; exit 1; }
	@touch $@
