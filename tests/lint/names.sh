#!/bin/sh
# Two rules about names. Sequence numbers live modulo 2^32: outside wire/seq.h nobody compares or
# subtracts them with the bare operators (seq_lt(), seq_diff() and their family do); only the
# neighbour of one (snd_una - 1) is no distance. Tests may count in 64 bits as they like. And no
# file keeps a note of work left undone.
# shellcheck disable=SC2016 # the single quotes hold awk
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# Comments and strings are blanked, "->" becomes ".", so that ">" and "-" are operators
# where they remain.
sequence=$(sources stack | { grep -v '^stack/wire/seq\.h$' || :; } | xargs -r awk '
BEGIN {
    number = "([A-Za-z0-9_]*_)?(una|nxt|wl1|wl2|appack|iss|irs)|[A-Za-z0-9_]*seq"
    operator = "(<|>|<=|>=|-|-=)"
    path = "([A-Za-z_][A-Za-z0-9_]*(\\[[^]]*\\])?\\.)*"
    operand = "((<|>|<=|>=)[ \t]*[0-9]|" operator "[ \t]*[A-Za-z_(&*~!+])"
    before = "(^|[^A-Za-z0-9_])(" number ")[ \t]*" operand
    in_parentheses = "(^|[^A-Za-z0-9_])\\([ \t]*" path "(" number ")[ \t]*\\)[ \t]*" operand
    after = "[A-Za-z0-9_)\\]][ \t]*" operator "[ \t(]*" path "(" number ")([^A-Za-z0-9_(.]|$)"
}
FNR == 1 { in_comment = 0 }
{
    line = $0
    gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
    if (in_comment) {
        if (!match(line, /\*\//)) next
        line = substr(line, RSTART + 2)
        in_comment = 0
    }
    while (match(line, /\/\*/)) {
        head = substr(line, 1, RSTART - 1)
        rest = substr(line, RSTART + 2)
        if (!match(rest, /\*\//)) { line = head; in_comment = 1; break }
        line = head " " substr(rest, RSTART + 2)
    }
    sub(/\/\/.*/, "", line)
    if (line ~ /^[ \t]*#[ \t]*include/) next
    gsub(/->/, ".", line)
    gsub(/<<|>>|--/, " @ ", line)
    if (line ~ before || line ~ in_parentheses || line ~ after) {
        sub(/^[ \t]+/, "")
        printf "%s:%d: a sequence number under a bare operator (use wire/seq.h): %s\n", FILENAME, FNR, $0
    }
}')

# The words are put together here so that this file does not hold them.
words='TO''DO|FIX''ME|X''XX|HA''CK'
unfinished=$(
    for place in stack tls apps bench tests docs .setup .ci CMakeLists.txt Makefile README.md CONTRIBUTING.md; do
        [ ! -e "$place" ] || grep -rInwE "$words" --exclude-dir=corpus "$place" || :
    done | sed 's/$/   (finish it, or open an issue)/')

verdict "$sequence${sequence:+${unfinished:+
}}$unfinished" "names: sequence numbers are compared by wire/seq.h, and nothing is marked as unfinished"
