#!/bin/sh
# The lab's link does to the kernels' packets what it was asked to. Times are only compared with
# each other, and with what no noise can undercut: the delay asked for.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need ping awk
need_namespaces

# echoes LAB-OPTION... -- PING-OPTION...: pings the server; ping's output to $scratch/ping, the
# lab's to $scratch/lab. An answer may be as late as the machine is busy.
echoes()
{
    options=
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # options are words
    "$TLSYN" lab $options -- ping "$@" 10.77.0.2 >"$scratch/ping" 2>"$scratch/lab" || true
}

# The smallest round trip of the last echoes, in microseconds: the least disturbed one.
fastest()
{
    sed -n 's/.* time=\([0-9.]*\) ms.*/\1/p' "$scratch/ping" | sort -n |
        awk 'NR == 1 { printf "%d\n", $1 * 1000 }'
}

answers()
{
    grep -c ' time=' "$scratch/ping" || true
}

# Who was answered, in order of arrival.
sequence()
{
    sed -n 's/.*icmp_seq=\([0-9]*\) .*time=.*/\1/p' "$scratch/ping"
}

# direction NAME: the line that the lab printed about it.
direction()
{
    grep "$1:" "$scratch/lab" || fail "the lab says nothing about $1: $(cat "$scratch/lab")"
}

# delays: whether the best of ten come at their times, each.
delays()
{
    echoes --rtt 0 -- -c 10 -i 0.02
    none=$(fastest)
    echoes --rtt 20ms -- -c 10 -i 0.02
    twenty=$(fastest)
    echoes --rtt 60ms -- -c 10 -i 0.02
    sixty=$(fastest)
    if [ "$twenty" -lt 20000 ] || [ "$sixty" -lt 60000 ]; then
        fail "links of 20 and 60 ms take $twenty and $sixty us"
    fi
    [ "$none" -lt 20000 ] && [ "$twenty" -lt 40000 ] && [ "$sixty" -lt 80000 ]
}
again delays || fail "round trips of 0, 20 and 60 ms take $none, $twenty and $sixty us"
passed "round trips of 0, 20 and 60 ms take $none, $twenty and $sixty us"

# loses SEED: how many of 400, sent in one go, or the kernel would ask for the address once more among them.
loses()
{
    echoes --loss 20% --direction to-server --seed "$1" -- -c 400 -l 400 -i 0.002
}

loses 7
sequence >"$scratch/first"
got=$(answers)
lost=$(number_before "$(direction 'client to server')" lost)
is_between 50 "$lost" 120 || fail "20 % of some 400 frames are $lost"
is_between 400 $((got + lost)) 402 || fail "$got answers, $lost lost of 400"
[ "$(number_before "$(direction 'server to client')" lost)" -eq 0 ] ||
    fail "lost in both directions"
loses 7
sequence | cmp -s - "$scratch/first" || fail "the same seed loses other packets"
loses 8
! sequence | cmp -s - "$scratch/first" || fail "another seed loses the same packets"
passed "20 % loss: $lost of 400, the same ones with the same seed"

# Sent in one go, or ping would wait for the answers.
echoes --rtt 20ms --reorder 30% --direction to-server --seed 3 -- -c 100 -l 100 -i 0.002
[ "$(answers)" -eq 100 ] || fail "$(answers) of 100 came through a link that only reorders"
! sequence | sort -nc 2>/dev/null || fail "30 % reordering left the order as it was"
echoes --rtt 20ms --jitter 5ms -- -c 100 -l 100 -i 0.002
sequence | sort -nc || fail "jitter changed the order"
[ "$(fastest)" -ge 20000 ] || fail "jitter took delay away"
passed "reordering reorders, jitter does not"

echoes --duplicate 100% --direction to-client -- -c 20 -i 0.01
[ "$(grep -c DUP "$scratch/ping")" -ge 19 ] ||
    fail "20 duplicated answers: $(tail -2 "$scratch/ping")"
passed "duplicates arrive"

echoes --corrupt 40% --direction to-server --seed 5 -- -c 200 -i 0.002
hurt=$(number_before "$(direction 'client to server')" corrupted)
is_between 40 "$hurt" 120 || fail "40 % of 200 are $hurt"
[ "$(answers)" -le $((202 - hurt)) ] ||
    fail "$hurt packets were damaged and $(answers) of 200 answered"
! grep -i 'wrong data' "$scratch/ping" || fail "damage went unseen"
passed "$hurt of 200 packets were damaged, and the kernel saw it"

# rates: whether small packets, the best of twenty, take a quarter of what large ones do.
rates()
{
    echoes --rate 1mbit -- -c 5 -i 0.1 -s 1400
    large=$(fastest)
    echoes --rate 1mbit -- -c 20 -i 0.1 -s 64
    small=$(fastest)
    [ "$large" -ge 23000 ] || fail "1442 octets at 1 Mbit/s take $large us there and back"
    [ "$large" -gt $((4 * small)) ]
}
again rates || fail "at 1 Mbit/s, 1442 octets take $large us there and back, 106 octets $small us"
echoes --rate 200kbit --queue 4000 -- -c 30 -l 30 -i 0.002 -s 1000
[ "$(number_before "$(direction 'client to server')" dropped)" -ge 10 ] ||
    fail "a full queue dropped nothing"
passed "1 Mbit/s takes $large us for large packets and $small us for small ones; a full queue drops"

echoes --mtu 1000 -- -c 1 -W 60 -M 'do' -s 972
[ "$(answers)" -eq 1 ] || fail "1000 octets don't fit into an MTU of 1000"
echoes --mtu 1000 -- -c 1 -W 1 -M 'do' -s 973
[ "$(answers)" -eq 0 ] || fail "1001 octets fit into an MTU of 1000"
passed "the MTU holds"

# shellcheck disable=SC2016 # expanded in there
own=$(env -u TLSYN_CACHE "$TLSYN" lab -q -- sh -c 'echo "$TLSYN_CACHE"; echo x >"$TLSYN_CACHE/x"')
if [ -z "$own" ] || [ "$own" = "$TLSYN_CACHE" ]; then
    fail "a lab has no cache of its own: '$own'"
fi
[ ! -e "$own" ] || fail "a lab leaves its cache behind: $(ls -l "$own")"
# shellcheck disable=SC2016
[ "$("$TLSYN" lab -q -- sh -c 'echo "$TLSYN_CACHE"')" = "$TLSYN_CACHE" ] ||
    fail "a lab does not remember where it is told to"
passed "what is learnt in a lab ends with it, unless it is told where it goes"

# The command waits for the end of the server's shell, which the lab has not taken notice of then.
cat >"$scratch/until_it_ends" <<'END'
until [ -s "$1" ]; do sleep 0.05; done
while grep -q 'State:[[:space:]]*[^Z[:space:]]' "/proc/$(cat "$1")/status" 2>/dev/null; do sleep 0.05; done
END
status=0
"$TLSYN" lab -q --server "echo \$\$ >$scratch/pid; no-such-server" -- timeout 60 sh "$scratch/until_it_ends" "$scratch/pid" \
    2>"$scratch/lab" || status=$?
[ "$status" -eq 1 ] && grep -q 'the server could not be started' "$scratch/lab" ||
    fail "a server that is not there: $status: $(cat "$scratch/lab")"
passed "that a server could not be started is said, and no success"
