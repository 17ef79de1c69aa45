#!/bin/sh
# docs/TOUR.md leads through the code by file and function: every file that it links must exist, and
# every function that it names must be defined in one of these files.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

page=docs/TOUR.md
[ -f "$page" ] || verdict "" "tour: no docs/TOUR.md"

# shellcheck disable=SC2154 # root is lib.sh's, and the folder that we are in
files=$(grep -oE '\]\(\.\./[^)]+\)' "$page" | sed -e 's|^](../||' -e 's|)$||' | sort -u)
# shellcheck disable=SC2016 # the backquotes are the page's
names=$(grep -oE '`[a-z0-9]+_[a-z0-9_]+`' "$page" | tr -d '`' | sort -u |
    grep -vxE 'on_.*|snd_.*|virtio_.*|tcp_(tx|hook|state)|tlsyn_conn_open')

missing=$(for file in $files; do
    [ -f "$file" ] || echo "$page: no such file: $file"
done)
# shellcheck disable=SC2086 # one word per file
lost=$(for name in $names; do
    grep -qsE "^[a-z].*[ *]$name\(" $files || echo "$page: no file of the page defines $name"
done)
verdict "$missing$lost" "tour: $(echo "$names" | wc -l) functions are where $page says"
