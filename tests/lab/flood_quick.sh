#!/bin/sh
# tlsyn bench flood, from end to end: forged SYNs arrive at the rate asked for, honest clients get
# through, and what leaves stays far below three times what came. No time is asserted.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_namespaces
out=$scratch/out

# holds FILTER WHAT: a condition on flood.json.
holds()
{
    jq -e "$1" "$out/flood.json" >/dev/null || fail "$2: $(cat "$out/flood.json" "$scratch/log")"
    passed "$2"
}

# served: whether honest clients got through, which takes a processor that has time for them.
served()
{
    "$TLSYN" bench flood --server tlsyn --rate 200 --seconds 1s --visits 20 --out "$out" >"$scratch/table" \
        2>"$scratch/log" || fail "the study ends with $?: $(tail -n 3 "$scratch/log")"
    jq -e '[.rows[] | select(.server == "tlsyn" and .visits > 0 and .succeeded >= 0.9 * .visits)] | length == 6' \
        "$out/flood.json" >/dev/null
}
again served || fail "honest clients do not get through: $(jq -c '.rows[]' "$out/flood.json") $(cat "$scratch/log")"
passed "honest clients get through"
grep -q 'server tlsyn, clients tlsyn' "$scratch/table" ||
    fail "no table was printed: $(cat "$scratch/table")"
holds '.rows | length == 6' "both kinds of flood, and none"
holds '[.rows[] | select(.rate > 0 and .forged < 50)] | length == 0' "the flood was one"
holds '[.rows[] | select(.server == "tlsyn" and .rate > 0 and .out_per_in > 3)] | length == 0' \
    "nobody else is flooded by the answers"
holds '[.rows[] | select(.server == "tlsyn" and .flood == "stolen" and .cookie)] | length == 2' \
    "the server gives who asks a cookie"
holds '[.rows[] | select(.client == "tlsyn" and .flood == "none" and .embedded == .succeeded)]
        | length == 1' "our clients embed"
holds '[.rows[] | select(.client == "tlsyn" and .flood == "spoofed"
        and .embedded >= 0.9 * .succeeded)] | length == 1' "under a flood, too, for they have a cookie"
if command -v chromium >/dev/null && command -v gnuplot >/dev/null; then
    # shellcheck source=tests/pages/judge.sh
    . "$(dirname "$0")/../pages/judge.sh"
    judge 7 flood "$out/flood.html"
fi

find "$TMPDIR" -mindepth 1 >"$scratch/left"
[ ! -s "$scratch/left" ] || fail "files stay: $(cat "$scratch/left")"
passed "nothing stays"

if command -v nginx >/dev/null; then
    server=nginx
else
    server=tlsyn
fi
cut_short "$out" 'observed 0' "$TLSYN" bench flood --server "$server" --flood spoofed --rate 200 --seconds 60s
holds '.environment.interrupted == true and .rows == []' "interrupted, it writes what there is"
