#!/bin/sh
# A function longer than 100 lines fails, for nobody keeps it in the head; so does a file longer
# than 1000. Counts from the brace in column one to its end, which is how .clang-format lays
# functions out. The finer limits (nesting, parameters) are clang-tidy's: make lint.
# shellcheck disable=SC2016 # the single quotes hold awk
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

findings=$(sources stack tls apps bench tests | xargs -r awk '
FNR == 1 { start = 0 }
FNR == 1001 { printf "%s:1001: the file is longer than 1000 lines: split it by subject\n", FILENAME }
/^\{/ { start = FNR }
/^\}/ {
    if (start && $0 !~ /;/ && FNR - start - 1 > 100)
        printf "%s:%d: a function of %d lines; the limit is 100, the aim 40\n", FILENAME, start, FNR - start - 1
    start = 0
}')

verdict "$findings" "sizes: no function is longer than 100 lines, no file than 1000"
