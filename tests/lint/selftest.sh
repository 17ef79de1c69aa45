#!/bin/sh
# A lint that can't fail is worth nothing: builds a small house that keeps every rule, then breaks
# one rule at a time and expects the lint to name the very line.
# shellcheck disable=SC2016 # the dollar signs are the samples' own
# shellcheck disable=SC2026 # words cut in two, for names.sh reads this file too
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

lints=$root/tests/lint
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
failures=0
checks=0

# put FILE: writes stdin there, in the small house.
put()
{
    mkdir -p "$house/$(dirname "$1")"
    cat >"$house/$1"
}

run()
{
    case $1 in
    rfc) "$lints/rfc.py" --check "$house" ;;
    *) "$lints/$1.sh" "$house/build" "$house" ;;
    esac
}

# passes LINT / catches LINT FINDING: what the lint must say of the house as it stands.
passes()
{
    checks=$((checks + 1))
    said=$(run "$1" 2>&1) && return
    failures=$((failures + 1))
    printf 'selftest: %s should have passed, but said:\n%s\n' "$1" "$said"
}

catches()
{
    checks=$((checks + 1))
    said=$(run "$1" 2>&1) && status=0 || status=$?
    if [ "$status" -eq 1 ]; then
        case $said in *"$2"*) return ;; esac
    fi
    failures=$((failures + 1))
    printf 'selftest: %s should have said "%s", but exited with %s and said:\n%s\n' "$1" "$2" "$status" "$said"
}

# library NAME FILE: compiles the file into the archive that CMake would make.
library()
{
    mkdir -p "$house/build"
    (cd "$house/build" && cc -c -o "$(basename "$2").o" "$house/$2" &&
        ar rc "lib$1.a" "$(basename "$2").o")
}

# ---- layers --------------------------------------------------------------------------------------
passes layers # an empty house
put stack/wire/tcp.c <<'END'
#include "wire/tcp.h"
#include <tlsyn/types.h>
#include <string.h>
#include "core/ring.h"
END
put stack/stack.c <<'END'
#include "stack.h"
#include "tcp/input.h"
END
put stack/link/pcap.c <<'END'
#include <pcap/pcap.h>
#include <tlsyn/link.h>
END
put tls/engine.c <<'END'
#include "engine.h"
#include <tlsyn/conn.h>
#include <mbedtls/ssl.h>
END
put apps/cmd_bench.c <<'END'
#include "cli.h"
#include "study/table2/table2.h"
#include <tlsyn/loop.h>
END
passes layers

# breaks FILE LINE: appends the include, expects the lint to name it, takes it back.
breaks_layers()
{
    mkdir -p "$house/$(dirname "$1")"
    touch "$house/$1"
    cp "$house/$1" "$house/saved"
    printf '%s\n' "$2" >>"$house/$1"
    catches layers "$1:$(wc -l <"$house/$1"):"
    mv "$house/saved" "$house/$1"
}
breaks_layers stack/wire/tcp.c '#include "tcp/conn.h"'
breaks_layers stack/wire/tcp.c '#  include "ip/route.h"'
breaks_layers stack/wire/tcp.c '#include <tlsyn/conn.h>'
breaks_layers stack/wire/tcp.c '#include <mbedtls/ssl.h>'
breaks_layers stack/wire/tcp.c '#include "ring.h"'
breaks_layers stack/stack.c '#include "link/pipe.h"'
breaks_layers stack/stack.c '#include <tlsyn/tls.h>'
breaks_layers stack/stack.c '#include <tlsyn/loop.h>'
breaks_layers stack/link/pcap.c '#include "tcp/conn.h"'
breaks_layers bench/study/webperf/robot.c '#include "study/table2/table2.h"'
breaks_layers bench/study/node.c '#include "study/table2/table2.h"'
breaks_layers stack/link/pcap.c '#include <tlsyn/conn.h>'
breaks_layers tls/engine.c '#include "core/ring.h"'
breaks_layers tls/engine.c '#include <tlsyn/loop.h>'
breaks_layers apps/cmd_bench.c '#include "core/ring.h"'
breaks_layers apps/cmd_bench.c '#include <openssl/ssl.h>'
mkdir -p "$house/stack/cellar"
breaks_layers stack/cellar/wine.c '#include <string.h>'
rm -r "$house/stack/cellar"
passes layers

# ---- names ---------------------------------------------------------------------------------------
put stack/tcp/good.c <<'END'
/* snd_una < snd_nxt, says the RFC; a TODOLIST is a word like any other */
if (seq_lt(c->snd_una, seg->seq) && c->snd_una != c->snd_nxt && c->rcv_wnd < 5 && mississ < 3)
    n = seq_diff(c->snd_nxt, c->snd_una) - 1; /* never snd_nxt - snd_una */
x = seg->ack == c->snd_nxt ? c->iss + 1 : c->snd_una - 1u ? 0 : list->next_seq->length > 2;
flags = seg.seq >> 16 ^ seq << 3, sequence - 1, seq_diff(a, b) < 0, "a.seq < b.seq";
END
put stack/wire/seq.h <<'END'
return a.seq - b.seq < 0;
END
passes names
breaks_names()
{
    printf '%s\n' "$1" | put stack/tcp/bad.c
    catches names stack/tcp/bad.c:1:
    rm "$house/stack/tcp/bad.c"
}
breaks_names 'if (c->snd_una < seg->ack) return;'
breaks_names 'if (seg->ack <= c->snd_nxt) return;'
breaks_names 'if (limit > seg.seq) return;'
breaks_names 'n = c->snd_nxt - base;'
breaks_names 'n = (uint32_t)(end - conn->iss);'
breaks_names 'n = c->rcv_nxt-base;'
breaks_names 'if (c->rcv_nxt < 1) return;'
breaks_names 'if (a /* why */ >= (tap->rcv_nxt)) return;'
breaks_names 'if ((irs) < x) return;'
breaks_names 'n = x -c->snd_wl1;'
for word in TO''DO FIX''ME X''XX; do
    breaks_names "int x; /* $word: later */"
done
passes names

# ---- sizes ---------------------------------------------------------------------------------------
function_of()
{
    printf 'void f(void)\n{\n'
    awk -v lines="$1" 'BEGIN { while (lines--) print "    x++;" }'
    printf '}\n'
}
function_of 100 | put stack/tcp/long.c
passes sizes
function_of 101 | put stack/tcp/long.c
catches sizes stack/tcp/long.c:2:
rm "$house/stack/tcp/long.c"
awk 'BEGIN { for (i = 0; i < 1001; i++) print "extern int x;" }' | put stack/tcp/long.c
catches sizes stack/tcp/long.c:1001:
rm -r "$house/stack" "$house/tls" "$house/apps"

# ---- columns -------------------------------------------------------------------------------------
columns_of()
{
    awk -v n="$1" 'BEGIN { printf "/* é"; while (n-- > 7) printf "x"; print " */" }'
}
columns_of 100 | put stack/core/wide.h
passes columns
columns_of 101 | put stack/core/wide.h
catches columns stack/core/wide.h:1:
{ echo '/* clang-format off */' && columns_of 101 && echo '/* clang-format on */'; } |
    put stack/core/wide.h
passes columns
columns_of 101 | put stack/include/tlsyn/wide.def
catches columns stack/include/tlsyn/wide.def:1:
rm "$house/stack/include/tlsyn/wide.def"
columns_of 121 | put docs/WIDE.md
catches columns docs/WIDE.md:1:
{ columns_of 120 && echo && printf '| ' && columns_of 121; } | put docs/WIDE.md
passes columns
rm -r "$house/docs"
rm -r "$house/stack"

# ---- purity --------------------------------------------------------------------------------------
catches purity "no build folder"
mkdir "$house/build"
passes purity # a house without rooms
put stack/core/alloc.c <<'END'
#include <stdlib.h>
void *a(void *p) { return realloc(p, 8); }
END
put stack/core/random.c <<'END'
#include <sys/random.h>
long r(void *p) { return getrandom(p, 8, 0); }
END
put stack/link/pipe.c <<'END'
#include <string.h>
size_t l(const char *p) { return strlen(p); }
END
put stack/link/afpacket.c <<'END'
#include <sys/socket.h>
int s(void) { return socket(1, 2, 3); }
END
catches purity "libtlsyn_core.a: missing"
library tlsyn_core stack/core/alloc.c
library tlsyn_core stack/core/random.c
library tlsyn_link stack/link/pipe.c
library tlsyn_link stack/link/afpacket.c
passes purity

# breaks_purity NAME STATEMENT: a file of core that calls NAME.
breaks_purity()
{
    printf '#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n#include <unistd.h>\n%s\n' \
        "#include <sys/random.h>
long f(void *p);
long f(void *p) { $2 }" | put stack/core/bad.c
    library tlsyn_core stack/core/bad.c
    catches purity "libtlsyn_core/bad.c.o: calls $1:"
}
breaks_purity clock_gettime 'return clock_gettime(0, p);'
breaks_purity time 'return time(p);'
breaks_purity read 'return read(0, p, 1);'
breaks_purity rand 'return rand() + (p != 0);'
breaks_purity getrandom 'return getrandom(p, 1, 0);'
breaks_purity printf 'return printf("%p", p);'
breaks_purity getenv 'return getenv(p) != 0;'
breaks_purity malloc 'return malloc(9) == p;'
breaks_purity free 'free(p); return 0;'
breaks_purity stderr 'return p == stderr;'
rm "$house/stack/core/bad.c" "$house/build/libtlsyn_core.a"
library tlsyn_core stack/core/alloc.c
library tlsyn_core stack/core/random.c
put stack/link/pipe.c <<'END'
#include <unistd.h>
long f(void *p) { return read(0, p, 1); }
END
library tlsyn_link stack/link/pipe.c
catches purity "libtlsyn_link/pipe.c.o: calls read:"

# ---- headers -------------------------------------------------------------------------------------
if command -v "${CXX:-c++}" >/dev/null; then
    mv "$house/stack/core" "$house/saved_core"
    passes headers # none of them
    printf '%s\n' '#ifdef __cplusplus' 'extern "C" {' '#endif' 'int tlsyn_walk(void);' '#ifdef __cplusplus' '}' \
        '#endif' | put stack/include/tlsyn/walk.h
    printf 'int tlsyn_walk(void) { return 0; }\n' | put stack/core/walk.c
    library tlsyn_core stack/core/walk.c
    passes headers
    echo 'int tlsyn_run(void);' | put stack/include/tlsyn/run.h
    printf 'int tlsyn_run(void) { return 0; }\n' | put stack/core/run.c
    library tlsyn_core stack/core/run.c
    catches headers 'stack/include/tlsyn/run.h:1: no library has _Z9tlsyn_runv'
    echo 'struct tlsyn_step { size_t length; };' | put stack/include/tlsyn/run.h
    catches headers 'stack/include/tlsyn/run.h:1: not by itself, as c:'
    echo 'enum tlsyn_step { TLSYN_STEP }; static inline enum tlsyn_step f(void) { return 0; }' |
        put stack/include/tlsyn/run.h
    catches headers 'stack/include/tlsyn/run.h:1: not by itself, as c++:'
    sed -i 's/tlsyn_walk/tlsyn_sit/' "$house/stack/include/tlsyn/walk.h"
    rm "$house/stack/include/tlsyn/run.h"
    catches headers 'stack/include/tlsyn/walk.h:4: no library has tlsyn_sit'
    rm -r "$house/stack/core" "$house/stack/include" "$house/build/libtlsyn_core.a"
    mv "$house/saved_core" "$house/stack/core"
fi

# ---- tour ----------------------------------------------------------------------------------------
printf 'int f_walks(int a)\n{\n    return a;\n}\n' | put stack/core/walk.c
printf 'First [here](../stack/core/walk.c) `f_walks`.\n' | put docs/TOUR.md
passes tour
printf 'First [here](../stack/core/walk.c) `f_runs`.\n' | put docs/TOUR.md
catches tour 'no file of the page defines f_runs'
printf 'First [here](../stack/core/run.c) `f_walks`.\n' | put docs/TOUR.md
catches tour 'no such file: stack/core/run.c'
rm -r "$house/docs" "$house/stack/core/walk.c"

# ---- docs ----------------------------------------------------------------------------------------
passes docs # no pages
put apps/main.c <<'END'
    {"ping", cmd_ping, "asks"},
    {"bench", cmd_bench, "measures"},
END
put apps/cmd_bench.c <<'END'
    {"loss", cmd_bench_loss, "loses"},
        {"count", 'c', &cli_count, &count, "so many", NULL},
END
printf 'test:\n\ttrue\n' | put Makefile
put tests/lab/lab_link.sh </dev/null
put docs/PAGE.md <<'END'
See [the Makefile](../Makefile), `apps/main.c`, `lab-link`, and `tlsyn ping --count 3`:

    make test
    tlsyn bench loss --count=7 -- tlsyn
END
catches docs 'docs/TESTING.md:1: lab_link.sh is not described'
echo '`lab_link.sh`' | put docs/TESTING.md
passes docs
breaks_docs()
{
    cp "$house/docs/PAGE.md" "$house/saved"
    printf '%s\n' "$1" >>"$house/docs/PAGE.md"
    catches docs "docs/PAGE.md:5: $2"
    mv "$house/saved" "$house/docs/PAGE.md"
}
breaks_docs '[a page](NO.md)' 'there is no NO.md'
breaks_docs '`apps/cmd_no.c`' 'there is no apps/cmd_no.c'
breaks_docs '`cmd_no.c`' 'there is no cmd_no.c'
breaks_docs '    make no' 'the Makefile has no no'
breaks_docs '`make no`' 'the Makefile has no no'
breaks_docs '    tlsyn walk' 'tlsyn has no command walk'
breaks_docs '    tlsyn bench walk' 'tlsyn bench has no study walk'
breaks_docs '`tlsyn ping --walk`' 'no command has --walk'
breaks_docs '`lab-walk`' 'ctest has no lab-walk'
rm -r "$house/docs" "$house/apps" "$house/tests" "$house/Makefile"

# ---- features ------------------------------------------------------------------------------------
printf 'START_TEST(it_walks)\n' | put tests/unit/test_walk.c
printf '| Feature | tlsyn | shown by |\n|---|---|---|\n| Walking | yes | `walk/it_walks` |\n' |
    put docs/FEATURES.md
passes features
printf '| Feature | tlsyn | shown by |\n|---|---|---|\n| Walking | yes | `walk/it_runs` |\n' |
    put docs/FEATURES.md
catches features 'there is no test walk/it_runs'
printf '| Feature | tlsyn | shown by |\n|---|---|---|\n| Walking | yes | |\n' | put docs/FEATURES.md
catches features 'docs/FEATURES.md:3: no test in the last cell'
rm -r "$house/docs" "$house/tests/unit"

# ---- rfc -----------------------------------------------------------------------------------------
printf 'id\tlevel\trequirement\tref\nMUST-1\tMUST\tWalk\t1 1\nMUST-2\tMUST\tRun\t1 2\n' |
    put tests/conformance/requirements.tsv
printf 'id\tverdict\treason\nMUST-2\tno\tToo fast\n' | put tests/conformance/exceptions.tsv
printf '/* file */\nint a;\n\n/* MUST-%s */\nint f(int a)\n{\n    return a;\n}\n' 1 |
    put stack/core/walk.c
printf '/* file */\nint a;\n\n/* MUST-%s */\nSTART_TEST(it_walks)\n{\n}\n' 1 |
    put tests/unit/test_walk.c
mkdir -p "$house/docs"
"$lints/rfc.py" --write "$house" >/dev/null
passes rfc
echo more >>"$house/docs/CONFORMANCE.md"
catches rfc 'is not what the tags say'
breaks_rfc()
{
    cp "$house/$1" "$house/saved"
    sed "$2" "$house/saved" >"$house/$1"
    catches rfc "$3"
    mv "$house/saved" "$house/$1"
}
breaks_rfc tests/unit/test_walk.c 's/MUST-1/MUST-7/' 'tests/unit/test_walk.c:4: MUST-7 is no requirement'
breaks_rfc tests/unit/test_walk.c 's/MUST-1//' 'MUST-1 has no test'
breaks_rfc tests/unit/test_walk.c 's/START_TEST/helper/' 'MUST-1 is at no test'
breaks_rfc stack/core/walk.c 's/MUST-1//' 'MUST-1 has no code'
breaks_rfc tests/conformance/exceptions.tsv 's/MUST-2/MUST-9/' 'MUST-2 has no code and test'
breaks_rfc tests/conformance/exceptions.tsv 's/Too fast//' 'has a reason'
rm -r "$house/docs" "$house/tests" "$house/stack/core/walk.c"

# ---- probes --------------------------------------------------------------------------------------
if echo '#include <sys/sdt.h>' | "${CC:-cc}" -E - >/dev/null 2>&1 &&
    command -v readelf >/dev/null; then
    printf 'EVENT(walks, "steps")\nEVENT(runs, "steps")\n' |
        put stack/include/tlsyn/trace_events.def
    printf '#include <sys/sdt.h>\nint main(int n, char **v)\n{\n    DTRACE_PROBE1(tlsyn, walks, n);\n' | put probes.c
    printf '    DTRACE_PROBE1(tlsyn, runs, n);\n    return v == 0;\n}\n' >>"$house/probes.c"
    "${CC:-cc}" -o "$house/build/tlsyn" "$house/probes.c"
    passes probes
    sed 's/runs/sits/' "$house/probes.c" >"$house/sits.c"
    "${CC:-cc}" -o "$house/build/tlsyn" "$house/sits.c"
    catches probes 'runs is no probe'
    catches probes 'probe sits is no event'
    rm -r "$house/build/tlsyn" "$house/stack/include" "$house/probes.c" "$house/sits.c"
fi

# ---- format --------------------------------------------------------------------------------------
if "$lints/format.sh" "$house/build" "$root" >/dev/null 2>&1 || [ $? -ne 77 ]; then
    cp "$root/.clang-format" "$house/"
    rm -r "$house/stack"
    printf 'int f(int a)\n{\n    return a + 1;\n}\n' | put stack/core/f.c
    passes format
    printf 'int f(int a) {\n  return a+1; }\n' | put stack/core/f.c
    catches format stack/core/f.c:
fi

echo "selftest: $checks checks of the lints, $failures failed"
[ "$failures" -eq 0 ]
