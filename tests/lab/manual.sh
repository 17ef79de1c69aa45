#!/bin/sh
# The manual page and the table behind --help name the same options.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
page=$(dirname "$0")/../../docs/man/tlsyn.1

# The long options that the page names.
in_page()
{
    sed 's/\\-/-/g' "$page" | grep -o -- '--[a-z][a-z-]*' | sort -u
}

for command in ping connect prefetch get serve run ss explain lab; do
    "$TLSYN" $command --help | grep '^  \(-.,\|   \) --' | grep -o -- '--[a-z][a-z-]*' | sort -u >"$scratch/$command"
    [ -s "$scratch/$command" ] || fail "$command --help lists no option"
done
sort -u "$scratch/ping" "$scratch/connect" "$scratch/prefetch" "$scratch/get" "$scratch/serve" "$scratch/run" "$scratch/ss" "$scratch/explain" \
    "$scratch/lab" >"$scratch/help"
echo --version >>"$scratch/help"
sort -u -o "$scratch/help" "$scratch/help"
in_page >"$scratch/page"
diff "$scratch/help" "$scratch/page" >"$scratch/diff" ||
    fail "--help (<) and docs/man/tlsyn.1 (>) differ: $(cat "$scratch/diff")"
for command in $("$TLSYN" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    grep -q "^\.SS $command$" "$page" || fail "the manual page has no section on $command"
done
# A letter means one option: of two the first would take the other's place without a word.
for command in ping connect prefetch get serve run ss explain lab $("$TLSYN" bench --help |
    sed -n 's/^  \([a-z0-9]*\)  .*/bench:\1/p'); do
    # shellcheck disable=SC2046 # a study is two words
    twice=$("$TLSYN" $(echo "$command" | tr : ' ') --help | grep -o '^  -., --' | sort | uniq -d)
    [ -z "$twice" ] || fail "$command --help has a letter twice: $twice"
done
"$TLSYN" --version | grep -q '^tlsyn [0-9]' || fail "--version: $("$TLSYN" --version)"
passed "the manual page is true to --help"
