# Opens a report in a browser and says what is wrong with it; behind tests/lab/lib.sh.
# shellcheck shell=sh disable=SC2154 # scratch is lib.sh's
judging=$(cd "$(dirname "$0")/../pages" && pwd)/judge.html

# As root there is no sandbox to be had; the pages are our own.
browse()
{
    HOME=$scratch timeout 240 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --allow-file-access-from-files --user-data-dir="$scratch/profile" --virtual-time-budget=20000 \
        --no-first-run --disable-background-networking --disable-component-update --disable-extensions \
        --disable-sync --enable-logging=stderr "$@"
}

# judge FIGURES NAME FILE: opens it; it has so many figures at least.
judge()
{
    browse --dump-dom "file://$judging?file://$3" >"$scratch/dom" 2>"$scratch/console" ||
        fail "$2: the browser ends with $?: $(tail -n 3 "$scratch/console")"
    verdict=$(sed -n 's/^<pre id="verdict">VERDICT //p' "$scratch/dom")
    [ -n "$verdict" ] || fail "$2: there is no verdict: $(tail -n 5 "$scratch/console")"
    case $verdict in
    *", 0 findings"*) ;;
    *) fail "$2: $(sed -n '/VERDICT/,/<\/pre>/p' "$scratch/dom")" ;;
    esac
    [ "${verdict%% *}" -ge "$1" ] || fail "$2: $verdict, but $1 figures are due"
    ! grep ':CONSOLE' "$scratch/console" || fail "$2: the console is not empty"
    passed "$2: $verdict"
}
