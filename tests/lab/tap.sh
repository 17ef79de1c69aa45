#!/bin/sh
# tlsyn serve on a TAP interface of its own, and the kernel behind it: ping, and curl with a large
# file each way.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need curl openssl ip ping cmp
self=$(realpath "$0")

inside()
{
    cd "$SHARED"
    "$TLSYN" serve www --self-signed cert.pem --upload --link tap:tl0 --address 10.99.0.2/24 2>log &
    server=$!
    trap 'kill $server' EXIT
    await log serving
    ip address add 10.99.0.1/24 dev tl0
    ping -q -c 3 -i 0.2 -W 60 10.99.0.2 >pinged || fail "ping: $(cat pinged)"
    passed "the kernel pings us through the interface"
    curl -sS --cacert cert.pem -o got https://10.99.0.2/file || fail "curl: $(cat log)"
    cmp got www/file || fail "other bytes came"
    curl -sS --cacert cert.pem -o /dev/null -T www/file https://10.99.0.2/new || fail "curl -T: $(cat log)"
    cmp www/new www/file || fail "other bytes went"
    passed "20 MB each way, unharmed"
    kill $server
    "$TLSYN" serve www --self-signed one.pem --link tap --address 10.98.0.2/24 2>one &
    server=$!
    await one serving
    "$TLSYN" serve www --self-signed two.pem --link tap --address 10.98.0.2/24 2>two &
    server="$server $!"
    await two serving
    passed "two interfaces of their own may have the same address"
    no_findings log
}

[ "${1:-}" != inside ] || { inside; exit; }
need_namespaces
[ -w /dev/net/tun ] || skip "no /dev/net/tun for this user"
mkdir "$scratch/www"
head -c 20000000 /dev/urandom >"$scratch/www/file"
export SHARED="$scratch"
"$TLSYN" lab -q -- "$self" inside || fail "see above"
