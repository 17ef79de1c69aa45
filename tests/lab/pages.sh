#!/bin/sh
# The studies' reports in a browser: every figure is there, nothing is cut off at 400 or at 1600 pixels or in print, tables
# sort, scripts are quiet, and nothing leads out of the folder.
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

# As words and numbers stand in tables: with marks before them, numbers amid them, and none at all.
row() { printf '<tr><td>%s<\/td><td class="right">%s<\/td><\/tr>' "$1" "$2"; }
table="<table><thead><tr><th>word<\/th><th class=\"right\">number<\/th><\/tr><\/thead><tbody>$(row 'row 10' '-')$(
    row 'row 9' '\&lt;0.5')$(row 'row 100' '! 10 (3)')$(row 'row 11' '~9')<\/tbody><\/table>"
sed "s/<main>/<main>$table/" "$scratch/table2/table2.html" >"$scratch/words.html"
judge 10 "a table of words and numbers" "$scratch/words.html"

# The judge judges. found SENTENCE WHAT: what is wrong with $scratch/wrong.html is found.
found()
{
    (judge 1 "$2" "$scratch/wrong.html") >"$scratch/found" 2>&1 && fail "$2 is not found"
    grep -q "$1" "$scratch/found" || fail "$2 is refused for another reason: $(cat "$scratch/found")"
    passed "$2 is found"
}
sed 's/<main>/<main><p style="width:90rem">wide<\/p>/' "$scratch/table2/table2.html" >"$scratch/wrong.html"
found 'at 400 pixels the page is' "a page that is too wide"
sed 's/<main>/<main><div class="scroll"><pre style="width:60rem">wide<\/pre><\/div>/' "$scratch/table2/table2.html" >"$scratch/wrong.html"
found 'in print the page is' "what paper cuts off"
sed 's/, {numeric: true}//' "$scratch/words.html" >"$scratch/wrong.html"
found 'leaves row 10 before row 9 when ascending\|leaves row 100 before row 11 when ascending' "a table that sorts numbers as letters"
