#!/bin/sh
# Run by root: the lab's tests once more as an ordinary user without any right, and what is said
# where users may not make namespaces.
. "$(dirname "$0")/lib.sh"
need setpriv
[ "$(id -u)" -eq 0 ] || skip "an ordinary user runs the lab's other tests as such already"
here=$(cd "$(dirname "$0")" && pwd)

# Into a place that everybody may read, as a home directory is not.
chmod 755 "$scratch"
mkdir "$scratch/bin"
cp "$TLSYN" "$scratch/bin/tlsyn"
cp "$here"/lib.sh "$here"/lab_*.sh "$scratch/bin"
export TLSYN="$scratch/bin/tlsyn"

# as_nobody COMMAND...: without supplementary groups and capabilities.
as_nobody()
{
    (cd / && exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
        --bounding-set=-all "$@")
}

# In a user namespace of its own (so that this machine isn't touched), with namespaces forbidden
# below it, a user without capabilities is refused; the reason and the remedy are told.
if unshare -Ur true 2>/dev/null; then
    status=0
    # shellcheck disable=SC2016 # expanded in there
    unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
        exec setpriv --inh-caps=-all --bounding-set=-all "$TLSYN" lab -- true' \
        2>"$scratch/refused" || status=$?
    [ "$status" -eq 3 ] || fail "refused namespaces end with $status: $(cat "$scratch/refused")"
    grep -q 'user.max_user_namespaces = 0.*sudo' "$scratch/refused" ||
        fail "the reason is not told: $(cat "$scratch/refused")"
    [ "$(wc -l <"$scratch/refused")" -eq 1 ] ||
        fail "more than a sentence: $(cat "$scratch/refused")"
    passed "where namespaces are forbidden it says so, and what to type"
fi

status=0
# shellcheck disable=SC2016
as_nobody "$TLSYN" lab -q -- sh -c 'test "$(id -u)" = 0' 2>"$scratch/refused" || status=$?
[ "$status" -ne 3 ] || skip "$(cat "$scratch/refused")"
[ "$status" -eq 0 ] ||
    fail "as an ordinary user the lab ends with $status: $(cat "$scratch/refused")"
passed "an ordinary user gets a lab, and is root in it"

# The product is installed with this capability; such a process may not be looked into, which a lab
# must cope with.
cp "$TLSYN" "$scratch/bin/capable"
if command -v setcap >/dev/null && setcap cap_net_raw+ep "$scratch/bin/capable" 2>/dev/null; then
    status=0
    (cd / && ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$scratch/bin/capable" lab -q -- true) 2>"$scratch/refused" || status=$?
    [ "$status" -eq 0 ] ||
        fail "with cap_net_raw the lab ends with $status: $(cat "$scratch/refused")"
    passed "a binary with cap_net_raw gets a lab"
fi

for test in lab_cleanup lab_link; do
    status=0
    as_nobody "$scratch/bin/$test.sh" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || fail "$test fails as an ordinary user"
done
