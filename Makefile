# `make demo` and `make test` do everything on a fresh machine with only Python (3.11 or later) and make.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
C_FILES = $(wildcard bof/native/*.[ch])
STRICT = -std=gnu11 -Wall -Wextra -Werror
DEMO ?= demo
PAGE = tests/page

.PHONY: demo test check check-page sanitize bench scale-bench extraction-curve compare-peers bench-copies calibrate ablation torture \
	docs readme-picture wheels try-wheels clean

$(VENV)/.ready: pyproject.toml constraints.txt scripts/backend/bof_build.py bof/native/CMakeLists.txt $(C_FILES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

$(VENV)/.ready-peers: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[peers]"
	touch $@

demo: $(VENV)/.ready
	$(BIN)/python -m scripts.demo $(DEMO)

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(VENV)/.ready-dev check-page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	! command -v $(CC) >/dev/null || $(CC) $(STRICT) -fsyntax-only $(filter %.c,$(C_FILES))

# The tests that call C, on a library of their own that stops at the first stray access and at undefined behaviour.
SANITIZED = build/sanitize/_loops.so
SANITIZE_TESTS ?= tests/native tests/features/test_native_sift.py tests/vocabulary/test_assignment.py tests/vocabulary/test_hamming.py tests/geometry \
	tests/global_descriptors/test_color.py tests/global_descriptors/test_hashes.py tests/retrieval/test_votes.py \
	tests/store/test_check.py tests/store/test_golden.py tests/store/test_merge.py tests/store/test_segments.py

# And hostile indexes, each used in every way. Without libstdc++ from the start, exceptions of faiss end the process.
HOSTILE_INDEXES ?= 500

sanitize: $(VENV)/.ready-dev $(SANITIZED)
	export LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libstdc++.so.6)" \
		ASAN_OPTIONS=detect_leaks=0 \
		BOF_NATIVE_LIBRARY=$(CURDIR)/$(SANITIZED); \
	$(BIN)/python -m pytest -p no:xdist $(SANITIZE_TESTS) && \
	$(BIN)/python -m scripts.torture.hostile --number $(HOSTILE_INDEXES)

$(SANITIZED): Makefile $(C_FILES)
	mkdir -p $(@D)
	$(CC) $(STRICT) -O1 -g -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all \
		-ffp-contract=off -fno-math-errno -fvisibility=hidden -fPIC -shared $(filter %.c,$(C_FILES)) -o $@ -lm

# The page's JavaScript and the extension's: its types, with TypeScript, and eslint's rules. Only CI insists on Node.js.
# Without the viewer for the tests of IIIF, which has 400 MB of packages beside it: `npm ci --prefix tests/page` adds it.
check-page: $(VENV)/.ready-dev
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(PAGE)/.checked; \
	else echo "The page's JavaScript is not checked: npm is missing. Install Node.js 20.19 or later with npm," \
		"from https://nodejs.org or your system's packages." >&2; test -z "$$CI"; fi

$(PAGE)/node_modules/.ready: $(PAGE)/package.json $(PAGE)/package-lock.json $(PAGE)/.npmrc
	npm ci --prefix $(PAGE) --omit=optional --loglevel error --no-audit --no-fund
	touch $@

$(PAGE)/api.d.ts: $(PAGE)/api_types.py $(shell find bof/server -name '*.py')
	$(BIN)/python $< > $@.new
	mv $@.new $@

$(PAGE)/.checked: $(PAGE)/node_modules/.ready $(PAGE)/api.d.ts $(wildcard bof/server/static/*.js bof/server/extension/*.js \
		$(addprefix $(PAGE)/,*.js *.json *.ts extension/*))
	$(PAGE)/node_modules/.bin/tsc --project $(PAGE)
	$(PAGE)/node_modules/.bin/tsc --project $(PAGE)/extension
	$(PAGE)/node_modules/.bin/eslint --config $(PAGE)/eslint.config.js bof/server/static bof/server/extension
	touch $@

bench: $(VENV)/.ready-peers
	$(BIN)/python -m scripts.bench --data $(DATA) $(BENCH_FLAGS)

scale-bench: $(VENV)/.ready-dev
	$(BIN)/python -m scripts.scale --data $(DATA) --cache $(CACHE) $(BENCH_FLAGS)

extraction-curve: $(VENV)/.ready-peers
	$(BIN)/python -m scripts.extraction --data $(DATA) --cache $(CACHE) $(BENCH_FLAGS)

compare-peers: $(VENV)/.ready-peers
	$(BIN)/python -m scripts.peers --data $(DATA) $(BENCH_FLAGS)

bench-copies: $(VENV)/.ready-peers
	$(BIN)/python -m scripts.copies --data $(DATA) $(BENCH_FLAGS)

calibrate: $(VENV)/.ready
	$(BIN)/python -m scripts.calibration --data $(DATA) $(BENCH_FLAGS)

ablation: $(VENV)/.ready
	$(BIN)/python -m scripts.ablation --data $(DATA) $(BENCH_FLAGS)

torture: $(VENV)/.ready
	$(BIN)/python -m scripts.torture --data $(DATA) $(BENCH_FLAGS)

# The docs as a site with search, build/site/index.html; a link that leads nowhere is an error.
docs: $(VENV)/.ready-docs
	$(BIN)/python -m scripts.site build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(VENV)/.ready-docs: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	touch $@

readme-picture: demo
	$(BIN)/python -m scripts.demo.readme_picture $(DEMO) docs/pictures/proof.jpg

# Wheels for Linux, macOS and Windows, made here with zig, and the source archive: in dist.
wheels: $(VENV)/.ready-wheels
	rm -rf dist
	$(BIN)/python -m scripts.wheels build --out dist
	for wheel in dist/*manylinux*.whl; do $(BIN)/auditwheel show $$wheel || exit 1; done
	$(BIN)/twine check --strict dist/*

# In new environments without a compiler, for each Python that is named: TRY_PYTHONS="python3.11 python3.13".
try-wheels: wheels
	$(BIN)/python -m scripts.wheels try dist --python $(TRY_PYTHONS)

$(VENV)/.ready-wheels: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[wheels]"
	touch $@

clean:
	rm -rf $(VENV) $(DEMO) build dist bof/native/_loops.*

DATA ?= data
TRY_PYTHONS ?= $(PYTHON)
CACHE ?= bench-cache
BENCH_FLAGS ?=
