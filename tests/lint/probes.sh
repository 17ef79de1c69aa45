#!/bin/sh
# Every trace event is a probe of the built command, by its name, and every probe is an event: what
# trace_events.def lists is compared with the notes that readelf finds.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

command -v readelf >/dev/null || { echo "probes: readelf is not installed"; exit 77; }
echo '#include <sys/sdt.h>' | "${CC:-cc}" -E - >/dev/null 2>&1 ||
    { echo "probes: built without <sys/sdt.h>"; exit 77; }
events=stack/include/tlsyn/trace_events.def
[ -f "$events" ] || verdict "" "probes: no $events"
[ -f "$build/tlsyn" ] ||
    { echo "probes: no command in '$build': build first (make build)"; exit 1; }

wanted=$(sed -n 's/^EVENT(\([a-z0-9_]*\),.*/\1/p' "$events" | sort -u)
found=$(LC_ALL=C readelf -n "$build/tlsyn" 2>/dev/null |
    awk '$1 == "Provider:" { provider = $2 } $1 == "Name:" && provider == "tlsyn" { print $2 }' |
    sort -u)
# One word per line each.
missing=$(for event in $wanted; do
    printf '%s\n' "$found" | grep -qx "$event" ||
        echo "$events: $event is no probe: is it traced by TRACE()?"
done)
foreign=$(for probe in $found; do
    printf '%s\n' "$wanted" | grep -qx "$probe" ||
        echo "$build/tlsyn: probe $probe is no event of $events"
done)

verdict "$missing$foreign" "probes: each of $(printf '%s\n' "$wanted" | wc -l) events is a probe"
