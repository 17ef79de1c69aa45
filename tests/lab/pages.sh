#!/bin/sh
# The studies' reports in a browser: every figure is there, nothing is cut off at 400 or at 1600 pixels, tables sort,
# scripts are quiet, and nothing leads out of the folder.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need chromium gnuplot
# shellcheck source=tests/pages/judge.sh
. "$(dirname "$0")/../pages/judge.sh"

"$TLSYN" bench table2 --link memory --rtt 0.4,2,4 --rounds 2 --out "$scratch/table2" >"$scratch/log" 2>&1 ||
    fail "table2 ends with $?: $(tail -n 3 "$scratch/log")"
judge 10 table2 "$scratch/table2/table2.html"

"$TLSYN" bench pageload --model --out "$scratch/pageload" >"$scratch/log" 2>&1 ||
    fail "pageload ends with $?: $(tail -n 3 "$scratch/log")"
grep -q '^1.1  *tls1.2-sequential  *16  *12  *7$' "$scratch/log" ||
    fail "the model counts something else: $(cat "$scratch/log")"
judge 18 pageload "$scratch/pageload/pageload.html"
"$TLSYN" bench webperf --link memory --rtt 1ms -n 12 --out "$scratch/webperf" >"$scratch/log" 2>&1 ||
    fail "webperf ends with $?: $(tail -n 3 "$scratch/log")"
judge 13 webperf "$scratch/webperf/webperf.html"

"$TLSYN" bench report "$scratch/table2" "$scratch/webperf" "$scratch/table2" --out "$scratch/report" >/dev/null ||
    fail "the runs cannot be compared"
judge 2 comparison "$scratch/report/comparison.html"

# The judge judges: a page that is too wide is found.
sed 's/<main>/<main><p style="width:90rem">wide<\/p>/' "$scratch/table2/table2.html" >"$scratch/wide.html"
(judge 1 "a page that is too wide" "$scratch/wide.html") >"$scratch/found" 2>&1 &&
    fail "a page that is too wide is not found"
grep -q 'at 400 pixels the page is' "$scratch/found" || fail "it is refused for another reason: $(cat "$scratch/found")"
passed "a page that is too wide is found"
