#!/bin/sh
# tlsyn ss: both ends of a connection as their processes tell of it, from inside the lab and from
# without; and which sockets and folders it has nothing to do with.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need jq
self=$(realpath "$0")

# ss OPTION...: its table or its lines, in $scratch/ss; fails unless it ends well
ss()
{
    "$TLSYN" ss "$@" >"$scratch/ss" 2>"$scratch/err" ||
        fail "ss $*: $(cat "$scratch/ss" "$scratch/err")"
}

# shown PATTERN: in what ss printed last
shown()
{
    grep -Eq "$1" "$scratch/ss" || fail "no \"$1\" in $(cat "$scratch/ss")"
}

# said FILTER EXPECTED: of the lines that ss --json printed last, by jq
said()
{
    found=$(jq -r -s "$1" "$scratch/ss") || fail "jq can't read $(cat "$scratch/ss")"
    [ "$found" = "$2" ] || fail "$1 is $found, not $2: $(cat "$scratch/ss")"
}

# sockets: how many there are
sockets()
{
    find "$XDG_RUNTIME_DIR/tlsyn" -type s | wc -l
}

# Waits until there are so many connections, on which nothing is on its way.
await_connections()
{
    soon established "$1" || fail "not $1 connections: $(cat "$scratch/ss")"
}

established()
{
    ss
    [ "$(grep -c "^tcp  *ESTABLISHED *0 *0 " "$scratch/ss")" -eq "$1" ]
}

# --- in the lab's client host ---------------------------------------------------------------------
inside()
{
    await "$SHARED/log" serving
    mkfifo "$scratch/input"
    "$TLSYN" connect --ca "$SHARED/ca.pem" "$TLSYN_PEER:443" <"$scratch/input" >/dev/null \
        2>"$scratch/connect" &
    client=$!
    exec 9>"$scratch/input"
    await "$scratch/connect" connected
    await_connections 2
    ours=${TLSYN_ADDRESS%/*}
    shown "^tcp +ESTABLISHED +0 +0 +$ours:[0-9]+ +$TLSYN_PEER:443 +connect,pid=$client$"
    shown "^tcp +ESTABLISHED +0 +0 +$TLSYN_PEER:443 +$ours:[0-9]+ +serve,pid=[0-9]+$"
    ss -s
    shown '^connections +1 \(being opened 0, established 1, '
    shown '^TcpExtTCPAdmitOpen +1$'
    ss
    ! grep -q LISTEN "$scratch/ss" || fail "listeners were not asked for: $(cat "$scratch/ss")"
    passed "both ends are shown, with their addresses"

    ss -i
    [ "$(grep -c 'cubic wscale:[0-9]*,[0-9]* rto:[0-9.]* rtt:[0-9.]*/[0-9.]*.* pmtu:1500 mss:[0-9]* .*cwnd:[0-9]* .*bytes_acked:[1-9]' \
        "$scratch/ss")" -eq 2 ] || fail "details are missing: $(cat "$scratch/ss")"
    ss -l
    shown "^tcp +LISTEN +0 +[1-9][0-9]* +$TLSYN_PEER:443 +\*:\* +serve,pid="
    ! grep -q ESTABLISHED "$scratch/ss" ||
        fail "connections were not asked for: $(cat "$scratch/ss")"
    ss --counters "$client"
    shown '^#connect,pid='
    shown '^TcpActiveOpens +1$'
    shown '^TcpInSegs +[1-9]'
    ! grep -q 'serve\|TcpPassiveOpens' "$scratch/ss" || fail "the other process was not asked for"
    passed "details, listeners and counters, each when asked for"

    ss --json
    said '[.[] | select(.what == "connection" and .state == "ESTABLISHED")] | length' 2
    said '[.[] | select(.what == "connection" and .active)][0] | .remote, .remote_port, (.srtt_ms > 0), .mss > 500' \
        "$TLSYN_PEER
443
true
true"
    said '([.[] | select(.what == "connection") | .bytes_acked] | sort) == ([.[] | select(.what == "connection") | .bytes_received] | sort)' true
    said '[.[] | select(.what == "process") | .command] | sort | join(" ")' 'connect serve'
    ss --json -l --counters
    said '[.[] | select(.what == "listener")] | length' 1
    said '[.[] | select(.what == "counter" and .name == "TcpPassiveOpens")] | map(.value)[0]' 1
    passed "the JSON lines say the same"

    [ "$(sockets)" -eq 2 ] || fail "not two sockets: $(ls -la "$XDG_RUNTIME_DIR/tlsyn")"
    [ "$(stat -c %a "$XDG_RUNTIME_DIR/tlsyn")" = 700 ] || fail "the folder is open to others"
    ! find "$XDG_RUNTIME_DIR/tlsyn" -type s ! -perm 600 | grep . ||
        fail "a socket is open to others"
    "$TLSYN" ss "$client" 99999999 >"$scratch/ss" 2>"$scratch/err" &&
        fail "a process that isn't there was found"
    grep -q 'no tlsyn command.*99999999' "$scratch/err" || fail "$(cat "$scratch/err")"
    shown "pid=$client"

    kill -9 "$client"
    wait "$client" || :
    exec 9>&-
    [ "$(sockets)" -eq 2 ] || fail "who was killed has left no socket"
    ss
    [ "$(sockets)" -eq 1 ] ||
        fail "what a dead process left is still there: $(ls -la "$XDG_RUNTIME_DIR/tlsyn")"
    passed "what a dead process has left is taken away"

    sockets_too
    "$TLSYN" ping -c 1 "$TLSYN_PEER" >/dev/null || fail "ping"
    [ "$(sockets)" -eq 1 ] ||
        fail "a socket outlives its command: $(ls -la "$XDG_RUNTIME_DIR/tlsyn")"
    passed "a command that ends takes its socket along"
    untrusted
}

# A program that uses our sockets is shown as a command is.
sockets_too()
{
    examples=$(dirname "$TLSYN")/examples
    [ -x "$examples/echo_server" ] || return 0
    "$examples/echo_server" eth0 "${TLSYN_ADDRESS%/*}/24" 7 2>"$scratch/echo" &
    server=$!
    soon listens "$server" || fail "the echo server is not shown: $(cat "$scratch/ss" "$scratch/echo")"
    shown "^tcp +LISTEN .*:7 +\*:\* +echo_server,pid=$server$"
    kill -9 "$server"
    wait "$server" || :
    ss
    passed "a program that uses sockets is shown too"
    datagrams_too
}

# Datagram sockets are shown as ss(8) shows them: without a peer when asked for.
datagrams_too()
{
    "$TLSYN" run -- python3 -c '
import socket, sys, time
bound, connected = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2))
bound.bind(("127.0.0.1", 5300))
bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
connected.connect(("127.0.0.1", 5300))
for i in range(20):
    connected.send(b"x")
time.sleep(60)' 2>"$scratch/datagrams" &
    server=$!
    soon listens "$server" || fail "no datagram socket: $(cat "$scratch/ss" "$scratch/datagrams")"
    soon refuses "$server" || fail "no drops: $(cat "$scratch/ss")"
    shown '^udp +UNCONN +[1-9][0-9]* +0 +127.0.0.1:5300 +\*:\* '
    ! grep -q ESTAB "$scratch/ss" || fail "connected sockets were not asked for"
    ss -u
    shown "^ESTAB +0 +0 +127.0.0.1:[0-9]+ +127.0.0.1:5300 +python3,pid=$server$"
    ! grep -q 'UNCONN\|Netid' "$scratch/ss" || fail "what has no peer was not asked for"
    ss -t
    ! grep -q "$server" "$scratch/ss" || fail "datagrams were not asked for: $(cat "$scratch/ss")"
    ss --json -ua "$server"
    said '[.[] | select(.what == "udp") | .state] | sort | join(" ")' 'ESTAB UNCONN'
    said '[.[] | select(.state == "UNCONN") | .drops > 0 and .datagrams_in == 20][0]' true
    kill -9 "$server"
    wait "$server" || :
    ss
    passed "datagram sockets are shown, and what they had no room for"
}

refuses()
{
    ss -ial "$1"
    grep -q ' drops:[1-9]' "$scratch/ss" && ss -l "$1"
}

listens()
{
    ss -l
    grep -q "pid=$1\$" "$scratch/ss"
}

# No command of ours goes into a folder that others may have prepared, and none fails for it.
untrusted()
{
    XDG_RUNTIME_DIR=$scratch/run
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    mkdir -m 777 "$XDG_RUNTIME_DIR/tlsyn"
    refused "a folder open to others"
    rmdir "$XDG_RUNTIME_DIR/tlsyn"
    mkdir -m 700 "$scratch/elsewhere"
    ln -s "$scratch/elsewhere" "$XDG_RUNTIME_DIR/tlsyn"
    refused "a symbolic link"
    [ -z "$(ls -A "$scratch/elsewhere")" ] || fail "something was made behind the link"
    rm "$XDG_RUNTIME_DIR/tlsyn"
    mkdir -m 700 "$XDG_RUNTIME_DIR/tlsyn"
    if chown 65534 "$XDG_RUNTIME_DIR/tlsyn" 2>/dev/null; then
        refused "another user's folder"
    fi
}

refused()
{
    "$TLSYN" ping -c 1 "$TLSYN_PEER" >/dev/null || fail "$1: ping fails for it"
    status=0
    "$TLSYN" ss >"$scratch/ss" 2>"$scratch/err" || status=$?
    [ "$status" -eq 1 ] && grep -q 'run/tlsyn is not believed' "$scratch/err" ||
        fail "$1: ss ends with $status: $(cat "$scratch/err")"
    [ -z "$(ls -A "$XDG_RUNTIME_DIR/tlsyn")" ] || fail "$1: something was put there"
    passed "$1 is refused"
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
echo index >"$scratch/index.html"
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "cd $scratch && exec $TLSYN serve . --self-signed ca.pem 2>log" \
    -- "$self" inside ||
    exit 1
no_findings "$scratch/log"
[ "$(sockets)" -le 1 ] || fail "sockets are left: $(ls -la "$XDG_RUNTIME_DIR/tlsyn")"

# Another run of this test has one now and then.
no_folder_of_nobody()
{
    [ -z "$(find /tmp -maxdepth 1 -name 'tlsyn-control-*' -user 65534)" ]
}

# A lab of an ordinary user: root in there, himself out here.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$scratch"
    mkdir -m 777 "$scratch/open"
    cp "$TLSYN" "$scratch/tlsyn"
    nobody="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all"
    unset XDG_RUNTIME_DIR
    # shellcheck disable=SC2086
    if (cd / && $nobody "$scratch/tlsyn" lab -q -- true) 2>/dev/null; then
        (cd / && exec $nobody "$scratch/tlsyn" lab -q -- "$scratch/tlsyn" serve "$scratch/open" \
            --self-signed \
            "$scratch/open/ca.pem") 2>"$scratch/log.nobody" &
        lab=$!
        await "$scratch/log.nobody" serving
        (cd / && $nobody "$scratch/tlsyn" ss -l) >"$scratch/ss" 2>"$scratch/err" ||
            fail "ss: $(cat "$scratch/err")"
        kill "$lab"
        wait "$lab" || :
        shown '^tcp +LISTEN .* serve,pid=[1-9]'
        (cd / && $nobody "$scratch/tlsyn" ss) >/dev/null # takes the socket away, and the folder
        soon no_folder_of_nobody || fail "a folder is left: $(ls -ld /tmp/tlsyn-control-*)"
        passed "an ordinary user sees what runs in his lab"
    fi
fi
