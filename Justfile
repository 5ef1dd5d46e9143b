# The recipes of this project; CI calls these and nothing else. `just` comes from PyPI as rust-just.
# Each recipe uses the Python of the environment that is active.

# list the recipes
default:
    @just --list

# install for use and for tests, and run the tests: the command of the README
test:
    python -m pip install -e '.[test]' && python -m pytest

# install what the other recipes need
develop:
    python -m pip install -e '.[dev]'

# style and common faults
lint:
    ruff check .
    ruff format --check .

# types, strictly, of both packages and of the examples
types:
    mypy
    mypy --strict examples/aca-sim1/src examples/aca-logistic/aca_logistic.py examples/aca-npy-darks/aca_npy_darks.py

# put the library's own words into the generated parts of the documentation
cog:
    python docs/_generate.py

# build the documentation; a warning is an error
docs:
    sphinx-build -W --keep-going -q -b html docs docs/_build/html

# install the example distributions as anybody would, and run their tests
examples:
    python -m pip install ./examples/aca-sim1 ./examples/aca-logistic ./examples/aca-npy-darks pytest
    cd examples/aca-sim1 && python -m pytest
    cd examples/aca-logistic && python -m pytest
    cd examples/aca-npy-darks && python -m pytest
    aca plugins

# measure, as ratios to a baseline of the same run; the figures of docs/benchmarks.md
bench:
    python tests/benchmarks/startup.py
    python tests/benchmarks/dates.py
    python tests/benchmarks/headers.py
    python tests/benchmarks/index.py
    python tests/benchmarks/ingest.py
    python tests/benchmarks/attitudes.py
    python tests/benchmarks/dark_cal.py
    python tests/benchmarks/probability.py
    python tests/benchmarks/telemetry.py
    python tests/benchmarks/telemetry_chunks.py
    python tests/benchmarks/telemetry_ingest.py
    python tests/benchmarks/vv.py

# build the wheel and the source distribution
build:
    rm -rf dist
    python -m build
    ls dist
