#!/bin/sh
# Runs packetdrill's scripts against tlsyn: run.sh [-v] [-6] PACKETDRILL TLSYN_PACKETDRILL.SO
# FOLDER|SCRIPT...
#
# packetdrill (google/packetdrill, GPL) is not part of this repository: build it, and point this at
# it and at its scripts. What a script asks of the kernel in backticks is turned into --so_flags
# where it can be; scripts with what only Linux has are left out, and counted (needs_linux has the
# list). Python in %{ }% asks the kernel's getsockopt(2), which knows nothing of our sockets: it is
# not run. Prints a line per script, with -v what packetdrill said, a table by folder, and a
# summary. Exit status 0: all that were run have passed. TIMEOUT: seconds per script.
# shellcheck disable=SC2016 # the single quotes hold awk
set -u

usage() { echo "usage: run.sh [-v] [-6] PACKETDRILL TLSYN_PACKETDRILL.SO FOLDER|SCRIPT..." >&2; exit 2; }

verbose='' family=4
while getopts v6 option; do
    case $option in
    v) verbose=1 ;;
    6) family=6 ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 3 ] || usage
packetdrill=$(realpath "$1") object=$(realpath "$2")
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
results=$scratch/results

# What google's scripts count on (gtests/net/common/defaults.sh there): Linux's production settings.
common=tls=off,rmem=15728640,wmem=4194304,pacing=0,metrics=0,gso=65535
fastopen=0x70403 fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4

# needs_linux SCRIPT: why it can't be meant for us, in a few words; nothing: it can.
needs_linux()
{
    if [ $family = 6 ] && grep -qE '^--local_ip=[0-9.]+$' "$1"; then
        echo "addresses of IPv4"
        return
    fi
    if [ $family = 6 ] && grep -qE '^[^/]*icmp unreachable frag_needed' "$1"; then
        echo "ICMP codes of IPv4"
        return
    fi
    case $1 in # what write(2) takes there is counted in the kernel's own structures
    */blocking-write.pkt | */epoll_out_edge*.pkt | */notsent-lowat*.pkt | \
        */tcp-info-sndbuf-limited.pkt)
        echo "sizes of sk_buff"
        return
        ;;
    esac
    awk '
        /^[ \t]*\/\// { next }
        /MSG_ZEROCOPY|SO_ZEROCOPY/ { why = "MSG_ZEROCOPY" }
        /SO_TIMESTAMPING|SCM_TIMESTAMPING/ { why = "SO_TIMESTAMPING" }
        /TCP_MD5SIG|<[^>]*md5/ { why = "TCP-MD5" }
        /TCP_INQ|TCP_CM_INQ/ { why = "TCP_INQ" }
        /psp_|PSP/ { why = "PSP" }
        /sendfile\(|splice\(/ { why = "sendfile, splice" }
        /MSG_EOR/ { why = "MSG_EOR" }
        /SO_MAX_PACING_RATE/ { why = "SO_MAX_PACING_RATE" }
        /IP_MTU_DISCOVER/ { why = "IP_MTU_DISCOVER" }
        /= -1 EFAULT/ { why = "EFAULT" } # only a kernel can tell a bad pointer
        /tcp_min_tso_segs/ { why = "tcp_min_tso_segs" }
        /tcp_fastopen=0x[0-9]*(2|6)[0-9][0-9]([^0-9]|$)/ { why = "Fast Open without cookies" }
        /> S .*FOEXP/ { why = "the experimental Fast Open option of clients" }
        /ip route|ip -6 route|tc qdisc|nstat|\/proc\/net/ { why = "commands of iproute2" }
        /%\{/ && /`/ { next }
        # A setting that changes while the script runs
        /^[ \t]*\+?[0-9.]+[^\/]*`/ && /sysctl.*ipv4/ { why = "sysctls that change on the way" }
        why { print why; exit }
    ' "$1"
}

# commands_of SCRIPT: what stands in backticks, a line each.
commands_of()
{
    awk 'BEGIN { RS = "`" } NR % 2 == 0 { gsub(/\\\n/, " "); print }' "$1"
}

# flags_of SCRIPT: --so_flags for the sysctls that it sets.
flags_of()
{
    commands_of "$1" | grep -q 'ethtool -K tun0 .*gso off' && printf ',cut=1'
    commands_of "$1" | grep -oE '(net\.ipv4\.|/proc/sys/net/ipv4/)tcp_[a-z_]+="?[^ "]*' |
        sed -E 's/.*tcp_([a-z_]+)="?/\1 /' | {
        while read -r name value; do
            case $name in
            fastopen) fastopen=$value ;;
            fastopen_key) fastopen_key=$value ;;
            timestamps | sack | window_scaling | ecn | congestion_control)
                printf ',%s=%s' "$name" "$value"
                ;;
            esac
        done
        printf ',fastopen=%s,fastopen_key=%s' "$fastopen" "$fastopen_key"
    }
}

# own SCRIPT OPTION DEFAULT: the value of a command line option that the script has in its own
# lines.
own()
{
    value=$(sed -n "s/^--$2=//p" "$1" | head -n 1)
    echo "${value:-$3}"
}

# strip SCRIPT: without commands and Python, in as many lines; what has a time becomes a command
# that does nothing at it.
strip()
{
    awk '
        # Takes the next `from` ... `to` away; behind `at`. Where to go on, or 0: there is none.
        function cut(at, from, to,    begin, end, head, body) {
            begin = index(substr($0, at), from)
            if (!begin) return 0
            begin += at - 1
            end = index(substr($0, begin + length(from)), to)
            if (!end) return 0
            end += begin + length(from) + length(to) - 1
            head = substr($0, 1, begin - 1)
            body = substr($0, begin, end - begin)
            gsub(/[^\n]/, "", body)
            if (match(head, /\n[ \t]*[+0-9][0-9.+~ \t]*$/)) body = "`:`" body
            $0 = head body substr($0, end)
            return begin + length(body)
        }
        BEGIN { RS = "\001" }
        {
            for (at = 1; at; ) at = cut(at, "`", "`")
            for (at = 1; at; ) at = cut(at, "%{", "}%")
            printf "%s", $0
        }' "$1"
}

if [ $family = 4 ]; then
    ours=192.168.0.1 theirs=192.0.2.1 gateway=192.168.0.3
    options="--ip_version=ipv4 --netmask_ip=255.255.0.0 -D TFO_COOKIE=3021b9d889017eeb
        -D CODE=host_unreachable -D CMSG_LEVEL_IP=SOL_IP -D CMSG_TYPE_RECVERR=IP_RECVERR"
    not=v6.pkt
else
    ours=fd3d:a0b:17d6::1 theirs=fd3d:fa7b:d17d::1 gateway=fd3d:a0b:17d6:8888::1
    options="--ip_version=ipv6 --mtu=1520 -D TFO_COOKIE=c1d1e9742a47a9bc
        -D CODE=address_unreachable -D CMSG_LEVEL_IP=SOL_IPV6 -D CMSG_TYPE_RECVERR=IPV6_RECVERR"
    common=$common,mtu=1520
    not=v4.pkt
fi

run_one() # SCRIPT
{
    why=$(needs_linux "$1")
    if [ -n "$why" ]; then
        echo "skip $1 $why" >>"$results"
        return
    fi
    strip "$1" >"$scratch/script.pkt"
    local=$(own "$1" local_ip $ours)
    flags=$common$(flags_of "$1"),address=$local/0
    # shellcheck disable=SC2086 # options are words
    if (cd "$scratch" && timeout "${TIMEOUT:-30}" "$packetdrill" \
        --so_filename="$object" --so_flags="$flags" \
        --local_ip="$local" --remote_ip="$(own "$scratch/script.pkt" remote_ip $theirs)" \
        --gateway_ip=$gateway $options script.pkt) >"$scratch/said" 2>&1; then
        echo "pass $1" >>"$results"
    else
        echo "fail $1 $(head -n 1 "$scratch/said" | sed 's/^script.pkt://')" >>"$results"
    fi
    [ -z "$verbose" ] || sed 's/^/    /' "$scratch/said"
}

find "$@" -name '*.pkt' ! -name "*$not" | sort >"$scratch/scripts"
while read -r script; do
    run_one "$script"
    tail -n 1 "$results"
done <"$scratch/scripts"

awk '
    {
        folder = $2
        sub("/[^/]*$", "", folder)
        if (!(folder in seen)) order[++folders] = folder
        seen[folder] = 1
        n[folder, $1]++
        all[$1]++
    }
    END {
        printf "\n%6s %6s %6s  %s\n", "pass", "fail", "skip", "folder"
        for (i = 1; i <= folders; i++)
            printf "%6d %6d %6d  %s\n", n[order[i], "pass"], n[order[i], "fail"], n[order[i], "skip"], order[i]
        run = all["pass"] + all["fail"]
        printf "%d of %d scripts pass (%.1f %%); %d more need what only Linux has\n", all["pass"], run,
            run ? 100 * all["pass"] / run : 0, all["skip"]
        exit all["fail"] > 0
    }' "$results"
