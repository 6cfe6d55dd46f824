# Two commands on a fresh machine: `make demo` and `make test`. Everything lands in .venv.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
PYTHON ?= python3

# Installers trust the authorities that the machine trusts: behind a company's proxy no other list
# knows who signed its certificates.
export UV_SYSTEM_CERTS ?= true
SYSTEM_CERTS := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/cert.pem))
ifneq ($(SYSTEM_CERTS),)
export PIP_CERT ?= $(SYSTEM_CERTS)
endif

.PHONY: demo test torture bench lock lint types format docs clean

demo: .venv/synced
	@.venv/bin/papers demo

# What one runs before each commit.
test: .venv/synced
	@.venv/bin/pytest -n 2 --dist worksteal -m "not torture"

# What only time can prove: kills by the dozen, a simulated week, many processes at once.
torture: .venv/synced
	@.venv/bin/pytest -n 2 --dist worksteal -m torture

# Every benchmark and one table of what they measured: an hour or two, with nothing beside it.
bench: .venv/synced
	@PYTHONPATH=. .venv/bin/python tests/benchmarks/bench_all.py

# Whether the lock file is what pyproject.toml asks for.
lock: | $(filter .uv/%,$(UV))
	$(UV) lock --check --quiet

lint: .venv/synced
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/sqlfluff lint --processes 2 dbt_project/models dbt_project/data_tests
	.venv/bin/codespell

types: .venv/synced
	.venv/bin/mypy

format: .venv/synced
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

# Rewrites what the READMEs of the folders and .env.example take from the code.
docs: .venv/synced
	@.venv/bin/python -m tests.docs

# Installs only when the lock file is newer than the last installation. With bytecode, since no process
# should compile Prefect and dbt for itself, as each would where PYTHONDONTWRITEBYTECODE is set.
.venv/synced: uv.lock pyproject.toml | $(filter .uv/%,$(UV))
	$(UV) sync --locked --quiet --compile-bytecode
	@touch $@

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet uv

clean:
	rm -rf .venv .uv .mypy_cache .pytest_cache .ruff_cache .hypothesis dbt_project/target
