#!/bin/sh
# ECN with the kernel's stack in both roles: RFC 3168 and, where the kernel knows it, AccECN. What
# the two have agreed on is read from our report and from the kernel's counters; bytes are compared.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl curl sha256sum sysctl nstat
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# active SYSCTL EXPECTED: `get --ecn` from the kernel's server, whose net.ipv4.tcp_ecn the
# outside has set
active()
{
    await "$SHARED/$1/log" ACCEPT
    "$TLSYN" get --ecn --json --insecure https://10.77.0.2:4433/file -o "$scratch/got" >"$scratch/json" ||
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
    curl -sS -m 60 --cacert "$SHARED/$1/ca.pem" "https://$TLSYN_PEER/file" -o "$scratch/got" 2>"$scratch/curl" ||
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
    "$TLSYN" get --ecn --json --insecure "https://$TLSYN_PEER/file" -o "$scratch/got" >"$scratch/json" ||
        fail "get --ecn: $(cat "$scratch/json")"
    grep -q '"ecn": "accurate"' "$scratch/json" || fail "not accurate: $(cat "$scratch/json")"
    [ "$(sha256sum <"$scratch/got")" = "$sum" ] || fail "other bytes"
    passed "we ask ourselves: AccECN"
}

case ${1:-} in
active | passive | accurate)
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
    "$TLSYN" lab --rtt 2ms --server "sysctl -qw net.ipv4.tcp_ecn=$1; cd $scratch && exec openssl s_server -accept 4433 \
        -cert ec.pem -key ec.key -WWW >$scratch/$1/log 2>&1" -- "$self" active "$1" "$2" || exit 1
}

# with_our_server SYSCTL
with_our_server()
{
    mkdir -p "$scratch/$1"
    "$TLSYN" lab --rtt 2ms --server "cd $scratch && exec $TLSYN serve . --self-signed $1/ca.pem 2>$1/log" -- \
        "$self" passive "$1" || exit 1
}

with_kernel_server 0 none
with_kernel_server 1 classic
rm -r "${scratch:?}/1"
with_our_server 1

mkdir "$scratch/ours"
"$TLSYN" lab --rtt 2ms --server "cd $scratch && exec $TLSYN serve . --self-signed ours/ca.pem 2>ours/log" -- \
    "$self" accurate || exit 1

if ! "$TLSYN" lab -q -- sysctl -qw net.ipv4.tcp_ecn=5 2>/dev/null; then
    passed "this kernel can't be asked for AccECN"
    exit 0
fi
with_kernel_server 5 accurate
with_our_server 3
