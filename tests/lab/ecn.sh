#!/bin/sh
# ECN with the kernel's stack in both roles: RFC 3168 and, where the kernel knows it, AccECN. What
# the two have agreed on is read from our report and from the kernel's counters; bytes are compared.
# Then a bottleneck marks instead of dropping: whoever reacts has its queue shorter than that most of
# the time.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl curl sha256sum sysctl nstat
export NSTAT_HISTORY="$scratch/nstat.history" # the usual one may be somebody else's root's
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# active SYSCTL EXPECTED: `get --ecn` from the kernel's server, whose net.ipv4.tcp_ecn the
# outside has set
active()
{
    await "$SHARED/$1/log" ACCEPT
    "$TLSYN" get --ecn --json --insecure https://10.77.0.2:4433/file -o "$scratch/got" \
        >"$scratch/json" ||
        fail "get --ecn: $(cat "$scratch/json")"
    grep -q "\"ecn\": \"$2\"" "$scratch/json" || fail "tcp_ecn=$1: not $2: $(cat "$scratch/json")"
    [ "$(sha256sum <"$scratch/got")" = "$sum" ] || fail "tcp_ecn=$1: other bytes"
    passed "we ask a kernel with tcp_ecn=$1: $2"
}

# passive SYSCTL: curl, whose kernel asks, from our server: its kernel counts what comes with ECT(0)
passive()
{
    await "$SHARED/$1/log" serving
    sysctl -qw net.ipv4.tcp_ecn="$1" || fail "sysctl"
    curl -sS -m 200 --cacert "$SHARED/$1/ca.pem" "https://$TLSYN_PEER/file" -o "$scratch/got" \
        2>"$scratch/curl" ||
        fail "curl: $(cat "$scratch/curl")"
    marked=$(nstat -az IpExtInECT0Pkts | awk '/InECT0Pkts/ { print $2 }')
    [ "${marked:-0}" -ge 100 ] || fail "tcp_ecn=$1: hardly a packet with ECT(0): $(nstat -az)"
    [ "$(sha256sum <"$scratch/got")" = "$sum" ] || fail "tcp_ecn=$1: other bytes"
    passed "a kernel with tcp_ecn=$1 asks us, and $marked packets came with ECT(0)"
}

# ours with ours
accurate()
{
    await "$SHARED/ours/log" serving
    "$TLSYN" get --ecn --json --insecure "https://$TLSYN_PEER/file" -o "$scratch/got" \
        >"$scratch/json" ||
        fail "get --ecn: $(cat "$scratch/json")"
    grep -q '"ecn": "accurate"' "$scratch/json" || fail "not accurate: $(cat "$scratch/json")"
    [ "$(sha256sum <"$scratch/got")" = "$sum" ] || fail "other bytes"
    passed "we ask ourselves: AccECN"
}

# marked SERVER-SYSCTL: the kernel sends to us, and slows down
marked()
{
    await "$SHARED/log" ACCEPT
    "$TLSYN" get --ecn --json --insecure https://10.77.0.2:4433/file -o "$scratch/got" >"$scratch/json" ||
        fail "get --ecn: $(cat "$scratch/json")"
    [ "$(sha256sum <"$scratch/got")" = "$sum" ] || fail "other bytes"
    touch "$SHARED/done"
    await "$SHARED/counters" TcpRetransSegs
    told=$(counter "$SHARED/counters" TcpExtTCPDeliveredCE)
    [ "$told" -ge 1 ] || fail "the kernel was told of no mark: $(cat "$scratch/json")"
    repeated "$SHARED/counters" "a kernel with tcp_ecn=$1 heard of $told marks"
}

# heeded CLIENT-SYSCTL: we send to the kernel, and slow down
heeded()
{
    await "$SHARED/log" serving
    sysctl -qw net.ipv4.tcp_ecn="$1" || fail "sysctl"
    curl -sS -m 200 --cacert "$SHARED/ca.pem" "https://$TLSYN_PEER/file" -o "$scratch/got" 2>"$scratch/curl" ||
        fail "curl: $(cat "$scratch/curl")"
    [ "$(sha256sum <"$scratch/got")" = "$sum" ] || fail "other bytes"
    nstat -az >"$scratch/kernel"
    [ "$(counter "$scratch/kernel" IpExtInCEPkts)" -ge 1 ] || fail "nothing came marked: $(cat "$scratch/kernel")"
    "$TLSYN" ss --counters >"$scratch/counters" || fail "ss: $(cat "$scratch/counters")"
    told=$(counter "$scratch/counters" TcpExtTCPDeliveredCE)
    [ "$told" -ge 1 ] || fail "we were told of no mark: $(cat "$scratch/counters")"
    repeated "$scratch/counters" "a kernel with tcp_ecn=$1 told us of $told marks"
}

# repeated FILE WHAT: where its counters tell of a segment that was sent again, it is known outside.
repeated()
{
    if [ "$(counter "$1" TcpRetransSegs)" -eq 0 ]; then
        : >"$SHARED/repeated"
        passed "$2, and nothing was repeated"
    else
        cat "$1" >"$SHARED/repeated"
    fi
}

# counter FILE NAME: as nstat and tlsyn ss print it; 0 where it is not there
counter()
{
    awk -v name="$2" '$1 == name { n = $2 } END { print n + 0 }' "$1"
}

case ${1:-} in
active | passive | accurate | marked | heeded)
    "$@"
    exit 0
    ;;
esac

# --- outside --------------------------------------------------------------------------------------
need_namespaces
head -c 8000000 /dev/urandom >"$scratch/file"
sum=$(sha256sum <"$scratch/file")
export sum SHARED="$scratch"
certificate ec ec -pkeyopt ec_paramgen_curve:P-256

# with_kernel_server SYSCTL EXPECTED
with_kernel_server()
{
    mkdir -p "$scratch/$1"
    "$TLSYN" lab --rtt 2ms \
        --server "sysctl -qw net.ipv4.tcp_ecn=$1; cd $scratch && exec openssl s_server -accept 4433 \
        -cert ec.pem -key ec.key -WWW >$scratch/$1/log 2>&1" -- "$self" active "$1" "$2" || exit 1
}

# with_our_server SYSCTL
with_our_server()
{
    mkdir -p "$scratch/$1"
    "$TLSYN" lab --rtt 2ms \
        --server "cd $scratch && exec $TLSYN serve . --self-signed $1/ca.pem 2>$1/log" -- \
        "$self" passive "$1" || exit 1
}

with_kernel_server 0 none
with_kernel_server 1 classic
rm -r "${scratch:?}/1"
with_our_server 1

mkdir "$scratch/ours"
"$TLSYN" lab --rtt 2ms \
    --server "cd $scratch && exec $TLSYN serve . --self-signed ours/ca.pem 2>ours/log" -- \
    "$self" accurate || exit 1

# bottleneck OPTION...: a lab whose link marks; it must have marked, and less than half of what
# passed, and dropped nothing. A machine that stands still lets queues grow, and timeouts run out.
bottleneck()
{
    again marks_and_repeats_nothing "$@" || fail "nothing was marked, or nobody slowed down: $said $(cat "$SHARED/repeated")"
    passed "$said"
}

marks_and_repeats_nothing()
{
    rm -rf "$SHARED"
    mkdir "$SHARED"
    "$TLSYN" lab --rtt 20ms --rate 20mbit --queue 400KiB --mark-queue 30KiB --direction to-client "$@" \
        2>"$scratch/lab" || fail "$(cat "$scratch/lab")"
    said=$(grep 'server to client' "$scratch/lab") || fail "$(cat "$scratch/lab")"
    is_between 1 "$(number_before "$said" marked)" $(($(number_before "$said" frames) / 2)) &&
        ! grep -q 'full queue' "$scratch/lab" && [ ! -s "$SHARED/repeated" ]
}

# kernel_slows_down SYSCTL
kernel_slows_down()
{
    SHARED=$scratch/slow-kernel-$1
    bottleneck --server "sysctl -qw net.ipv4.tcp_ecn=$1 net.ipv4.tcp_congestion_control=reno; cd $scratch
        (until [ -e $SHARED/done ]; do sleep 0.1; done; nstat -az >$SHARED/nstat; mv $SHARED/nstat $SHARED/counters) &
        exec openssl s_server -accept 4433 -cert ec.pem -key ec.key -WWW >$SHARED/log 2>&1" -- "$self" marked "$1"
}

# we_slow_down SYSCTL
we_slow_down()
{
    SHARED=$scratch/slow-ours-$1
    bottleneck --server "cd $scratch && exec $TLSYN serve . --self-signed $SHARED/ca.pem 2>$SHARED/log" -- \
        "$self" heeded "$1"
}

kernel_slows_down 1
we_slow_down 1

if ! "$TLSYN" lab -q -- sysctl -qw net.ipv4.tcp_ecn=5 2>/dev/null; then
    passed "this kernel can't be asked for AccECN"
    exit 0
fi
with_kernel_server 5 accurate
with_our_server 3
kernel_slows_down 5
we_slow_down 3
