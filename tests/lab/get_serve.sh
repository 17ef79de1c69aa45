#!/bin/sh
# tlsyn get against tlsyn serve: every level with every version, what a capture of it shows, and
# which rights remain.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# mode ADDRESS EXPECTED OPTIONS...: how `get` with these options was opened
mode()
{
    address=$1 expected=$2
    shift 2
    status=0
    "$TLSYN" get -v --ca "$SHARED/$address.pem" "https://$address/index.html" -o "$scratch/got" \
        --no-cache "$@" \
        2>"$scratch/err" || status=$?
    [ "$status" -eq 0 ] || fail "get $* ends with $status: $(cat "$scratch/err")"
    [ "$(cat "$scratch/got")" = index ] || fail "get $* brings $(cat "$scratch/got")"
    grep -q "mode *$expected" "$scratch/err" || fail "get $*: $(cat "$scratch/err")"
}

inside()
{
    for server in 12 13 14; do
        await "$SHARED/log.$server" serving
    done
    for tls in any 1.2-ecdhe 1.3; do
        mode 10.77.0.12 'embedded: [1-9]' --tls $tls
        mode 10.77.0.12 'embedded: [1-9]' --tls $tls --level open
        mode 10.77.0.12 'sequential: nothing else was asked for' --tls $tls --level none
        mode 10.77.0.13 'sequential: the peer acknowledged only the SYN' --tls $tls
    done
    mode 10.77.0.14 'embedded: 1024 bytes rode in the SYN, 1024' --tls 1.2-rsa --level paper
    for link in afpacket:ring afpacket:plain pcap; do
        mode 10.77.0.12 'embedded: [1-9]' --link $link
    done
    "$TLSYN" connect --no-cache --tls 1.3 --ca "$SHARED/10.77.0.12.pem" 10.77.0.12 </dev/null \
        2>"$scratch/err" || fail "connect"
    grep -q 'embedded: .*, the most before the server has validated' "$scratch/err" ||
        fail "an unpadded hello can't buy the whole flight: $(cat "$scratch/err")"
    grep -q '"GET /index.html" 200 .* TLSv1.2 [a-z]* embedded syn=[1-9]' "$SHARED/log.12" ||
        fail "$(cat "$SHARED/log.12")"
    passed "embedded and sequential, as asked for, with every version, over every link"

    SSLKEYLOGFILE="$scratch/keys" "$TLSYN" get --ca "$SHARED/10.77.0.12.pem" \
        https://10.77.0.12/index.html \
        --capture "$scratch/get.pcapng" --trace "$scratch/trace" >/dev/null ||
        fail "get with a capture"
    grep -q '^CLIENT_HANDSHAKE_TRAFFIC_SECRET ' "$scratch/keys" ||
        fail "no key log: $(cat "$scratch/keys")"
    grep -q '"tcp_hook"' "$scratch/trace" ||
        fail "the trace shows no hook: $(head -n 3 "$scratch/trace")"
    if command -v tshark >/dev/null; then
        HOME=$scratch tshark -r "$scratch/get.pcapng" -T fields -e tcp.flags.str \
            -e tls.handshake.type -e http.request.uri \
            >"$scratch/fields" 2>/dev/null || fail "tshark can't read the capture"
        grep -q 'S[^A]*	1	' "$scratch/fields" ||
            fail "no ClientHello in the SYN: $(cat "$scratch/fields")"
        grep -q 'A[^A]*S[^A]*	2' "$scratch/fields" ||
            fail "no ServerHello in the SYN-ACK: $(cat "$scratch/fields")"
        grep -q '/index.html' "$scratch/fields" ||
            fail "the request is not decrypted: $(cat "$scratch/fields")"
        passed "the capture shows the handshake in SYN and SYN-ACK, and opens the request"
    fi

    "$TLSYN" serve "$SHARED/www" --self-signed "$scratch/x.pem" --address 10.77.0.12/24 \
        --link "file:$scratch/get.pcapng" --trace "$scratch/replay" 2>"$scratch/err" ||
        fail "a replay: $(cat "$scratch/err")"
    grep -q '"tcp_hook".*"readable":[1-9].*"written":[1-9]' "$scratch/replay" ||
        fail "the replayed SYN reaches no engine: $(cat "$scratch/replay")"
    passed "a capture can be replayed into a server"

    "$TLSYN" ping -c 3 --interval 20ms --json 10.77.0.12 >"$scratch/ping" ||
        fail "ping: $(cat "$scratch/ping")"
    grep -q '"received": 3' "$scratch/ping" || fail "$(cat "$scratch/ping")"
    passed "our stack answers ping, and asks"
    rights
}

# rights_of PID NAME: a line of /proc/PID/status
rights_of()
{
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# no_rights PID: fails unless the process has given up everything.
no_rights()
{
    for set in CapInh CapPrm CapEff CapAmb; do
        [ "$(rights_of "$1" $set)" = 0000000000000000 ] || fail "$set is $(rights_of "$1" $set)"
    done
    [ "$(rights_of "$1" NoNewPrivs)" = 1 ] || fail "new privileges are possible"
}

# Waits until a server of ours here serves; $pid is its process.
start()
{
    : >"$scratch/log"
    "$@" 2>"$scratch/log" >/dev/null </dev/null &
    pid=$!
    await "$scratch/log" serving
}

stop()
{
    kill "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 0 ] || fail "SIGTERM ends serve with $status: $(cat "$scratch/log")"
}

rights()
{
    chmod 711 "$scratch"
    mkdir -m 777 "$scratch/open"
    start "$TLSYN" serve "$SHARED/www" --self-signed "$scratch/open/ca.pem" --address 10.77.0.21/24
    no_rights "$pid"
    stop
    passed "every right is given up once the socket is open"

    if [ "$(id -u)" -ne 0 ] || ! grep -q '^ *0 *0 *4294967295' /proc/self/uid_map; then
        echo "not shown: other users, since this is no root of the machine"
        return
    fi
    start env SUDO_UID=65534 SUDO_GID=65534 \
        "$TLSYN" serve "$SHARED/www" --self-signed "$scratch/open/sudo.pem" --address 10.77.0.22/24
    no_rights "$pid"
    [ "$(rights_of "$pid" Uid | cut -f 1-3)" = "65534	65534	65534" ] ||
        fail "sudo stays root: $(rights_of "$pid" Uid)"
    [ "$(rights_of "$pid" Groups)" = "" ] || fail "groups stay: $(rights_of "$pid" Groups)"
    [ "$(stat -c %u "$scratch/open/sudo.pem")" = 65534 ] || fail "files belong to root"
    stop
    passed "called through sudo, it becomes the user who called"

    cp "$TLSYN" "$scratch/capable"
    if command -v setcap >/dev/null && setcap cap_net_raw+ep "$scratch/capable" 2>/dev/null; then
        ASAN_OPTIONS=detect_leaks=0 setpriv \
            --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
            --bounding-set=-all,+net_raw "$scratch/capable" get --ca "$SHARED/10.77.0.12.pem" \
            https://10.77.0.12/index.html -o "$scratch/open/got" ||
            fail "an ordinary user with setcap can't get"
        [ "$(cat "$scratch/open/got")" = index ] ||
            fail "an ordinary user gets $(cat "$scratch/open/got")"
        passed "an ordinary user needs cap_net_raw on the binary, and nothing else"
    fi
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
chmod 755 "$scratch"
mkdir "$scratch/www"
echo index >"$scratch/www/index.html"
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve www --self-signed 10.77.0.12.pem 2>log.12 &
$TLSYN serve www --self-signed 10.77.0.13.pem --address 10.77.0.13/24 --no-open 2>log.13 &
$TLSYN serve www --self-signed 10.77.0.14.pem --address 10.77.0.14/24 --paper --tls 1.2-rsa \
    2>log.14 &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers 2>$scratch/servers.log" -- "$self" inside ||
    { tail -n 3 "$scratch"/log.*; cat "$scratch/servers.log"; exit 1; }
no_findings "$scratch/log.12" "$scratch/log.13" "$scratch/log.14"
