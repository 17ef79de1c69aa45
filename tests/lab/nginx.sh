#!/bin/sh
# tlsyn get against nginx on the kernel's stack: bodies of all kinds, redirects, errors; and
# embedded, against a server that was not changed, where its kernel takes data in SYNs
# (net.ipv4.tcp_fastopen).
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need nginx openssl cmp
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# ask EXPECTED-STATUS GET-OPTION...: $scratch/got, $scratch/err
ask()
{
    expected=$1
    shift
    status=0
    rm -f "$scratch/got"
    "$TLSYN" get --ca "$SHARED/ec.pem" -o "$scratch/got" "$@" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$expected" ] || fail "get $* ends with $status: $(cat "$scratch/err")"
}

inside()
{
    url=https://$TLSYN_KERNEL_PEER
    soon "$TLSYN" get --ca "$SHARED/ec.pem" -o /dev/null "$url/" 2>"$scratch/err" || fail "nginx does not answer: $(cat "$scratch/err")"
    for name in empty index.html random; do
        ask 0 "$url/$name"
        cmp "$scratch/got" "$SHARED/www/$name" || fail "$name arrived with other bytes"
    done
    ask 0 "$url/random" --link pcap
    cmp "$scratch/got" "$SHARED/www/random" || fail "over pcap, other bytes arrived"
    "$TLSYN" get --ca "$SHARED/ec.pem" "$url/random" | cmp - "$SHARED/www/random" ||
        fail "to a pipe"
    ask 0 "$url/chunked/big.html" -v
    grep -qi '^transfer-encoding: chunked' "$scratch/err" ||
        fail "that came in no chunks: $(cat "$scratch/err")"
    passed "bodies of every size, in chunks, into a file and a pipe"

    ask 5 "$url/moved"
    grep -q -- '--location' "$scratch/err" || fail "no hint at --location: $(cat "$scratch/err")"
    [ ! -e "$scratch/got" ] || fail "an error leaves a file"
    ask 0 -L "$url/moved"
    cmp "$scratch/got" "$SHARED/www/random" || fail "a redirect leads to other bytes"
    ask 5 -L "$url/loop"
    grep -q 'more than 10 redirects' "$scratch/err" || fail "$(cat "$scratch/err")"
    ask 5 -L "$url/downgrade"
    grep -q 'away from https' "$scratch/err" || fail "$(cat "$scratch/err")"
    ask 5 "$url/nothing"
    grep -q '404 Not Found' "$scratch/err" || fail "$(cat "$scratch/err")"
    [ -z "$(find "$scratch" -name '*part*')" ] || fail "unfinished files stay"
    passed "redirects and errors"

    ask 0 -v "$url/random"
    if [ -e "$SHARED/fastopen" ]; then
        grep -q 'mode *embedded' "$scratch/err" || fail "not embedded: $(cat "$scratch/err")"
        passed "a stock nginx takes the ClientHello from the SYN"
    else
        grep -q 'mode *sequential: the peer acknowledged only the SYN' "$scratch/err" ||
            fail "$(cat "$scratch/err")"
        passed "the mode that was used is told, and why"
    fi
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
mkdir "$scratch/www" "$scratch/www/chunked"
: >"$scratch/www/empty"
echo index >"$scratch/www/index.html"
head -c 3000000 /dev/urandom >"$scratch/www/random"
head -c 1000000 /dev/zero >"$scratch/www/chunked/big.html"
nginx_configuration fastopen=64 <<'END'
        location = /moved { return 301 /random; }
        location = /loop { return 302 https://$host/loop; }
        location = /downgrade { return 302 http://$host/random; }
        location /chunked/ { ssi on; }
END
# The server's kernel takes data in a SYN without a cookie (0x200), as a server (2).
cat >"$scratch/server" <<END
echo 0x603 >/proc/sys/net/ipv4/tcp_fastopen 2>/dev/null && : >$scratch/fastopen
exec nginx -p $scratch -c nginx.conf
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/server 2>$scratch/server.log" -- "$self" inside ||
    { cat "$scratch/server.log" "$scratch/error.log"; exit 1; }
