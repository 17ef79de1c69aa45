#!/bin/sh
# The layout of every C file is what clang-format 14 (Debian 12's) makes of it. Other versions lay
# out some lines otherwise, so they judge nothing; `make format` needs 14 too.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

tool=
for candidate in clang-format-14 clang-format; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" --version | grep -q 'version 14\.'; then
        tool=$candidate
        break
    fi
done
if [ -z "$tool" ]; then
    echo "format: skipped: clang-format 14 is not installed (apt-get install clang-format-14)"
    exit 77
fi

findings=$(sources stack tls apps bench tests | xargs -r "$tool" --style=file --dry-run 2>&1 |
    grep 'warning: code should be clang-formatted' | cut -d: -f1,2 | sort -u |
    sed 's/$/: not in the house format (make format)/' || :)

verdict "$findings" "format: every C file is laid out by .clang-format"
