#!/bin/sh
# HTTP/2 at tlsyn serve: curl, nghttp and h2load of nghttp2 fetch, upload, ask for many things at once; what a client may not do.
# And tlsyn get by HTTP/2, of ours and of nginx.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need curl cmp nghttp h2load nginx openssl
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
inside()
{
    url=https://$TLSYN_PEER
    await "$SHARED/serve.log" serving

    ask "$url/" && is 200 && cmp -s "$body" www/index.html || fail "the index: $code"
    tail -n 1 "$SHARED/serve.log" | grep -q ' h2$' || fail "HTTP/2 is not chosen: $(tail -n 1 "$SHARED/serve.log")"
    ask -I "$url/random" && is 200 && grep -qi '^content-length: 3000000' "$head" || fail "HEAD: $code"
    ask -r 1000-1999 "$url/random" && is 206 && [ "$(wc -c <"$body")" -eq 1000 ] || fail "a range: $code"
    ask "$url/nothing" && is 404 || fail "nothing: $code"
    ask -X DELETE "$url/index.html" && is 405 || fail "DELETE: $code"
    ask "$url/$(printf '%03000d' 0)" && is 414 || fail "a long target: $code"
    ask -H "X: $(printf '%020000d' 0)" "$url/" && is 431 || fail "too many fields: $code"
    ask --http1.1 "$url/" && is 200 && ! tail -n 1 "$SHARED/serve.log" | grep -q ' h2$' ||
        fail "HTTP/1.1 where the client wants it: $code"
    passed "curl asks by HTTP/2 what it asks by HTTP/1.1"

    ask -T www/random "$url/new" && is 201 && cmp -s www/new www/random || fail "PUT: $code"
    ask -T www/toobig "$url/toobig" && is 413 || fail "PUT of too much: $code"
    [ "$(find www -name '.*' -type f)" = "" ] || fail "unfinished files stay: $(find www -name '.*' -type f)"
    passed "uploads"

    # shellcheck disable=SC2046
    curl -sS --http2 --cacert "$SHARED/ca.pem" -Z --parallel-max 50 --no-progress-meter "$url/random?[1-20]" \
        -w '%{num_connects}\n' -o "$scratch/many#1" >"$scratch/connects" || fail "twenty at once"
    [ "$(cat "$scratch"/many* | wc -c)" -eq 60000000 ] || fail "twenty at once bring $(cat "$scratch"/many* | wc -c) bytes"
    cmp -s "$scratch/many7" www/random || fail "one of twenty at once is another file"
    [ "$(awk '{ n += $1 } END { print n }' "$scratch/connects")" -lt 20 ] || fail "each has a connection of its own"
    passed "twenty files of 3 MB side by side"

    h2load -n 3000 -c 10 -m 100 "$url/index.html" >"$scratch/load" 2>&1 || fail "h2load ends with $?"
    grep -q '3000 succeeded, 0 failed, 0 errored' "$scratch/load" || fail "h2load: $(cat "$scratch/load")"
    passed "3000 requests, a hundred at a time on each of ten connections"

    # nghttp knows what a page refers to, and fetches it.
    nghttp -nas -H ':authority: www.page.test' "https://10.77.0.15/F1.html" >"$scratch/nghttp" 2>&1 || fail "nghttp ends with $?"
    [ "$(grep -c ' 200 \| 302 ' "$scratch/nghttp")" -ge 10 ] || fail "nghttp: $(cat "$scratch/nghttp")"
    passed "nghttp fetches a frame and what it refers to"

    get ca.pem "$url/random" && cmp -s "$scratch/got" www/random || fail "tlsyn get: $(cat "$scratch/err")"
    grep -q '^HTTP/2 200$' "$scratch/err" || fail "not by HTTP/2: $(cat "$scratch/err")"
    get ca.pem "$url/nothing" && fail "nothing is there"
    grep -q 'answered 404 Not Found' "$scratch/err" || fail "nothing, by HTTP/2: $(cat "$scratch/err")"
    get ec.pem "https://$TLSYN_KERNEL_PEER/random" && cmp -s "$scratch/got" www/random || fail "of nginx: $(cat "$scratch/err")"
    grep -q '^HTTP/2 200$' "$scratch/err" && grep -qi '^server: nginx' "$scratch/err" ||
        fail "of nginx not by HTTP/2: $(cat "$scratch/err")"
    get ec.pem "https://$TLSYN_KERNEL_PEER/turn" -L && cmp -s "$scratch/got" www/index.html ||
        fail "a redirection of nginx: $(cat "$scratch/err")"
    passed "tlsyn get by HTTP/2, of ours and of nginx"

    printf 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense that is no frame' |
        timeout 120 openssl s_client -quiet -alpn h2 -CAfile "$SHARED/ca.pem" -connect "$TLSYN_PEER:443" >/dev/null 2>&1
    [ $? -ne 124 ] || fail "nonsense keeps a connection open"
    mkfifo "$scratch/nothing"
    timeout 120 openssl s_client -quiet -alpn h2 -CAfile "$SHARED/page.pem" -connect 10.77.0.15:443 <>"$scratch/nothing" >/dev/null 2>&1
    [ $? -ne 124 ] || fail "an idle connection is not closed"
    passed "nonsense and idle connections end"
}

# get CA URL OPTION...: $scratch/got, $scratch/err
get()
{
    ca=$1
    shift
    timeout 120 "$TLSYN" get -v --http 2 --ca "$SHARED/$ca" -o "$scratch/got" "$@" 2>"$scratch/err"
}

# ask CURL-OPTION...: $code, $body, $head
ask()
{
    body=$scratch/body head=$scratch/head
    code=$(curl -sS -m 120 --cacert "$SHARED/ca.pem" -D "$head" -o "$body" -w '%{http_code}' "$@")
}

is()
{
    [ "$code" = "$1" ]
}

cd "${SHARED:-/}"
[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
mkdir -p "$scratch/www"
echo index >"$scratch/www/index.html"
head -c 3000000 /dev/urandom >"$scratch/www/random"
head -c 6000000 /dev/zero >"$scratch/www/toobig"
certificate ec ec -pkeyopt ec_paramgen_curve:prime256v1
nginx_configuration http2 <<'END'
        location /turn { return 302 /index.html; }
END
cat >"$scratch/servers" <<END
cd $scratch
nginx -p $scratch -c nginx.conf &
$TLSYN serve www --upload --upload-max 5M --self-signed ca.pem 2>serve.log &
$TLSYN serve --page typical --address 10.77.0.15/24 --timeout 1s --idle 1s --self-signed page.pem 2>page.log &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers" -- "$self" inside ||
    { tail -n 30 "$scratch/serve.log"; exit 1; }
no_findings "$scratch/serve.log" "$scratch/page.log"
