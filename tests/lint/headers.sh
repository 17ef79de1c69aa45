#!/bin/sh
# The public headers are for the programs of others: each compiles by itself, as C17 and as C++11, and every function
# that they declare is in the libraries under the very name that a C++ program asks the linker for.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

cxx=${CXX:-c++}
command -v "$cxx" >/dev/null || { echo "headers: no C++ compiler '$cxx'"; exit 77; }
headers=$(sources stack/include tls/include | grep '\.h$' || :)
[ -n "$headers" ] || verdict "" "headers: there are none"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile LANGUAGE OPTION...: the translation unit on stdin.
compile()
{
    compiler=$cxx standard=c++11 language=$1
    [ "$language" != c ] || { compiler=${CC:-cc} standard=c17; }
    shift
    "$compiler" -x "$language" -std=$standard -Wall -Wextra -Wpedantic -Werror -Istack/include -Itls/include "$@" -
}

alone=$(for header in $headers; do
    for language in c c++; do
        echo "#include <${header#*include/}>" | compile $language -fsyntax-only 2>"$work/said" ||
            echo "$header:1: not by itself, as $language: $(grep -m 1 error "$work/said")"
    done
done)
[ -z "$alone" ] || verdict "$alone"

# shellcheck disable=SC2086 # one word per header
names=$(sed -nE '/^(static|typedef) /d; s/^[a-z][a-z0-9_ ]*[ *](tlsyn_[a-z0-9_]+)\(.*/\1/p' $headers | sort -u)
# shellcheck disable=SC2046 # and one here
{
    printf '#include <%s>\n' $(echo "$headers" | sed 's|.*include/||')
    echo 'extern void (*const functions[])(); void (*const functions[])() = {'
    echo "$names" | sed 's/.*/    reinterpret_cast<void (*)()>(&),/'
    echo '};'
} >"$work/all.cc"
compile c++ -Wno-cast-function-type -c -o "$work/all.o" <"$work/all.cc"
nm -u "$work/all.o" | sed 's/.* //' >"$work/asked"
nm -g --defined-only "$build"/libtlsyn_*.a 2>/dev/null | awk 'NF == 3 { print $3 }' >"$work/there"
absent=$(grep -v -x -F -f "$work/there" "$work/asked" | while read -r symbol; do
    name=$(c++filt "$symbol" | sed 's/(.*//')
    # shellcheck disable=SC2086
    echo "$(grep -n "[ *]$name(" /dev/null $headers | head -n 1 | cut -d : -f 1,2): no library has $symbol"
done)
verdict "$absent" "headers: $(echo "$headers" | wc -l) as C and as C++, $(echo "$names" | wc -l) functions"
