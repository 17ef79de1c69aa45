#!/bin/sh
# tlsyn bench pageload --url: pages of nginx as pages are: a base, relative names, style sheets, data, what is missing, redirections;
# few streams at a time, connections that are closed early; and servers from which nothing comes.
# shellcheck source=tests/lab/lib.sh disable=SC2015,SC2016
. "$(dirname "$0")/lib.sh"
need nginx openssl jq
need_namespaces

certificate ec ec -pkeyopt ec_paramgen_curve:prime256v1
mkdir -p "$scratch/www/deep/pictures"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    head -c 3000 /dev/urandom >"$scratch/www/deep/pictures/$i.png"
    echo "<img src=$i.png>"
done >"$scratch/images"
cat >"$scratch/www/deep/index.html" <<END2
<!DOCTYPE html><html><head><base href="pictures/"><link rel=stylesheet href="../style.css?v=1"></head><body>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
<img src="missing.png"><img src="/moved.png"><a href="https://elsewhere.test/">no part of the page</a>
$(cat "$scratch/images")
</body></html>
END2
echo 'body { background: url("deep/pictures/background.png") }' >"$scratch/www/deep/style.css"
mkdir -p "$scratch/www/deep/deep/pictures"
echo PNG >"$scratch/www/deep/deep/pictures/background.png"
nginx_configuration http2 <<END2
        ssl_protocols TLSv1.2 TLSv1.3;
        http2_max_concurrent_streams 3;
        keepalive_requests 4;
        location = /moved.png { return 302 /deep/pictures/1.png; }
END2

# loads NAME SERVER OPTION...: the status, and $scratch/NAME/pageload.json.
loads()
{
    name=$1 server=$2
    shift 2
    cat >"$scratch/load.sh" <<END2
until ! [ "$server" ] || (exec 3<>/dev/tcp/\$TLSYN_KERNEL_PEER/443) 2>/dev/null; do sleep 0.05; done
"$TLSYN" bench pageload --url "https://\${TLSYN_KERNEL_PEER}/deep/" --ca "$scratch/ec.pem" -o "$scratch/$name" $*
END2
    status=0
    "$TLSYN" lab -q --rtt 20ms --server "${server:-sleep 1000}" -- bash "$scratch/load.sh" >"$scratch/out" 2>"$scratch/log" || status=$?
}

# that FILTER WHAT: of the last ones.
that()
{
    jq -e "$1" "$scratch/$name/pageload.json" >/dev/null ||
        fail "$2: $1: $(jq -c 'del(.loads[].events)' "$scratch/$name/pageload.json") $(cat "$scratch/log")"
    passed "$2"
}

nginx="nginx -p $scratch -c nginx.conf"
loads two "$nginx" --handshake tls1.3-embedded --visit repeat -n 1
[ "$status" -eq 0 ] || fail "it ends with $status: $(cat "$scratch/log")"
that '.loads | length == 2 and .[0].visit == "first" and .[1].visit == "repeat"' "a visit again follows a first one"
that 'all(.loads[]; .urls == 17 and .there == 16 and .failed == 1 and .passed_over == 0)' \
    "a base, a query, a redirection and a style sheet lead where they should"
that 'all(.loads[]; [.responses[] | select(.status == 404) | .url] == ["deep/pictures/missing.png"])' "what is missing is told"
that 'all(.loads[]; .reason | test("the server answered 404"))' "and why"
that '[.loads[0].events[] | select(.step == "GET")] | length >= 17' "each has a place in the waterfall"
that 'all(.loads[]; .shortest_ms >= 20)' "a request that was given up is no round trip"
that '.loads[1].full < .loads[0].full and .loads[1].resumed > 0' "who knows the page has its sessions"
grep -q '^100 %  took .*, median of 1: ' "$scratch/log" || fail "the progress has no median: $(cat "$scratch/log")"
grep -q '404' "$scratch/out" || fail "the table does not tell: $(cat "$scratch/out")"
grep -q '<svg' "$scratch/two/pageload.html" && grep -q 'missing.png' "$scratch/two/pageload.html" || fail "the report has no waterfall"
passed "the report has a waterfall"

loads one "$nginx" --http 1.1 --handshake tls1.2-sequential --visit unoptimized
[ "$status" -eq 0 ] || fail "HTTP/1.1: it ends with $status: $(cat "$scratch/log")"
that '.loads[0] | .there == 16 and .failed == 1 and .connections >= 5' "a server that closes connections early is asked on others"

loads nobody "" --stacks kernel
[ "$status" -eq 2 ] && grep -q 'leave .*--stacks' "$scratch/log" || fail "over the kernel: it ends with $status: $(cat "$scratch/log")"
passed "what a real page has no choice of is told"

status=0
"$TLSYN" bench pageload --model --ca "$scratch/ec.pem" -o "$scratch/none" >"$scratch/out" 2>"$scratch/log" || status=$?
[ "$status" -eq 2 ] && grep -q 'are of --url' "$scratch/log" || fail "--ca without --url: it ends with $status: $(cat "$scratch/log")"
passed "nor has the laboratory's page what a real one has"

loads nobody ""
[ "$status" -eq 1 ] && grep -q 'the page did not come' "$scratch/log" || fail "a server that is not there: $status, $(cat "$scratch/log")"
that '.loads[0].there == 0' "a server that is not there has given nothing"
