#!/bin/sh
# IPv6 against the kernel, both roles: neighbour discovery, echo, TLS over TCP with curl and
# OpenSSL, and an address by a router's advertisement (dnsmasq's).
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need curl openssl ping dnsmasq cmp
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# refused WORDS COMMAND...: it ends with 1 and says so
refused()
{
    words=$1
    shift
    status=0
    timeout 120 "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq 1 ] || fail "$* ends with $status: $(cat "$scratch/err")"
    grep -q "$words" "$scratch/err" || fail "$*: $(cat "$scratch/err")"
}

echoes()
{
    ping -6 -c 3 -i 0.2 -W 60 "$TLSYN_PEER6" >"$scratch/out" ||
        fail "the kernel pings us: $(cat "$scratch/out")"
    ping -6 -c 2 -i 0.2 -W 60 -s 1300 "$TLSYN_PEER6" >"$scratch/out" ||
        fail "the kernel pings us with much: $(cat "$scratch/out")"
    "$TLSYN" ping -c 3 --interval 200ms "$TLSYN_KERNEL_PEER6" >"$scratch/out" ||
        fail "we ping the kernel: $(cat "$scratch/out")"
    "$TLSYN" ping -c 2 --interval 200ms "$TLSYN_PEER6" >"$scratch/out" ||
        fail "we ping ourselves: $(cat "$scratch/out")"
    passed "echo both ways, and the neighbour discovery before it"
}

transfers()
{
    url="https://[$TLSYN_PEER6]"
    curl -sS -g --cacert "$SHARED/ca.pem" "$url/random" -o "$scratch/got" ||
        fail "curl gets nothing"
    cmp "$scratch/got" "$SHARED/www/random" || fail "curl gets other bytes"
    curl -sS -g --cacert "$SHARED/ca.pem" -T "$SHARED/www/random" "$url/new" -o /dev/null ||
        fail "curl puts nothing"
    cmp "$SHARED/www/new" "$SHARED/www/random" || fail "curl puts other bytes"
    passed "curl from and to tlsyn serve"

    "$TLSYN" get --ca "$SHARED/ec.pem" "https://[$TLSYN_KERNEL_PEER6]:4433/random" \
        -o "$scratch/got" 2>"$scratch/err" ||
        fail "get from OpenSSL: $(cat "$scratch/err")"
    cmp "$scratch/got" "$SHARED/www/random" || fail "OpenSSL gives other bytes"
    "$TLSYN" get -v --level open --ca "$SHARED/ca.pem" "$url/random" -o "$scratch/got" \
        2>"$scratch/err" ||
        fail "get from serve: $(cat "$scratch/err")"
    cmp "$scratch/got" "$SHARED/www/random" || fail "serve gives other bytes"
    grep -q "connected to $TLSYN_PEER6 port 443" "$scratch/err" ||
        fail "whom to: $(cat "$scratch/err")"
    grep -q 'mode *embedded' "$scratch/err" || fail "not embedded: $(cat "$scratch/err")"
    "$TLSYN" connect --ca "$SHARED/ca.pem" --json "[$TLSYN_PEER6]:443" </dev/null >"$scratch/out" \
        2>"$scratch/err" ||
        fail "connect: $(cat "$scratch/err")"
    grep -q "\"address\": \"$TLSYN_PEER6\", \"port\": 443" "$scratch/out" ||
        fail "$(cat "$scratch/out")"
    "$TLSYN" get --link pcap --ca "$SHARED/ca.pem" "$url/random" -o "$scratch/got" \
        2>"$scratch/err" ||
        fail "get over pcap: $(cat "$scratch/err")"
    passed "get from OpenSSL and from serve, in a SYN and over pcap"
}

mistakes()
{
    refused 'refused the connection' "$TLSYN" get "https://[$TLSYN_KERNEL_PEER6]:9/"
    refused 'answers for it' "$TLSYN" get 'https://[fd77::99]/'
    refused 'no router leads there' "$TLSYN" get 'https://[2001:db8:9::1]/'
    refused 'another machine' "$TLSYN" ping --address "$TLSYN_KERNEL_PEER6/64" fd77::99
    refused 'is an IPv4 address' "$TLSYN" get "https://$TLSYN_KERNEL_PEER/"
    passed "mistakes are told, an address that somebody has among them"
}

autoconf()
{
    if ! grep -q advertises "$SHARED/router" 2>/dev/null; then
        echo "skipped: no router: $(cat "$SHARED/router" 2>/dev/null)"
        return
    fi
    "$TLSYN" ping --address auto6 -c 2 --interval 200ms "$TLSYN_KERNEL_PEER6" >"$scratch/out" \
        2>"$scratch/err" ||
        fail "with an address by autoconfiguration: $(cat "$scratch/err" "$SHARED/dnsmasq")"
    "$TLSYN" get --address auto6 --ca "$SHARED/ca.pem" "https://[$TLSYN_PEER6]/random" \
        -o "$scratch/got" 2>"$scratch/err" ||
        fail "get with an address by autoconfiguration: $(cat "$scratch/err")"
    cmp "$scratch/got" "$SHARED/www/random" || fail "with auto6 other bytes"
    passed "an address out of a router's prefix"
    if grep -q behind "$SHARED/router"; then
        "$TLSYN" ping --address auto6 -c 2 --interval 200ms 2001:db8::1 >"$scratch/out" \
            2>"$scratch/err" ||
            fail "through the default router: $(cat "$scratch/err")"
        passed "a way through the default router"
    fi
}

inside()
{
    TLSYN_ADDRESS=${TLSYN_ADDRESS6:?}
    export TLSYN_ADDRESS
    await "$SHARED/log" serving
    await "$SHARED/openssl" ACCEPT
    await "$SHARED/router" .
    echoes
    transfers
    mistakes
    autoconf
}

# --- in the lab's server host ---------------------------------------------------------------------
# A router needs a link-local address, which the lab's hosts are kept from making. What it leads to
# is an address of its own.
route()
{
    if ! echo 0 >"/proc/sys/net/ipv6/conf/$TLSYN_INTERFACE/addr_gen_mode"; then
        echo "the kernel's settings can't be changed" >"$SHARED/router"
        return
    fi
    behind=
    if command -v ip >/dev/null && ip -6 addr add 2001:db8::1/128 dev lo 2>/dev/null; then
        behind=', and somebody is behind it'
    fi
    dnsmasq --no-daemon --conf-file=/dev/null --user=root --pid-file= --port=0 --enable-ra --dhcp-leasefile="$SHARED/leases" \
        --interface="$TLSYN_INTERFACE" --dhcp-range=fd77::,ra-only,64,1h --ra-param="$TLSYN_INTERFACE,60,1800" \
        2>"$SHARED/dnsmasq" &
    await "$SHARED/dnsmasq" 'router advertisement on fd77::'
    echo "it advertises$behind" >"$SHARED/router"
}

serve()
{
    route 2>"$SHARED/err"
    openssl s_server -WWW -accept "[$TLSYN_KERNEL_ADDRESS6]:4433" -cert "$SHARED/ec.pem" \
        -key "$SHARED/ec.key" \
        >"$SHARED/openssl" 2>&1 &
    TLSYN_ADDRESS=${TLSYN_ADDRESS6:?}
    export TLSYN_ADDRESS
    exec "$TLSYN" serve . --upload --self-signed "$SHARED/ca.pem" 2>"$SHARED/log"
}

case ${1:-} in
inside)
    inside
    exit
    ;;
serve)
    cd "$SHARED/www"
    serve
    ;;
esac

need_namespaces
"$TLSYN" lab -q -- sh -c 'grep -q eth0 /proc/net/if_inet6' 2>/dev/null ||
    skip "the kernel has no IPv6"
export SHARED="$scratch/shared"
mkdir -p "$SHARED/www"
head -c 3000000 /dev/urandom >"$SHARED/www/random"
openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=ec \
    -addext 'subjectAltName=IP:fd77::2' -keyout "$SHARED/ec.key" -out "$SHARED/ec.pem" \
    2>"$scratch/openssl" ||
    fail "openssl makes no certificate: $(cat "$scratch/openssl")"
"$TLSYN" lab -q --rtt 2ms --server "$self serve" -- "$self" inside ||
    { cat "$SHARED/log" "$SHARED/router"; exit 1; }
no_findings "$SHARED/log"
