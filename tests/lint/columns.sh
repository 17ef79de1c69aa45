#!/bin/sh
# No line of C is longer than 100 columns, and none of a page's prose longer than 120.
# clang-format breaks what it can; this finds what it leaves: long comments, pictures, rulers. Tables between `clang-format off` and `on` are
# laid out by hand. tls/mbedtls is left out: its configuration is part of the key under which
# mbedTLS was built, so that a line broken there has it built anew. Of pages, tables and examples
# are as wide as they are, and so is what is generated.
# shellcheck disable=SC2016 # the single quotes hold awk
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# Columns are characters, and a byte 10xxxxxx begins none.
findings=$({
    sources stack tls apps bench tests
    find . docs -maxdepth 1 -name '*.md' ! -name 'CONFORMANCE*' 2>/dev/null | sed 's|^\./||'
    find stack tls apps bench tests -type f -name '*.def' 2>/dev/null
} | sort | LC_ALL=C xargs -r awk '
FILENAME ~ /^tls\/mbedtls\// { next }
FNR == 1 {
    by_hand = 0
    page = FILENAME ~ /\.md$/
    limit = page ? 120 : 100
}
page && /^(\||    |#)/ { next }
/clang-format off/ { by_hand = 1 }
/clang-format on/ { by_hand = 0 }
length > limit && !by_hand {
    line = $0
    gsub(/[\200-\277]/, "", line)
    if (length(line) > limit)
        printf "%s:%d: a line of %d columns; the limit is %d\n", FILENAME, FNR, length(line), limit
}')

verdict "$findings" "columns: no line is longer than 100, nor a page's than 120"
