#!/bin/sh
# What `cmake --install` leaves is whole: the examples are built from it alone.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need cmake cc nm pkg-config
build=$(dirname "$TLSYN")
examples=$(dirname "$0")/../../docs/examples
[ -f "$build/cmake_install.cmake" ] || skip "$build is no build folder"

cmake --install "$build" --prefix "$scratch/root" >"$scratch/out" 2>&1 ||
    fail "cmake --install: $(cat "$scratch/out")"
"$scratch/root/bin/tlsyn" --version >"$scratch/out" || fail "the installed command does not start"
[ -s "$scratch/root/share/man/man1/tlsyn.1" ] || fail "the manual page is not there"
[ -s "$scratch/root/lib/tlsyn/libtlsyn_preload.so" ] || fail "the library of tlsyn run is not there"
passed "command, manual page and the library of tlsyn run"

pc=$(dirname "$(find "$scratch/root" -name tlsyn.pc)")
library=$(dirname "$pc")/libtlsyn.a
nm -g --defined-only "$library" | grep -v ' tlsyn_\|^$\|\.o:$' >"$scratch/foreign" &&
    fail "names that are not ours to take: $(head -3 "$scratch/foreign")"
passed "no name but tlsyn_... is taken"

sanitizers=
nm -u "$library" | grep -q __asan && sanitizers=-fsanitize=address,undefined
flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs tlsyn) || fail "pkg-config finds no tlsyn"
for header in "$scratch"/root/include/tlsyn/*.h; do
    # shellcheck disable=SC2086 # words
    echo "#include <tlsyn/${header##*/}>" | cc -std=c11 -Wall -Wextra -pedantic -Werror -fsyntax-only -x c - $flags \
        >"$scratch/out" 2>&1 || fail "${header##*/} by itself: $(head -5 "$scratch/out")"
done
passed "each header stands by itself, in strict C11"
for example in echo_client echo_server; do
    # shellcheck disable=SC2086 # words
    cc -std=c17 -D_GNU_SOURCE $sanitizers -o "$scratch/$example" "$examples/$example.c" $flags \
        >"$scratch/out" 2>&1 || fail "$example: $(head -5 "$scratch/out")"
    status=0
    "$scratch/$example" 2>"$scratch/out" || status=$?
    [ "$status" -gt 0 ] || fail "$example without arguments succeeds"
    grep -qi usage "$scratch/out" || fail "$example without arguments: $(cat "$scratch/out")"
done
passed "a program of somebody else's is built and starts"
