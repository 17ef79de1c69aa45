#!/bin/sh
# Mutation check: plants one deliberate bug at a time in a copy of the tree, and sees whether the
# simulator finds it, or the golden throughput what makes it slower. What stays unfound says where
# the tests are blind.
#
#     tests/mutation/run.sh [NAME...]     the table stands in docs/TESTING.md
#
# The copy and its build are kept in $WORK (default: a folder in /tmp) while it runs, and removed.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
WORK=${WORK:-$(mktemp -d "${TMPDIR:-/tmp}/tlsyn-mutation.XXXXXX")}
trap 'rm -rf "$WORK"' EXIT INT TERM
chosen=" $* "
tried=0
found=0

git -C "$source" ls-files -z --cached --others --exclude-standard |
    (cd "$source" && xargs -0 cp --parents -t "$WORK" 2>/dev/null) || :
cmake -S "$WORK" -B "$WORK/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_C_FLAGS_RELWITHDEBINFO='-O1 -g' -DTLSYN_CHECK=ON -DTLSYN_WERROR=OFF >/dev/null
ninja -C "$WORK/build" sim throughput >/dev/null

# mutate NAME SEEDS FILE FROM TO: the text FROM, which stands in FILE once, becomes TO, and that many
# seeds are to find it; "speed" in the place of their number: the throughput is.
mutate() {
    case "$chosen" in
    "  " | *" $1 "*) ;;
    *) return 0 ;;
    esac
    file=$WORK/$3
    tried=$((tried + 1))
    cp "$file" "$WORK/original"
    if ! FROM=$4 TO=$5 perl -0777 -pi -e '$n = s/\Q$ENV{FROM}\E/$ENV{TO}/; END { exit !$n }' "$file"
    then
        echo "$1: '$4' is not in $3 any more"
        return 0
    fi
    if ! ninja -C "$WORK/build" sim throughput >"$WORK/log" 2>&1; then
        echo "$1: does not compile"
        tail -5 "$WORK/log"
    elif passes "$2" >"$WORK/log" 2>&1; then
        echo "$1: NOT FOUND ($2)"
    else
        found=$((found + 1))
        echo "$1: found: $(grep -m 1 -E '^seed|Mbit/s, was|0\.[0-8][0-9]+ of|0\.9[0-4]. of' "$WORK/log");" \
            "$(grep -m 1 -o 'Assertion.*' "$WORK/log" || :)"
    fi
    cp "$WORK/original" "$file"
}

passes() {
    if [ "$1" = speed ]; then
        "$WORK/build/tests/throughput" "$WORK/tests/sim/throughput.tsv"
    else
        "$WORK/build/tests/sim" --count "$1" --stop
    fi
}

# --- TCP ------------------------------------------------------------------------------------------

mutate window-of-an-old-segment 20000 stack/tcp/ack.c \
    '(older && segment->ack == conn->snd_una)' '(older)'
mutate window-off-by-one 2000 stack/tcp/due.c \
    'uint32_t room = rest == 0 ? 0 : conn->snd_wnd - ahead;' \
    'uint32_t room = rest == 0 ? 0 : conn->snd_wnd - ahead + 1;'
mutate timer-not-set-again 2000 stack/tcp/timers.c \
    'timer_set(&conn->tcp->cx->wheel, &conn->timer, earliest(conn));' '(void)earliest;'
mutate retransmission-missed 2000 stack/tcp/retransmit.c \
    'conn->snd_rtx = conn->snd_una;' 'conn->snd_rtx = conn->snd_nxt;'
mutate fin-before-the-hole-is-filled 2000 stack/tcp/close.c \
    'if (conn->fin_seen && conn->rcv_nxt == conn->fin_seq)' 'if (conn->fin_seen)'
mutate delayed-ack-without-timer 2000 stack/tcp/recv.c \
    'timers_set(conn, TCP_DELACK, conn->tcp->cx->now + conn->tcp->cx->limits.delack);' ''
mutate no-probe-of-a-closed-window 2000 stack/tcp/due.c \
    'tcp_arm_persist(conn);' ';'
mutate hole-filled-by-one-too-many 2000 stack/tcp/recv.c \
    'len = (uint32_t)(next->to - conn->rcv_total);' \
    'len = (uint32_t)(next->to - conn->rcv_total) + 1;'

mutate refused-and-never-told 2000 stack/tcp/buffers.c \
    'if (refused && tcp_synchronized(conn))' 'if (!refused && !tcp_synchronized(conn))'
mutate no-acks-one-by-one speed stack/tcp/recv.c \
    '#define QUICK_ACKS 16' '#define QUICK_ACKS 0'
mutate a-fixed-reordering-window speed stack/tcp/rack.c \
    'r->reo_wnd_mult++;' ';'

# --- the handshake --------------------------------------------------------------------------------

mutate text-of-a-syn-not-counted 2000 stack/tcp/output.c \
    'conn->snd_nxt = conn->snd_rtx = conn->iss + 1 + len;' \
    'conn->snd_nxt = conn->snd_rtx = conn->iss + 1;'
mutate amplification-by-four 2000 stack/tcp/segment.c \
    '(3 * opening->unvalidated_in)' '(4 * opening->unvalidated_in)'
mutate syn-ack-within-the-limit-only 60000 stack/tcp/output.c \
    'tcp_amplification_left_again(conn)' 'tcp_amplification_left(conn)'
mutate window-of-a-syn-taken-as-scaled 2000 stack/tcp/handshake.c \
    'conn->snd_wnd = conn->snd_wnd_max = segment->wnd;' \
    'conn->snd_wnd = conn->snd_wnd_max = (uint32_t)segment->wnd << 4;'

echo "mutation: $found of $tried found"
test "$found" = "$tried"
