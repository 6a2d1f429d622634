# The front door of datasurface. `make help` lists what it can do; meson.build and tools/ do the work.
#
# Each kind of build has its own directory, so that switching between them costs nothing. Every target first
# sees to its packages (tools/packages.txt); where nothing is missing, nothing is touched.

PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 60
DEMO_ARGS    ?=
TEST_ARGS    ?=
# ThreadSanitizer makes everything some ten times slower: choose with TSAN_ARGS='--suite threads'.
TSAN_ARGS    ?=
# `make living` with the same seed does the same things; without one it takes one, and says which.
SEED         ?=
MINUTES      ?= 10

SETUP  := tools/setup.sh
BUILD  := tools/build.sh
TEST   := tools/test.sh
NORMAL := --buildtype=debugoptimized --prefix=$(PREFIX)
CLANG  := CC=clang-14

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := build
.PHONY: help setup build demo test asan tsan stress fuzz bench soak living golden lint fmt install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## install whatever any target needs
	@$(SETUP) all

build: ## the program, build/datasurface
	@$(SETUP) build
	@$(BUILD) build --program $(NORMAL)

demo: build ## the whole story on SQLite, in a minute
	@build/datasurface demo $(DEMO_ARGS)

test: ## all tests; ends with "N passed, N failed"
	@$(SETUP) build test
	@$(BUILD) build $(NORMAL)
	@$(TEST) build $(TEST_ARGS)

asan: ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer (clang)
	@$(SETUP) build test sanitize
	@$(CLANG) $(BUILD) build-asan $(NORMAL) -Db_sanitize=address,undefined -Db_lundef=false
	@$(TEST) build-asan --no-suite house --timeout-multiplier 4 $(TEST_ARGS)

tsan: ## the tests under ThreadSanitizer (clang)
	@$(SETUP) build test sanitize
	@$(CLANG) $(BUILD) build-tsan $(NORMAL) -Db_sanitize=thread -Db_lundef=false
	@$(TEST) build-tsan --no-suite house --timeout-multiplier 10 $(TSAN_ARGS)

stress: ## the tests with one-object arenas, one-byte buffers, one-entry queues, and the sanitizers
	@$(SETUP) build test sanitize
	@$(CLANG) $(BUILD) build-stress $(NORMAL) -Dstress=true -Db_sanitize=address,undefined -Db_lundef=false
	@$(TEST) build-stress --no-suite house --timeout-multiplier 6 $(TEST_ARGS)

fuzz: ## every fuzzer for FUZZ_SECONDS (60)
	@$(SETUP) build fuzz
	@$(CLANG) $(BUILD) build-fuzz $(NORMAL) -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	@tools/fuzz.sh build-fuzz $(FUZZ_SECONDS)

bench: build ## measure, against references in the same run
	@$(SETUP) bench
	@test -x tests/bench/run.sh || { echo "there is no benchmark yet (tests/bench/run.sh)" >&2; exit 1; }
	@tests/bench/run.sh build

soak: ## hours of kills and restarts
	@$(SETUP) build test
	@$(BUILD) build $(NORMAL)
	@test -x tests/soak/run.sh || { echo "there is no soak test yet (tests/soak/run.sh)" >&2; exit 1; }
	@tests/soak/run.sh build

living: build ## an ecosystem that grows by pull requests while everything dies at random, for MINUTES (10)
	@$(SETUP) build test
	@DATASURFACE=$(CURDIR)/build/datasurface tests/living/living.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

golden: ## rewrite the expected outputs; review the diff
	@$(SETUP) build test
	@$(BUILD) build $(NORMAL)
	@UPDATE_GOLDEN=1 $(TEST) build --suite golden

lint: ## every checker in tools/, both compilers, clang-format, clang-tidy
	@$(SETUP) build test lint
	@tools/lint.sh

fmt: ## format the code
	@$(SETUP) fmt
	@tools/check-format.sh --fix

install: build ## into PREFIX (/usr/local), or below DESTDIR
	@meson install -C build --no-rebuild --quiet

clean: ## remove every build directory
	@rm -rf build build-*
