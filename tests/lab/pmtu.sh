#!/bin/sh
# Real kernels with a narrow place between: a router whose far link takes less, with its ICMP heard,
# and with it lost.
#
#     us 10.78.1.2 --- 1500 --- .1 router .1 --- 1300 --- far 10.78.2.2
#        fd78:1::2              the kernel's                 fd78:2::2
#
# Transfers with tlsyn at either end of the wide link come through whole, and long pings to us are
# answered in fragments.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
self=$(realpath "$0")
narrow=1300

# --- in a user namespace of its own ---------------------------------------------------------------
at()
{
    host=$1
    shift
    nsenter --net="/proc/$(cat "$scratch/$host.pid")/ns/net" "$@"
}

# host NAME: a network namespace that lasts as long as this test.
host()
{
    unshare -n sleep 2000 &
    echo $! >"$scratch/$1.pid"
    tries=0
    until [ "$(readlink "/proc/$!/ns/net" 2>/dev/null)" != "$(readlink /proc/self/ns/net)" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || fail "no namespace for $1"
        sleep 0.05
    done
    at "$1" ip link set lo up
}

# wire HOST A HOST B MTU
wire()
{
    ip link add "$2" mtu "$5" netns "$(cat "$scratch/$1.pid")" type veth peer name "$4" mtu "$5" \
        netns "$(cat "$scratch/$3.pid")"
    at "$1" ip link set "$2" up
    at "$3" ip link set "$4" up
}

# address HOST INTERFACE IP4 IP6
address()
{
    at "$1" ip address add "$3" dev "$2"
    at "$1" ip address add "$4" dev "$2" nodad
}

network()
{
    host us
    host router
    host far
    wire us us0 router near0 1500
    wire router far0 far eth0 "$narrow"
    address router near0 10.78.1.1/24 fd78:1::1/64
    address router far0 10.78.2.1/24 fd78:2::1/64
    address far eth0 10.78.2.2/24 fd78:2::2/64
    # It asks for longer segments than its link takes, as whoever sits behind a tunnel does.
    at far ip route add default via 10.78.2.1 advmss 1460
    at far ip route add default via fd78:2::1 advmss 1440
    at router sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    # The kernel on the wide link has no address: ours is tlsyn's own.
    at us ip link set us0 up
}

# serve NAME ADDRESS PREFIX GATEWAY: our server at the wide end; $scratch/NAME.trace tells what it
# found out about the path.
serve()
{
    nsenter --net="/proc/$(cat "$scratch/us.pid")/ns/net" "$TLSYN" serve "$scratch/www" -i us0 \
        --address "$2/$3" --gateway "$4" --self-signed "$scratch/$1.pem" --name far.test \
        --trace "$scratch/$1.trace" 2>"$scratch/$1.log" &
    server=$!
    await "$scratch/$1.log" serving
}

# fetch NAME ADDRESS IN-URL: everything comes through to the narrow end.
fetch()
{
    at far curl -sS -m 200 --cacert "$scratch/$1.pem" -o "$scratch/$1.got" "https://$3/file" \
        2>"$scratch/$1.curl" ||
        fail "$1: curl: $(cat "$scratch/$1.curl" "$scratch/$1.log")"
    cmp "$scratch/www/file" "$scratch/$1.got" || fail "$1: other bytes"
}

stop()
{
    kill "$server"
    wait "$server" || fail "the server ends with $?: $(cat "$scratch/$1.log")"
    no_findings "$scratch/$1.log"
}

# What was found out, by the trace: its words are tcp/mtu.c's, 0 a too-big, 1 a black hole, 3 a
# probe that passed.
found()
{
    grep -q "\"event\":\"tcp_mtu\".*\"mtu\":$2,\"what\":$3" "$scratch/$1.trace" ||
        fail "$1: no $2 by $3: $(grep tcp_mtu "$scratch/$1.trace" | head -n 20)"
}

# family NAME ADDRESS IN-URL PREFIX GATEWAY
family()
{
    serve "$1" "$2" "$4" "$5"
    at far ping -c 3 -i 0.2 -W 60 -s 8000 -q "$2" >"$scratch/ping" 2>&1 ||
        fail "$1: long pings: $(cat "$scratch/ping")"
    fetch "$1" "$2" "$3"
    stop "$1"
    found "$1" "$narrow" 0
    passed "$1: a transfer by the router's word, and pings of 8000 octets"

    # What the router itself says to us goes nowhere; what it forwards does.
    at router ip "$6" rule add iif lo to "$2" blackhole 2>"$scratch/rule" ||
        { echo "not shown: $1 without ICMP: $(cat "$scratch/rule")"; return; }
    serve "$1-hole" "$2" "$4" "$5"
    fetch "$1-hole" "$2" "$3"
    stop "$1-hole"
    found "$1-hole" 1280 1
    passed "$1: a transfer without a word"
}

inside()
{
    mkdir "$scratch/www"
    head -c 3000000 /dev/urandom >"$scratch/www/file"
    network
    family ip4 10.78.1.2 10.78.1.2 24 10.78.1.1 -4
    family ip6 fd78:1::2 '[fd78:1::2]' 64 fd78:1::1 -6
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need ip unshare nsenter curl ping sysctl
unshare -r -n -m -p -f --kill-child --mount-proc true 2>"$scratch/refused" ||
    skip "no namespaces: $(cat "$scratch/refused")"
unshare -r -n -m -p -f --kill-child --mount-proc "$self" inside
