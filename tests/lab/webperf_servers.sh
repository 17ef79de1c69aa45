#!/bin/sh
# tlsyn bench webperf asks servers that are not ours, each in a laboratory of its own, all at once: nginx, openssl s_server, one
# that never answers, one that closes in the middle of the handshake, one that will not resume, and none at all; and reads
# databases that it cannot.
# shellcheck source=tests/lab/lib.sh disable=SC2015,SC2016
. "$(dirname "$0")/lib.sh"
need nginx openssl sqlite3 jq python3
need_namespaces

certificate ec ec -pkeyopt ec_paramgen_curve:prime256v1
mkdir "$scratch/www"
echo hello >"$scratch/www/index.html"
nginx_configuration "" <<END2
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:sessions:1m;
        ssl_session_tickets on;
END2
# Takes connections; on the first port it says nothing, on the second it leaves when it has read something.
cat >"$scratch/rude.py" <<END2
import socket, sys, threading
def serve(port, leave):
    listener = socket.create_server(("", port))
    kept = []
    while True:
        peer = listener.accept()[0]
        kept.append(peer)
        if leave:
            peer.recv(100)
            peer.close()
threading.Thread(target=serve, args=(443, sys.argv[1] == "leaves")).start()
END2

# A name server that never answers, and is there before what it becomes.
cat >"$scratch/mute.py" <<END2
import os, socket, sys
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("", 53))
names.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
END2

# asks NAME SERVER ADDRESS OPTION...: in the background; the database is in a folder of that name.
asks()
{
    name=$1 server=$2 address=$3
    shift 3
    # The first connections wait until the server is there.
    cat >"$scratch/$name.sh" <<END2
until ! [ "$server" ] || (exec 3<>/dev/tcp/\$TLSYN_KERNEL_PEER/443) 2>/dev/null; do sleep 0.05; done
"$TLSYN" bench webperf --url "https://$address/" --ca "$scratch/ec.pem" -n 1 -o "$scratch/$name" $*
END2
    (
        status=0
        "$TLSYN" lab -q --rtt 4ms --server "${server:-sleep 1000}" -- bash "$scratch/$name.sh" >"$scratch/$name.out" \
            2>"$scratch/$name.log" || status=$?
        echo "$status" >"$scratch/$name.status"
    ) &
}

peer='$TLSYN_KERNEL_PEER'
https="openssl s_server -quiet -accept 443 -cert $scratch/ec.pem -key $scratch/ec.key -www"
new='--modes sequential --sessions new --tls 1.3 --timeout 7s'
asks nginx "nginx -p $scratch -c nginx.conf" "$peer" --modes sequential --tls 1.2-ecdhe,1.3 --sessions new,id,ticket,psk
asks several "nginx -p $scratch -c nginx.conf" "$peer" --url "https://$peer/missing" --url "https://[2001:db8::1]/lost" --modes sequential --tls 1.3 --sessions new
asks stock "$https" "$peer" --modes sequential --tls 1.3 --sessions new,psk
asks forgetful "$https -no_ticket -no_cache" "$peer" --modes sequential --tls 1.2-ecdhe --sessions new,id,ticket
asks silent "python3 $scratch/rude.py stays" "$peer" "$new"
asks leaving "python3 $scratch/rude.py leaves" "$peer" "$new"
asks nameless "python3 $scratch/mute.py $https" "$peer" --url https://slow.example/ --dns "$peer" "$new"
asks nobody "" 10.77.0.99 "$new"
wait

# seen NAME: what became of each kind, a line each.
seen()
{
    [ "$(cat "$scratch/$1.status")" -eq 0 ] || fail "$1: it ends with $(cat "$scratch/$1.status"): $(cat "$scratch/$1.log")"
    sqlite3 "$scratch/$1/webperf.db" "SELECT trim(operation || ' ' || tls || ' ' || session), verdict FROM observation ORDER BY 1"
}

# are NAME LINES WHAT
are()
{
    seen "$1" >"$scratch/seen"
    printf '%s\n' "$2" | diff - "$scratch/seen" >"$scratch/diff" || fail "$1: $(cat "$scratch/diff") $(
        sqlite3 "$scratch/$1/webperf.db" 'SELECT operation, session, reason FROM observation'
    )"
    passed "$3"
}

are nginx 'get 1.2-ecdhe id|ok
get 1.2-ecdhe new|ok
get 1.2-ecdhe ticket|ok
get 1.3 new|ok
get 1.3 psk|ok
ping|ok
tcp|ok' "nginx resumes by ID, ticket and PSK"
[ "$(sqlite3 "$scratch/nginx/webperf.db" "SELECT DISTINCT operation = 'get', url LIKE 'https://%/', address, status FROM observation
    ORDER BY 1")" = "0|1|10.77.0.2|
1|1|10.77.0.2|200" ] || fail "who was asked is not told: $(sqlite3 "$scratch/nginx/webperf.db" 'SELECT operation, url, address, status
    FROM observation')"
passed "each observation has the server's address and the response's status"
[ "$(sqlite3 "$scratch/several/webperf.db" "SELECT replace(url, rtrim(url, replace(url, '/', '')), ''), operation, verdict, status
    FROM observation ORDER BY 1, 2")" = "|get|ok|200
|ping|ok|
|tcp|ok|
lost|get|failed|
lost|ping|failed|
lost|tcp|failed|
missing|get|refused|404
missing|ping|ok|
missing|tcp|ok|" ] || fail "two servers are not asked: $(sqlite3 "$scratch/several/webperf.db" 'SELECT url, operation, verdict, status, reason
    FROM observation')"
[ "$(grep -c 'is an IPv6 address' "$scratch/several.log")" -eq 1 ] || fail "who cannot be asked is told otherwise: $(cat "$scratch/several.log")"
jq -e '(.servers | map(.status) == [200, 404, null]) and (.cells | map(select(.refused > 0) | .url | endswith("/missing")) == [true]) and
    (.cells | map(select(.failed > 0) | .url | endswith("/lost")) == [true, true, true])' \
    "$scratch/several/webperf.json" >/dev/null || fail "servers are mixed up: $(jq -c '.servers, .cells' "$scratch/several/webperf.json")"
grep -q 'status 404' "$scratch/several.out" || fail "the status is not told: $(cat "$scratch/several.out")"
passed "several servers are asked in a round, one of which cannot be, and an error's page is none that is measured"
are stock 'get 1.3 new|ok
get 1.3 psk|ok
ping|ok
tcp|ok' "openssl s_server resumes by PSK"
are forgetful 'get 1.2-ecdhe id|refused
get 1.2-ecdhe new|ok
get 1.2-ecdhe ticket|refused
ping|ok
tcp|ok' "who will not resume is recorded as such"
jq -e '[.rows[] | select(.pairs > 0 or .cached_ms != null)] | length == 0' "$scratch/forgetful/webperf.json" >/dev/null ||
    fail "what was refused is in a figure: $(jq -c .rows "$scratch/forgetful/webperf.json")"
passed "and is in no figure"
are silent 'get 1.3 new|failed
ping|ok
tcp|ok' "a server that never answers has failed"
are leaving 'get 1.3 new|failed
ping|ok
tcp|ok' "so has one that closes in the middle of the handshake"
[ "$(sqlite3 "$scratch/nameless/webperf.db" "SELECT verdict, count(*), min(reason) FROM observation GROUP BY verdict ORDER BY 1")" = \
    "failed|3|the address of slow.example can't be found by --dns: no DNS server answered in time
ok|3|" ] || fail "a name that nobody knows: $(sqlite3 "$scratch/nameless/webperf.db" 'SELECT verdict, reason FROM observation')"
passed "a name that is not resolved in time fails in its own rows, which say so"
are nobody 'get 1.3 new|failed
ping|failed
tcp|failed' "and one that is not there"
jq -e '.environment.noise.timer_late_p50_us > 0 and (.environment.link_error | not)' "$scratch/nginx/webperf.json" >/dev/null ||
    fail "the noise is not told: $(jq -c .environment "$scratch/nginx/webperf.json")"
[ "$(sqlite3 "$scratch/nobody/webperf.db" 'SELECT count(*) FROM observation
    WHERE coalesce(connect_us, handshake_us, first_byte_us) IS NOT NULL')" -eq 0 ] || fail "what failed has times"
passed "what failed has no times, and the machine's noise is told"

# refused WORDS: the report of $scratch/nginx/webperf.db.
refused()
{
    status=0
    "$TLSYN" bench webperf report -o "$scratch/nginx" >/dev/null 2>"$scratch/log" || status=$?
    [ "$status" -eq 1 ] && grep -q "$1" "$scratch/log" || fail "\"$1\" is not said: $status, $(cat "$scratch/log")"
}
sqlite3 "$scratch/nginx/webperf.db" 'DELETE FROM observation'
refused 'there is nothing to report'
sqlite3 "$scratch/nginx/webperf.db" 'PRAGMA user_version = 3'
refused 'has version 3 of the schema'
echo 'no database at all, but some text that is long enough for one' >"$scratch/nginx/webperf.db"
refused 'not a database'
passed "no sample, another version, and what is no database are told"
