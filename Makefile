# Demeter. `make demo` needs nothing but Python 3.11 or newer; `make test` brings its own tools.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PORT ?= 8000

.PHONY: demo test test-slow test-readers test-blip lint bench clean

# The virtual environment holds what it was last told to; the stamp says what that was.
$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Demeter needs Python 3.11 or newer; set PYTHON=... to one.") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "No virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv, then try again."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements.txt requirements-dev.txt $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r requirements-dev.txt
	@touch $@

demo: $(VENV)/run.stamp
	@exec $(BIN)/python manage.py demo --port $(PORT)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m tests.support.browser --install
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

test-slow: $(VENV)/test.stamp
	$(BIN)/python -m tests.support.browser --install
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m slow
	$(BIN)/python -m tests.support.postgres --install -- $(BIN)/python -m pytest -n 2 --dist loadgroup

# Large, and not all wheels: apart from what the other tests need.
test-readers: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-readers.txt
	$(BIN)/python -m pytest tests/portal/exports/layouts/test_real_readers.py tests/portal/exports/test_same_hour.py

# Large, too: models that describe images on this machine, here on its CPU, and CLIP's tokenizer.
test-blip: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	  --extra-index-url https://download.pytorch.org/whl/cpu -r requirements-blip.txt
	$(BIN)/python -m pytest tests/captions/captioners/test_blip.py tests/captions/checks/test_clip_tokenizer.py

bench: $(VENV)/test.stamp
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV)
