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

commands='ping connect prefetch get serve run ss explain lab'
studies=$("$TLSYN" bench --help | sed -n 's/^  \([a-z0-9]*\)  .*/bench:\1/p')
for command in $commands $studies; do
    # shellcheck disable=SC2046 # a study is two words
    "$TLSYN" $(echo "$command" | tr : ' ') --help | grep '^  \(-.,\|   \) --' >"$scratch/$command" ||
        fail "$command --help lists no option"
    # A letter means one option: of two the first would take the other's place without a word.
    twice=$(grep -o '^  -.,' "$scratch/$command" | sort | uniq -d)
    [ -z "$twice" ] || fail "$command --help has a letter twice: $twice"
done

# options COMMAND...: the long ones of these.
options()
{
    (cd "$scratch" && sed 's/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/' "$@" && echo --version) | sort -u
}

# The page has every option of the commands, and of the studies some.
in_page >"$scratch/page"
# shellcheck disable=SC2086 # one word per command
options $commands | comm -23 - "$scratch/page" >"$scratch/missing"
# shellcheck disable=SC2086
options $commands $studies | comm -13 - "$scratch/page" >"$scratch/strange"
[ ! -s "$scratch/missing" ] || fail "docs/man/tlsyn.1 lacks $(cat "$scratch/missing")"
[ ! -s "$scratch/strange" ] || fail "no --help has the manual page's $(cat "$scratch/strange")"
for command in $("$TLSYN" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    grep -q "^\.SS $command$" "$page" || fail "the manual page has no section on $command"
done
"$TLSYN" --version | grep -q '^tlsyn [0-9]' || fail "--version: $("$TLSYN" --version)"
passed "the manual page is true to --help"
