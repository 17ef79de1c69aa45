#!/bin/sh
# curl, by HTTP/1.1, on the kernel's stack against tlsyn serve: methods, ranges, refusals, many connections at
# once, and Fast Open.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need curl openssl cmp
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
inside()
{
    url=https://$TLSYN_PEER
    log=$SHARED/serve.log
    await "$log" serving

    await "$SHARED/serve.hasty" serving
    mkfifo "$scratch/half" "$scratch/nothing"
    talk 10.77.0.15 hasty.pem <>"$scratch/half" >"$scratch/slow" &
    slow=$!
    printf 'GET / HTTP/1.1\r\nHost: h\r\n' >"$scratch/half"
    timeout 120 openssl s_client -quiet -CAfile "$SHARED/hasty.pem" -connect 10.77.0.15:443 <>"$scratch/nothing" \
        >/dev/null 2>&1 &
    idle=$!

    ask "$url/" && is 200 && cmp -s "$body" www/index.html || fail "the index: $code"
    ask "$url/folder/random" && is 200 && cmp -s "$body" www/folder/random || fail "a file: $code"
    ask -I "$url/folder/random" && is 200 || fail "HEAD: $code"
    grep -qi "^content-length: 300000" "$head" || fail "HEAD tells no length: $(cat "$head")"
    ask -r 1000-1999 "$url/folder/random" && is 206 || fail "a range: $code"
    dd if=www/folder/random bs=1000 skip=1 count=1 2>/dev/null | cmp -s - "$body" ||
        fail "a range's bytes"
    ask -r 300000- "$url/folder/random" && is 416 || fail "a range behind the end: $code"
    ask "$url/folder" && is 301 || fail "a folder without slash: $code"
    ask -L "$url/sub" && is 200 && cmp -s "$body" www/sub/index.html ||
        fail "a folder's index: $code"
    passed "files, ranges and folders"

    ask "$url/nothing" && is 404 || fail "nothing: $code"
    ask "$url/folder/" && is 404 || fail "no listing: $code"
    ask --path-as-is "$url/../secret" && is 400 || fail "climbing: $code"
    ask --path-as-is "$url/%2e%2e/secret" && is 400 || fail "climbing in disguise: $code"
    ask "$url/out" && is 404 || fail "a link that leads outside: $code"
    ask -X DELETE "$url/index.html" && is 405 || fail "DELETE: $code"
    ask "$url/$(printf '%03000d' 0)" && is 414 || fail "a long target: $code"
    ask -H "X: $(printf '%020000d' 0)" "$url/" && is 431 || fail "a long header: $code"
    printf 'NONSENSE\r\n\r\n' | talk >"$body" && grep -q '^HTTP/1.1 [45]' "$body" ||
        fail "nonsense: $(cat "$body")"
    passed "refusals are told by their status"

    ask -T www/folder/random "$url/new" && is 201 && cmp -s www/new www/folder/random ||
        fail "PUT: $code"
    ask -T www/index.html "$url/new" && is 204 && cmp -s www/new www/index.html ||
        fail "PUT again: $code"
    ask -H 'Transfer-Encoding: chunked' -T www/folder/random "$url/new" && is 204 &&
        cmp -s www/new www/folder/random || fail "PUT in chunks: $code"
    ask -T www/folder/random "$url/nowhere/new" && is 404 || fail "PUT into no folder: $code"
    ask --path-as-is -T www/toobig "$url/../new" && is 400 || fail "PUT outside: $code"
    ask -T www/toobig "$url/toobig" && is 413 || fail "PUT of too much: $code"
    [ "$(find www -name '.*' -type f)" = "" ] ||
        fail "unfinished files stay: $(find www -name '.*' -type f)"
    passed "uploads"

    curl -sS --http1.1 --cacert "$SHARED/ca.pem" "$url/?[1-5]" -w '%{num_connects} ' -o /dev/null >"$body" ||
        fail "five requests in a row"
    [ "$(cat "$body")" = "1 0 0 0 0 " ] || fail "a connection is not kept: $(cat "$body")"
    printf 'GET / HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.0\r\n\r\n' |
        talk >"$body"
    [ "$(grep -c '^HTTP/1.1 200' "$body")" -eq 3 ] || fail "pipelined requests: $(cat "$body")"
    curl -sS --http1.1 --cacert "$SHARED/ca.pem" -Z --parallel-immediate --parallel-max 50 \
        --no-progress-meter "$url/folder/random?[1-50]" \
        -o "$scratch/many#1" || fail "fifty at once"
    [ "$(cat "$scratch"/many* | wc -c)" -eq 15000000 ] ||
        fail "fifty at once bring $(cat "$scratch"/many* | wc -c) bytes"
    passed "connections are kept, and fifty come at once"

    wait "$slow" || :
    grep -q '^HTTP/1.1 408' "$scratch/slow" || fail "half a request: $(cat "$scratch/slow")"
    wait "$idle" || [ $? -ne 124 ] || fail "an idle connection is not closed"
    passed "slow and idle clients are not waited for"

    # The first contact brings a cookie, the second uses it: nothing of curl or its kernel is ours.
    ask --tcp-fastopen "$url/" && is 200 || fail "Fast Open, first: $code"
    ask --tcp-fastopen "$url/" && is 200 || fail "Fast Open, second: $code"
    tail -n 1 "$log" | grep -q embedded || fail "Fast Open was not used: $(tail -n 2 "$log")"
    passed "a stock curl has its ClientHello taken from the SYN"
}

# ask CURL-OPTION...: $code, $body, $head
ask()
{
    body=$scratch/body head=$scratch/head
    code=$(curl -sS -m 120 --http1.1 --cacert "$SHARED/ca.pem" -D "$head" -o "$body" -w '%{http_code}' "$@")
}

is()
{
    [ "$code" = "$1" ]
}

# talk [ADDRESS CA]: what stands on stdin, and nothing else, through TLS
talk()
{
    openssl s_client -quiet -ign_eof -CAfile "$SHARED/${2:-ca.pem}" \
        -connect "${1:-$TLSYN_PEER}:443" 2>/dev/null
}

cd "${SHARED:-/}"
[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
mkdir -p "$scratch/www/folder" "$scratch/www/sub"
echo index >"$scratch/www/index.html"
echo sub >"$scratch/www/sub/index.html"
echo secret >"$scratch/secret"
ln -s ../secret "$scratch/www/out"
head -c 300000 /dev/urandom >"$scratch/www/folder/random"
head -c 2000000 /dev/zero >"$scratch/www/toobig"
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve www --upload --upload-max 1M --self-signed ca.pem 2>serve.log &
$TLSYN serve www --address 10.77.0.15/24 --timeout 1s --idle 1s --self-signed hasty.pem \
    2>serve.hasty &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/serve.log"; exit 1; }
no_findings "$scratch/serve.log" "$scratch/serve.hasty"
