# The short way to everything: a thin front on CMake (CMakePresets.json) and on the set-up scripts of .setup/.
# Every target does its own set-up, which costs nothing when it is done. Build folders: build/<preset>.

step = @printf '== %s\n'
configure = cmake --preset
compile = cmake --build --preset

# Debian keeps daemons that the lab tests run (nginx) out of an ordinary user's search path.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help
.PHONY: help table webperf pageload test build install sim golden fuzz coverage format lint setup setup-test clean distclean

help:
	@echo 'make table     set up, build, and measure: ping RTT against handshake time, into out/table2/'
	@echo 'make webperf   the same for what caching session keys saves, into out/webperf/'
	@echo 'make pageload  and for a whole page under each handshake, into out/pageload/'
	@echo 'make test      set up, build with the sanitizers, run every test'
	@echo 'make build     set up and build build/release/tlsyn'
	@echo 'make install   what make build made, below PREFIX=/usr/local (as root; DESTDIR= for packages)'
	@echo 'make sim       simulate COUNT=1000 seeds beginning FROM=1'
	@echo 'make golden    measure the simulated network anew, into tests/sim/throughput.tsv'
	@echo 'make fuzz      run every fuzzer for TIME=60 seconds'
	@echo 'make coverage  which lines and branches of the protocols the tests run'
	@echo 'make format    lay out the sources (clang-format 14)'
	@echo 'make lint      the lints of tests/lint, clang-tidy, shellcheck'
	@echo 'make clean     remove build/ and out/; make distclean also the cached mbedTLS'

setup:
	$(step) 'packages: what building and measuring needs'
	@.setup/packages.sh table
	$(step) 'mbedTLS 3.6 with our configuration'
	@.setup/mbedtls.sh

setup-test:
	$(step) 'packages: what the tests need'
	@.setup/packages.sh test $(if $(CI),ci)
	$(step) 'mbedTLS 3.6 with our configuration'
	@.setup/mbedtls.sh

build: setup
	$(step) 'build: build/release'
	@$(configure) release -DTLSYN_TESTS=OFF >/dev/null
	@$(compile) release

# Builds nothing, so that `sudo make install` leaves no files of root's here.
PREFIX ?= /usr/local
install:
	@test -x build/release/tlsyn || { echo 'make install: make build comes first' >&2; exit 1; }
	@cmake --install build/release --prefix '$(PREFIX)'

# make table OPTIONS=--quick: whatever the study's --help lists.
OPTIONS ?=
table: build
	$(step) 'table: ping RTT against handshake time'
	@build/release/tlsyn bench table2 --out out/table2 $(OPTIONS)

webperf: build
	$(step) 'webperf: what caching session keys saves'
	@build/release/tlsyn bench webperf --out out/webperf $(OPTIONS)

pageload: build
	$(step) 'pageload: a whole page under each handshake'
	@build/release/tlsyn bench pageload --rtt 30,300 --out out/pageload $(OPTIONS)

# Tests run side by side, most of them against real clocks. One that fails among others (ctest's status 8) gets
# the machine to itself once; the log keeps the failure either way.
test: setup-test
	$(step) 'build: build/asan, with AddressSanitizer and UBSan'
	@$(configure) asan >/dev/null
	@$(compile) asan
	$(step) 'tests: unit, sim, lint, lab'
	@ctest --preset asan || { \
		[ $$? -eq 8 ] || exit 1; \
		printf '== once more, alone: a fault of the program stays, one of a busy machine goes\n'; \
		ctest --preset asan --parallel 1 --rerun-failed; \
	}

FROM ?= 1
COUNT ?= 1000
JOBS ?= $(shell nproc)
sim: setup-test
	$(step) 'build: build/sim, optimised, with the invariants checked'
	@$(configure) sim >/dev/null
	@$(compile) sim --target sim
	$(step) 'sim: $(COUNT) seeds from $(FROM)'
	@build/sim/tests/sim --from $(FROM) --count $(COUNT) --jobs $(JOBS)

golden: setup-test
	$(step) 'build: build/sim'
	@$(configure) sim >/dev/null
	@$(compile) sim --target throughput
	$(step) 'throughput: what has changed, then the new snapshot'
	@-build/sim/tests/throughput tests/sim/throughput.tsv
	@build/sim/tests/throughput --write tests/sim/throughput.tsv

# What a fuzzer finds worth keeping goes to build/fuzz/corpus, the input that broke something to build/fuzz/found.
TIME ?= 60
fuzz:
	$(step) 'packages: what the fuzzers need'
	@.setup/packages.sh fuzz
	$(step) 'build: build/fuzz, with libFuzzer'
	@$(configure) fuzz >/dev/null
	@$(compile) fuzz
	@set -e; for source in tests/fuzz/fuzz_*.c; do \
	    name=$$(basename "$$source" .c); target=$${name#fuzz_}; \
	    printf '== %s: %s s\n' "$$name" '$(TIME)'; \
	    mkdir -p build/fuzz/corpus/$$target build/fuzz/found tests/fuzz/corpus/$$target; \
	    words=tests/fuzz/dictionary/$$target.dict; \
	    build/fuzz/tests/$$name $$([ ! -e $$words ] || echo -dict=$$words) -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=2048 \
	        -artifact_prefix=build/fuzz/found/$$target- -print_final_stats=1 -verbosity=0 \
	        build/fuzz/corpus/$$target tests/fuzz/corpus/$$target; \
	done

# By folder, from what the tests without a laboratory ran.
coverage: setup-test
	@.setup/packages.sh coverage
	$(step) 'build: build/coverage'
	@$(configure) coverage >/dev/null
	@$(compile) coverage
	$(step) 'tests: unit, conformance, sim, fuzz'
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage --no-tests=error -L 'unit|conformance|sim|fuzz'
	@set -e; for folder in wire ip tcp; do \
	    printf '== stack/%s\n' "$$folder"; \
	    gcovr --root . --filter "stack/$$folder/" --object-directory build/coverage \
	        --exclude-unreachable-branches --print-summary "build/coverage/CMakeFiles/tlsyn_$$folder.dir" | \
	        grep -E '^(lines|branches)'; \
	done

sources = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')
format:
	@.setup/packages.sh ci
	$(step) 'format: every C file'
	@clang-format-14 -i --style=file $(sources)

lint:
	$(step) 'packages: what the lints need'
	@.setup/packages.sh lint
	$(step) 'build: build/debug'
	@$(configure) debug >/dev/null
	@$(compile) debug
	$(step) 'tests/lint'
	@ctest --preset debug -L lint
	$(step) 'shellcheck'
	@git ls-files '*.sh' .ci/run | xargs shellcheck -x -P SCRIPTDIR
	$(step) 'clang-tidy'
	@git ls-files 'stack/*.c' 'tls/*.c' 'apps/*.c' 'bench/*.c' | xargs -P "$$(nproc)" -n 4 \
	    clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option -p build/debug 2>/dev/null

clean:
	rm -rf build out

distclean: clean
	rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/tlsyn"
