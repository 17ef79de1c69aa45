#!/bin/sh
# 100 MB in both directions at once, to and from curl on the kernel's stack, over a link that loses
# and reorders 2 % of the packets each way; over afpacket and over pcap, in two labs side by side.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need curl sha256sum
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
inside()
{
    link=$2
    log=$SHARED/$link/log
    await "$log" serving
    curl -sS -m 800 --cacert "$SHARED/$link/ca.pem" -T "$SHARED/$link/file" \
        "https://$TLSYN_PEER/up" \
        2>"$scratch/up" &
    up=$!
    curl -sS -m 800 --cacert "$SHARED/$link/ca.pem" "https://$TLSYN_PEER/file" 2>"$scratch/down" |
        sha256sum >"$scratch/got"
    wait "$up" || fail "$link: the upload: $(cat "$scratch/up" "$log")"
    [ "$(cut -d ' ' -f 1 "$scratch/got")" = "$sum" ] ||
        fail "$link: down, other bytes: $(cat "$scratch/down" "$log")"
    [ "$(sha256sum <"$SHARED/$link/up" | cut -d ' ' -f 1)" = "$sum" ] ||
        fail "$link: up, other bytes"
    grep -q '"GET /file" 200 100.0 MB' "$log" || fail "$(cat "$log")"
    passed "$link: $(grep -o '"[GP].*MB [0-9.]* s\|"PUT.*MB [0-9.]* s' "$log" | tr '\n' ';')"
}

[ "${1:-}" != inside ] || { inside "$@" && exit 0; }

# --- outside --------------------------------------------------------------------------------------
# transfer LINK
transfer()
{
    "$TLSYN" lab --rtt 500us --loss 2% --reorder 2% \
        --server "cd $scratch/$1 && exec $TLSYN serve . --upload \
        --link $1 --self-signed ca.pem 2>log" -- "$self" inside "$1" 2>"$scratch/$1/link" ||
        { cat "$scratch/$1/link"; return 1; }
    no_findings "$scratch/$1/log"
    # Both directions were bad, or nothing was shown.
    for direction in 'client to server' 'server to client'; do
        line=$(grep "$direction" "$scratch/$1/link") || fail "the lab says nothing about the link"
        [ "$(number_before "$line" lost)" -ge 100 ] || fail "hardly a loss: $line"
        [ "$(number_before "$line" reordered)" -ge 100 ] || fail "hardly reordered: $line"
    done
}

need_namespaces
mkdir "$scratch/afpacket" "$scratch/pcap"
head -c 100000000 /dev/urandom >"$scratch/afpacket/file"
ln "$scratch/afpacket/file" "$scratch/pcap/file"
sum=$(sha256sum <"$scratch/pcap/file" | cut -d ' ' -f 1)
export sum SHARED="$scratch"
transfer pcap &
pcap=$!
transfer afpacket || { wait "$pcap" || :; exit 1; }
wait "$pcap" || exit 1
