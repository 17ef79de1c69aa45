#!/bin/sh
# An address by DHCP (--address dhcp): dnsmasq on the kernel's side lends one, and gets it back.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need dnsmasq
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
inside()
{
    await "$SHARED/dnsmasq" 'started'
    unset TLSYN_ADDRESS

    "$TLSYN" ping --address dhcp -c 2 "$TLSYN_KERNEL_PEER" >"$scratch/out" 2>"$scratch/err" ||
        fail "ping from a lent address: $(cat "$scratch/err")"
    grep -q ' 2 received' "$scratch/out" || fail "ping: $(cat "$scratch/out")"
    grep -q 'DHCPACK' "$SHARED/dnsmasq" || fail "the server lent nothing: $(cat "$SHARED/dnsmasq")"
    await "$SHARED/dnsmasq" 'DHCPRELEASE'
    passed "an address is lent, used and given back"

    "$TLSYN" ping --address dhcp --link pcap -c 1 "$TLSYN_KERNEL_PEER" >"$scratch/out" \
        2>"$scratch/err" ||
        fail "ping over the pcap link: $(cat "$scratch/err")"
    passed "over the pcap link too"

    kill "$(cat "$SHARED/pid")"
    await "$SHARED/dnsmasq" 'exiting on receipt of SIGTERM'
    status=0
    timeout 120 "$TLSYN" ping --address dhcp --timeout 2s -c 1 "$TLSYN_KERNEL_PEER" >"$scratch/out" \
        2>"$scratch/err" ||
        status=$?
    [ "$status" -eq 1 ] || fail "without a server ping ends with $status"
    grep -q 'no DHCP server on .* has lent an address' "$scratch/err" ||
        fail "the error: $(cat "$scratch/err")"
    passed "without a server there is one sentence about it"
}

# --- in the lab's server host ---------------------------------------------------------------------
serve()
{
    echo $$ >"$SHARED/pid"
    exec dnsmasq --no-daemon --conf-file=/dev/null --user=root --pid-file= --port=0 --bind-interfaces \
        --interface="$TLSYN_INTERFACE" --dhcp-range=10.77.0.100,10.77.0.120,255.255.255.0,2m --dhcp-authoritative \
        --dhcp-leasefile="$SHARED/leases" --log-dhcp 2>"$SHARED/dnsmasq"
}

case ${1:-} in
inside | serve)
    "$1"
    exit
    ;;
esac

need_namespaces
export SHARED="$scratch/shared"
mkdir -p "$SHARED"
"$TLSYN" lab -q --server "$self serve" -- "$self" inside || fail "see above"
