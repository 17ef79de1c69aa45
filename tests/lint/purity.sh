#!/bin/sh
# Reads the undefined symbols of the pure rooms' object files: no clock, no socket, no file, no
# randomness, no printing, no heap. Memory comes from core/alloc.c, randomness from core/random.c,
# time as an argument.
# shellcheck disable=SC2016 # the single quotes hold awk
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

[ -d "$build" ] || { echo "purity: no build folder '$build': build first (make build)"; exit 1; }

# undefined LIBRARY SOURCE-GLOB [MEMBER...]: "room/file.c.o symbol" for each undefined symbol of
# its objects; the named members only, if any are named. A room whose folder has sources must
# have been built.
undefined()
{
    library=$build/lib$1.a pattern=$2
    shift 2
    # shellcheck disable=SC2086
    set -- "$(ls $pattern 2>/dev/null || :)" "$@"
    [ -n "$1" ] || return 0
    shift
    if [ ! -f "$library" ]; then
        echo "$library is-missing:-build-first"
        return 0
    fi
    nm -A -u "$library" | awk -v library="$(basename "$library" .a)" -v members="$*" '
        {
            split($1, part, ":")
            if (members == "" || index(" " members " ", " " part[2] " "))
                print library "/" part[2], $NF
        }'
}

pure_objects()
{
    for room in core wire ip tcp udp; do
        undefined "tlsyn_$room" "stack/$room/*.c"
    done
    undefined tlsyn_stack 'stack/*.c'
    undefined tlsyn_link 'stack/link/impair*.c' impair.c.o impair_direction.c.o
    undefined tlsyn_link 'stack/link/pipe.c' pipe.c.o
    undefined tlsyn_link 'stack/link/loopback.c' loopback.c.o
    undefined tlsyn_link 'stack/link/middlebox.c' middlebox.c.o
    undefined tlsyn_link 'stack/link/frame*.c' frame.c.o framed.c.o
    undefined tlsyn_tls 'tls/*.c'
}

findings=$(pure_objects | sort -u | awk '
BEGIN {
    clock = "clock_gettime gettimeofday time clock times timespec_get nanosleep clock_nanosleep usleep sleep localtime " \
        "localtime_r"
    io = "socket socketpair connect bind listen accept accept4 setsockopt getsockopt send sendto sendmsg sendmmsg recv " \
        "recvfrom recvmsg recvmmsg read readv pread pread64 write writev pwrite pwrite64 open open64 openat openat64 " \
        "close fopen fopen64 fdopen freopen fclose fread fwrite fgets fgetc getline fscanf poll ppoll select pselect " \
        "epoll_create epoll_create1 epoll_ctl epoll_wait ioctl fcntl fcntl64 mmap mmap64 syscall stat stat64 access " \
        "unlink rename eventfd timerfd_create signalfd system popen fork execve"
    random = "rand rand_r srand random random_r srandom drand48 lrand48 mrand48 erand48 getrandom getentropy arc4random " \
        "arc4random_buf arc4random_uniform"
    print_ = "printf vprintf fprintf vfprintf dprintf vdprintf puts putchar putc fputs fputc perror stdout stderr syslog"
    world = "getenv secure_getenv setenv putenv exit _exit getpid gethostname signal sigaction raise pthread_create " \
        "pthread_mutex_lock"
    heap = "malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf posix_memalign aligned_alloc " \
        "memalign valloc mremap sbrk"
    add(clock, "reads or waits for the clock: take the time as an argument")
    add(io, "does I/O: that is the business of link/, loop/ and the applications")
    add(random, "has randomness of its own: use struct tlsyn_random")
    add(print_, "prints: libraries return errors or trace")
    add(world, "looks at the world outside: pass it in")
    add(heap, "allocates behind the back of core/alloc: use struct tlsyn_alloc")
    split(heap, words, " ")
    for (i in words) excused["libtlsyn_core/alloc.c.o", words[i]] = 1
    excused["libtlsyn_core/random.c.o", "getrandom"] = 1
}
function add(list, why, words, i) {
    split(list, words, " ")
    for (i in words) reason[words[i]] = why
}
$2 == "is-missing:-build-first" { print $1 ": missing: build first (make build)"; next }
{
    symbol = $2
    sub(/@.*/, "", symbol)           # a version: read@GLIBC_2.2.5
    plain = symbol
    if (plain ~ /_chk$/) {           # _FORTIFY_SOURCE: __printf_chk
        sub(/^__/, "", plain)
        sub(/_chk$/, "", plain)
    }
    sub(/^__isoc[0-9]*_/, "", plain) # __isoc99_fscanf
    if (plain in reason && !(($1, plain) in excused)) print $1 ": calls " symbol ": " reason[plain]
}')

verdict "$findings" "purity: the pure rooms call no clock, no I/O, no randomness, no heap of their own"
