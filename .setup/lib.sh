# Shared by the set-up scripts: how they speak.
# shellcheck shell=sh

# say MESSAGE: one line on what happens next. On stderr, for a script's stdout may be its result.
say()
{
    printf '  %s\n' "$*" >&2
}

# die WHAT REMEDY...: what went wrong, what to do about it, one per line.
die()
{
    printf 'tlsyn set-up: %s\n' "$1" >&2
    shift
    for remedy in "$@"; do
        printf '  %s\n' "$remedy" >&2
    done
    exit 1
}
