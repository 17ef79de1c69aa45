#!/bin/sh
# tlsyn bench bulk, from end to end: every pair moves bytes, with and without offloads, unharmed,
# and the figures hang together. No speed is asserted.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_namespaces
out=$scratch/out

# holds FILTER WHAT: a condition on bulk.json.
holds()
{
    jq -e "$1" "$out/bulk.json" >/dev/null || fail "$2: $(cat "$out/bulk.json" "$scratch/log")"
    passed "$2"
}

"$TLSYN" bench bulk --quick --out "$out" >"$scratch/table" 2>"$scratch/log" ||
    fail "the study ends with $?: $(tail -n 3 "$scratch/log")"
grep -q 'offloads on' "$scratch/table" || fail "no table was printed: $(cat "$scratch/table")"
holds '[.rows[] | select((.sender != "lwip") and (.receiver != "lwip") and .n == 2 and .failed == 0 and .gbit_s > 0
        and .cpu_s_per_gb > 0)] |
            length == 8' "both stacks moved bytes, both ways, with and without offloads"
holds '[.rows[] | select(.failed == 0) | [.sender, .receiver, .offload, .gbit_s, .cpu_s_per_gb] | select(any(. == null))]
        | length == 0' "rows have all their fields"
holds '[.rows[] | select(.sender == "kernel" and .receiver == "kernel" and .ratio == 1)] | length == 2' \
    "kernel to kernel is what the others are compared with"
if command -v chromium >/dev/null && command -v gnuplot >/dev/null; then
    # shellcheck source=tests/pages/judge.sh
    . "$(dirname "$0")/../pages/judge.sh"
    judge 2 bulk "$out/bulk.html"
fi

if [ -e /dev/net/tun ] && grep -q '^lwIP: lwIP' "$scratch/table"; then
    holds '[.rows[] | select((.sender == "lwip" or .receiver == "lwip") and (.offload | not))] | length == 2' \
        "lwIP has its rows"
    if [ "$(id -u)" -eq 0 ]; then
        holds '[.rows[] | select((.sender == "lwip" or .receiver == "lwip") and .gbit_s > 0)] | length == 2' \
            "lwIP moved bytes"
    fi
else
    passed "there is no lwIP here"
fi

"$TLSYN" bench bulk --quick --plain --only tlsyn-kernel --no-lwip --offload off -n 1 --out "$out" \
    >"$scratch/table" 2>"$scratch/log" ||
    fail "where our stack cuts its segments itself it ends with $?: $(tail -n 3 "$scratch/log")"
holds '.environment.plain and (.rows | length == 1 and .[0].failed == 0 and .[0].gbit_s > 0)' \
    "without PACKET_VNET_HDR, too"

"$TLSYN" bench bulk --quick --family 6 --no-lwip --offload on -n 1 --out "$out" >"$scratch/table" \
    2>"$scratch/log" ||
    fail "over IPv6 it ends with $?: $(tail -n 3 "$scratch/log")"
holds '[.rows[] | select(.failed == 0 and .gbit_s > 0)] | length == 4' "over IPv6, too"
