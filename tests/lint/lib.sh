# Shared by the lints. A lint is called as `NAME.sh BUILD [ROOT]`: BUILD is a CMake build folder,
# ROOT the checkout (default: the one this script is in). It prints `file:line: what and why` per
# finding and exits with 1, with 0 when there is none, with 77 when it can't run here and says why.
# shellcheck shell=sh
set -eu
unset CDPATH

# shellcheck disable=SC2034 # purity.sh reads it
build=${1:-}
root=$(cd "${2:-$(dirname "$0")/../..}" && pwd)
cd "$root"

# sources FOLDER...: the C files below those of the folders that exist.
sources()
{
    for folder in "$@"; do
        [ ! -d "$folder" ] || find "$folder" -type f \( -name '*.c' -o -name '*.h' \)
    done | sort
}

# verdict FINDINGS OK-SENTENCE: prints the findings and fails, or says that all is well.
verdict()
{
    if [ -n "$1" ]; then
        printf '%s\n' "$1"
        exit 1
    fi
    echo "$2"
    exit 0
}
