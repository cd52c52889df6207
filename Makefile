# Everything a newcomer needs: `make demo`, then `make test`. Python >= 3.11 is all that must be there.
PYTHON ?= python3
RUN = .venv/bin/python
# A process for each core, but not more: each starts a broker of its own.
SIDE_BY_SIDE = --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: help setup demo test prove lint bench locks docs clean

help:
	@echo "make demo    see Sluicegate at work, in about a minute"
	@echo "make test    the tests (needs no Java and no Docker)"
	@echo "make lint    ruff and mypy"
	@echo "make prove   the large counts and time bounds, under an hour"
	@echo "make bench   round trips, against a raw echo"
	@echo "make docs    make the generated pages anew"
	@echo "make locks   renew requirements/*.txt and jars.lock (needs uv)"
	@echo "make clean   remove the environment and every cache"

setup:
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) scripts/bootstrap.py

demo: setup
	@$(RUN) -m examples.demo

test: setup
	@$(RUN) -m pytest $(SIDE_BY_SIDE)

prove: setup
	@$(RUN) -m pytest --prove -m prove $(SIDE_BY_SIDE) --ignore=tests/integration --ignore=tests/streams
	@$(RUN) -m pytest --prove -m prove tests/integration tests/streams

lint: setup
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

bench: setup
	@.venv/bin/sluicegate bench rtt

docs: setup
	@$(RUN) scripts/make_topics_page.py
	@$(RUN) -m analytics.anomalies.page docs/anomalies.md
	@$(RUN) -m enforcers.contract.schema docs/schemas
	@$(RUN) -m enforcers.policy.schema > docs/policy-bundle.schema.json
	@$(RUN) -m enforcers.contract.vectors docs/vectors.json

locks: setup
	@scripts/lock.sh --upgrade

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
