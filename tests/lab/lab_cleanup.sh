#!/bin/bash
# However a lab ends, nothing of it stays: no process, no namespace.
. "$(dirname "$0")/lib.sh"
need_namespaces
set -m # background jobs are process groups, as at a terminal, and don't ignore SIGINT

mark=LAB_CLEANUP_MARK=$$-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')

# All that a lab started here has our mark in its environment. `script` runs in it: it leaves the
# names of its namespaces in a file, and, when somebody holds them, children that don't go by themselves.
# shellcheck disable=SC2016 # expanded in there
script='readlink /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/mnt >"$NAMES.new" && mv "$NAMES.new" "$NAMES"
    until [ -e "$NAMES.held" ]; do sleep 0.05; done
    (trap "" INT TERM HUP; sleep 1000) & setsid sleep 1000 &'

start_lab()
{
    rm -f "$scratch"/names*
    env "$mark" NAMES="$scratch/names" "$TLSYN" lab --rtt 2ms \
        --server "$script wait" -- sh -c "$script $1" >"$scratch/out" 2>&1 &
    lab=$!
}

# Until the script in the lab has run. The numbers of namespaces that are gone are the next ones': here they are not, for
# who opens one keeps it.
await_script()
{
    soon test -e "$scratch/names" || fail "the lab's command does not start: $(cat "$scratch/out")"
    for pid in $(marked); do
        if readlink "/proc/$pid/ns/net" | grep -qxF -f "$scratch/names"; then
            # Any of the lab's processes may end just now.
            { exec 3<"/proc/$pid/ns/net" 4<"/proc/$pid/ns/pid" 5<"/proc/$pid/ns/mnt"; } 2>/dev/null || true
        fi
    done
    : >"$scratch/names.held"
}

# marked: the processes that have our mark.
marked()
{
    grep -lz "^$mark\$" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}

# end_is STATUS WHAT: waits for the lab.
end_is()
{
    status=0
    wait "$lab" 2>/dev/null || status=$?
    [ "$status" -eq "$1" ] || fail "$2: exit status $status instead of $1: $(cat "$scratch/out")"
}

leftovers()
{
    marked
    [ -e "$scratch/names" ] || return 0
    grep -lF -f "$scratch/names" /proc/[0-9]*/mountinfo 2>/dev/null || true
    find /proc/[0-9]*/ns -printf '%p is %l\n' 2>/dev/null | grep -F -f "$scratch/names" || true
}

# The kernel tears a killed PID namespace down on its own time.
nothing_stays()
{
    soon nothing_left || fail "after $1 there is still: $left"
    exec 3<&- 4<&- 5<&-
    passed "nothing stays after $1"
}

nothing_left()
{
    left=$(leftovers)
    [ -z "$left" ]
}

# Without this the rest could not fail.
start_lab 'wait'
await_script
[ -n "$(leftovers)" ] || fail "a running lab is not seen"
kill -KILL "$lab"
end_is 137 'kill -9 of the caller'
nothing_stays 'kill -9 of the caller'

start_lab 'exit 0'
await_script
end_is 0 'success'
nothing_stays 'success'

start_lab 'exit 3'
await_script
end_is 3 'failure'
nothing_stays 'failure'

start_lab 'kill -KILL $$'
await_script
end_is 137 'a killed command'
nothing_stays 'a killed command'

start_lab 'wait'
await_script
kill -INT -- "-$lab" # Ctrl-C goes to the process group
end_is 130 'Ctrl-C'
nothing_stays 'Ctrl-C'

start_lab 'wait'
await_script
kill -TERM "$lab" # to the caller alone; it passes it on
end_is 143 'SIGTERM'
nothing_stays 'SIGTERM'

# At any moment, also while it is being built: nobody holds those.
for delay in 0 0.001 0.002 0.004 0.006 0.008 0.01 0.015 0.02 0.03 0.05; do
    start_lab 'wait'
    sleep "$delay"
    kill -KILL "$lab"
    end_is 137 "kill -9 after $delay s"
done
rm -f "$scratch/names"
nothing_stays 'kill -9 at eleven early moments'

status=0
env "$mark" "$TLSYN" lab -- /no/such/command 2>"$scratch/out" || status=$?
[ "$status" -eq 127 ] || fail "a command that does not exist ends with $status"
grep -q 'cannot run "/no/such/command"' "$scratch/out" ||
    fail "it does not say so: $(cat "$scratch/out")"
nothing_stays 'a command that does not exist'

# shellcheck disable=SC2016 # expanded in there
env READY="$scratch/ready" TOLD="$scratch/told" "$TLSYN" lab -q --server '
    sh -c "trap \"echo >\$TOLD; exit\" TERM; echo >\$READY; while :; do sleep 0.05; done"; :' -- \
    sh -c 'until [ -e "$READY" ]; do sleep 0.05; done' || fail "a server that a shell runs: status $?"
[ -e "$scratch/told" ] || fail "what a shell runs as the server is not told to end"
passed "a server ends in order, and not its shell alone"
