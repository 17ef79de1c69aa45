#!/bin/sh
# The studies' reports in a browser: every figure is there, nothing is cut off at 400 or at 1600 pixels, tables sort,
# scripts are quiet, and nothing leads out of the folder.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need chromium gnuplot
judge=$(cd "$(dirname "$0")/../pages" && pwd)/judge.html

# As root there is no sandbox to be had; the pages are our own.
browse()
{
    HOME=$scratch timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --allow-file-access-from-files --user-data-dir="$scratch/profile" --virtual-time-budget=20000 \
        --no-first-run --disable-background-networking --disable-component-update --disable-extensions \
        --disable-sync --enable-logging=stderr "$@"
}

# judge FIGURES NAME FILE: opens it; it has so many figures at least.
judge()
{
    browse --dump-dom "file://$judge?file://$3" >"$scratch/dom" 2>"$scratch/console" ||
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

"$TLSYN" bench table2 --link memory --rtt 0.4,2,4 --rounds 2 --out "$scratch/table2" >"$scratch/log" 2>&1 ||
    fail "table2 ends with $?: $(tail -n 3 "$scratch/log")"
judge 10 table2 "$scratch/table2/table2.html"

"$TLSYN" bench pageload --model --out "$scratch/pageload" >"$scratch/log" 2>&1 ||
    fail "pageload ends with $?: $(tail -n 3 "$scratch/log")"
grep -q '^tls1.2-sequential  *16  *12  *7$' "$scratch/log" ||
    fail "the model counts something else: $(cat "$scratch/log")"
judge 18 pageload "$scratch/pageload/pageload.html"
"$TLSYN" bench webperf --link memory --rtt 1ms -n 12 --out "$scratch/webperf" >"$scratch/log" 2>&1 ||
    fail "webperf ends with $?: $(tail -n 3 "$scratch/log")"
judge 12 webperf "$scratch/webperf/webperf.html"

"$TLSYN" bench report "$scratch/table2" "$scratch/webperf" "$scratch/table2" --out "$scratch/report" >/dev/null ||
    fail "the runs cannot be compared"
judge 0 comparison "$scratch/report/comparison.html"

# The judge judges: a page that is too wide is found.
sed 's/<main>/<main><p style="width:90rem">wide<\/p>/' "$scratch/table2/table2.html" >"$scratch/wide.html"
(judge 1 "a page that is too wide" "$scratch/wide.html") >"$scratch/found" 2>&1 &&
    fail "a page that is too wide is not found"
grep -q 'at 400 pixels the page is' "$scratch/found" || fail "it is refused for another reason: $(cat "$scratch/found")"
passed "a page that is too wide is found"
