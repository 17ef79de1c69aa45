#!/bin/sh
# docs/FEATURES.md says of each feature which test shows it: `suite/case` of the unit tests, or the
# name by which ctest calls a lab script or a fuzzer. Every test that it names must exist, and no
# row may go without one.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

page=docs/FEATURES.md
[ -f "$page" ] || verdict "" "features: no $page"

# Rows of the tables, without their heads: the last cell names tests in backquotes.
rows=$(grep -n '^|' "$page" | grep -vE ':\|( Feature \||-)')
# shellcheck disable=SC2016 # the backquotes are the page's
silent=$(printf '%s\n' "$rows" | grep -vE '`[^`]+` *\|$' | sed "s|^\([0-9]*\):|$page:\1: no test in the last cell: |")
# shellcheck disable=SC2016
tests=$(printf '%s\n' "$rows" | grep -oE '\|[^|]*\|$' | grep -oE '`[^`]+`' | tr -d '`' | sort -u)

exists()
{
    case $1 in
    */*) grep -qsE "^(START_TEST|COMPARED)\(${1#*/}\)" "tests/unit/test_${1%%/*}.c" "tests/tls/test_${1%%/*}.c" \
        "tests/conformance/test_${1%%/*}.c" ;;
    lab-*) [ -f "tests/lab/${1#lab-}.sh" ] || [ -f "tests/lab/lab_${1#lab-}.sh" ] ;;
    fuzz-*) [ -f "tests/fuzz/fuzz_${1#fuzz-}.c" ] ;;
    sim) [ -f tests/sim/sim.c ] ;;
    *) return 1 ;;
    esac
}

lost=$(for test in $tests; do
    exists "$test" || echo "$page: there is no test $test"
done)
verdict "$silent${silent:+
}$lost" "features: $(printf '%s\n' "$rows" | wc -l) rows name $(echo "$tests" | wc -w) tests that exist"
