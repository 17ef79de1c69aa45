#!/bin/sh
# What the pages for readers name must exist: the files they link or call by path, the targets of `make`, the commands and
# studies of tlsyn with their options, and the tests as ctest calls them; and docs/TESTING.md has the laboratory's scripts.
# shellcheck disable=SC2016 # the backquotes are the pages'
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

pages=$(ls README.md CONTRIBUTING.md docs/*.md 2>/dev/null || :)
[ -n "$pages" ] || verdict "" "docs: no pages"

# lines PATTERN: "PAGE:LINE: WORD" for each match.
# shellcheck disable=SC2086 # one word per page
words() { grep -onHE -e "$1" $pages | sed 's/:\([0-9]*\):/:\1: /' || :; }

# Links, from the page's own folder; and paths in backquotes, from the root.
links=$(words '\]\([^)#:]+[)#]' | sed 's/\](//; s/[)#]$//' | while read -r where path; do
    page=${where%%:*}
    [ -e "$(dirname "$page")/$path" ] || echo "$where there is no $path"
done)
folders=$(find . -mindepth 1 -maxdepth 1 -type d | sed 's|^./||' | paste -sd '|' -)
paths=$(words "\`(${folders:-none})/[A-Za-z0-9_./-]+\`" | tr -d '`' | while read -r where path; do
    case $path in build/* | out/* | *foo*) continue ;; esac
    [ -e "$path" ] || echo "$where there is no $path"
done)

# Files by their names alone, where a page has said which room it is about.
all=$(find . -type f -not -path './.git/*' | sed 's|.*/||' | sort -u)
names=$(words '`[a-z0-9_]+\.(c|h|def)`' | tr -d '`' | while read -r where name; do
    printf '%s\n' "$all" | grep -qxF "$name" || echo "$where there is no $name"
done)

# `make TARGET`, in backquotes or a command by itself.
targets=$(words '(`|^ +)make [a-z][a-z-]*' | sed 's/[`]//; s/ make / /' | while read -r where target; do
    grep -qs "^$target:" Makefile || echo "$where the Makefile has no $target"
done)

# `tlsyn COMMAND`, `tlsyn bench STUDY`: each has its row in a table of names, and each option one in a table of options.
commands=$(words '(`|^ +)tlsyn [a-z][a-z0-9]*( [a-z][a-z0-9]*)?' | sed 's/`//; s/ tlsyn / /' |
    while read -r where command study; do
        grep -qs "^ *{\"$command\", cmd_" apps/main.c || echo "$where tlsyn has no command $command"
        [ "$command" != bench ] || [ -z "$study" ] || grep -qs "^ *{\"$study\", [a-z0-9_]*, \"" apps/cmd_bench.c ||
            echo "$where tlsyn bench has no study $study"
    done)
# shellcheck disable=SC2086 # one word per page
options=$(grep -nHE '(`|^ +)tlsyn [a-z]' $pages | sed 's/ -- .*//; s/:\([0-9]*\):.*/:\1: &/' | while read -r where line; do
    for option in $(printf '%s\n' "$line" | grep -oE -- ' --[a-z][a-z0-9-]*' | tr -d ' ' | sed 's/^--//'); do
        [ "$option" = help ] || grep -qs "{\"$option\", " apps/*.[ch] || echo "$where no command has --$option"
    done
done)

# Tests as ctest calls them.
tests=$(words '`(lab|lint|fuzz)-[a-z0-9_]+`' | tr -d '`' | while read -r where test; do
    name=${test#*-}
    for file in "tests/${test%%-*}/$name.sh" "tests/lab/lab_$name.sh" "tests/fuzz/fuzz_$name.c" "tests/lint/$name.py"; do
        [ ! -e "$file" ] || continue 2
    done
    echo "$where ctest has no $test"
done)

# Every script of the laboratory is described.
scripts=$(for script in tests/lab/*.sh; do
    name=${script##*/}
    [ ! -e "$script" ] || [ "$name" = lib.sh ] || grep -qsF "\`$name\`" docs/TESTING.md ||
        echo "docs/TESTING.md:1: $name is not described"
done)

findings=$(printf '%s\n' "$links" "$paths" "$names" "$targets" "$commands" "$options" "$tests" "$scripts" | grep . || :)
verdict "$findings" "docs: what $(echo "$pages" | wc -w) pages name is there"
