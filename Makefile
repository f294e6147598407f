# Two commands for newcomers: `make demo` paints a picture, `make test` runs the tests.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# of the package that is tried: those that are here, or fresh ones
DEPENDENCIES ?= here

.PHONY: demo test fast coverage lint site package clean

demo: $(VENV)/installed-demo
	$(BIN)/impasto demo -o impasto-demo.png

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal

fast: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not browser" --ignore tests/studio

coverage: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term --cov-report=html

lint: $(VENV)/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python

site: $(VENV)/installed-test
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --conf-dir docs/site . build/site

package: $(VENV)/installed-test
	$(BIN)/python .ci/package.py --dependencies $(DEPENDENCIES)

$(VENV)/installed-%: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$*]'
	touch $@

clean:
	rm -rf $(VENV)
