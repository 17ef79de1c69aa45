/*
 * fuzz_socket_calls: the calls of <tlsyn/socket.h> in any order, between two nets under one virtual
 * clock, with descriptors that were closed or never opened, options of any name, and lengths that
 * are too short, too long, or none.
 *
 * The input is a list of calls, each one octet and what it needs (missing octets read as zero).
 * Descriptors are named by their place in a table of both nets; a place keeps its number when the
 * socket is closed. Nothing may block: sockets are made non-blocking, and stay so. What is lent to
 * a call has the size that the call is told, so that a sanitizer sees each octet too far.
 *
 * Invariants: those of tcp_check() after every call, as the build has it; a call says what it did,
 * or errno; all memory comes back.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <tlsyn/socket.h>

#include "core/list.h"
#include "core/random.h"
#include "support/memory.h"
#include "support/must.h"
#include "wire/bytes.h"

#define SIDES    2
#define PLACES   8
#define SOCKETS  64 /* that one input may open */
#define LENT_MAX 4096
#define MTU      1500
#define ROUNDS   50 /* between two calls */
#define BIRTH    TLSYN_SECONDS(1000)

struct side {
    struct test_memory memory;
    struct random_seeded random;
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_net *net;
};

struct fuzz {
    struct tlsyn_net_clock clock;
    struct reader input;
    tlsyn_time now;
    struct tlsyn_link *end[SIDES];
    struct side side[SIDES];
    int fd[PLACES];
    int sockets;
    void *lent; /* to the call that is made */
};

static tlsyn_time now(struct tlsyn_net_clock *clock)
{
    return container_of(clock, struct fuzz, clock)->now;
}

/* --- what calls are given --------------------------------------------------------------------- */

static int *place(struct fuzz *f)
{
    return &f->fd[get_u8(&f->input) % PLACES];
}

/* Memory of just `n` octets, until the next call. */
static void *lend(struct fuzz *f, size_t n)
{
    free(f->lent);
    f->lent = malloc(n ? n : 1);
    must(f->lent != NULL);
    memset(f->lent, 'x', n ? n : 1);
    return f->lent;
}

static struct sockaddr_storage address(struct fuzz *f)
{
    uint8_t choice = get_u8(&f->input);
    struct sockaddr_storage at = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&at;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&at;

    if (choice & 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)(1000 + (choice >> 4)));
        in6->sin6_addr = (struct in6_addr){.s6_addr = {0xfd, 0x77, [15] = choice >> 1 & 3}};
        if (choice & 8)
            in6->sin6_addr = in6addr_any;
    } else {
        in->sin_family = (sa_family_t)(choice == 0xfe ? AF_UNSPEC : AF_INET);
        in->sin_port = htons((uint16_t)(1000 + (choice >> 4)));
        in->sin_addr.s_addr = htonl(choice & 8 ? 0 : 0x0a000000u + (choice >> 1 & 3));
    }
    return at;
}

/* Mostly the right one. */
static socklen_t length_near(struct fuzz *f, size_t right)
{
    uint8_t choice = get_u8(&f->input);

    return choice < 192 ? (socklen_t)right : (socklen_t)(choice - 192) * 2;
}

static const struct sockaddr *lend_address(struct fuzz *f, socklen_t *length)
{
    struct sockaddr_storage at = address(f);
    void *to;

    *length = length_near(f, at.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                      : sizeof(struct sockaddr_in));
    to = lend(f, *length);
    memcpy(to, &at, *length < sizeof(at) ? *length : sizeof(at));
    return to;
}

static void says(ssize_t result)
{
    must(result >= 0 || (result == -1 && errno > 0));
}

/* --- calls ------------------------------------------------------------------------------------ */

static void open_one(struct fuzz *f)
{
    uint8_t choice = get_u8(&f->input);
    int *at = place(f);
    int type = choice & 2 ? SOCK_DGRAM : SOCK_STREAM;
    int fd = -1;

    if (f->sockets < SOCKETS)
        fd = tlsyn_socket(f->side[choice & 1].net, choice & 4 ? AF_INET6 : AF_INET,
                          type | SOCK_NONBLOCK | (choice & 8 ? SOCK_CLOEXEC : 0), choice >> 4);
    if (fd < 0)
        return;
    f->sockets++;
    *at = fd;
}

static void accept_one(struct fuzz *f)
{
    int listener = *place(f), *at = place(f);
    socklen_t length = length_near(f, sizeof(struct sockaddr_in));
    int fd = -1;

    if (f->sockets < SOCKETS)
        fd = tlsyn_accept4(listener, lend(f, length), &length, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    f->sockets++;
    *at = fd;
}

/* Levels, names: those that there are, and others. */
static void option(struct fuzz *f, bool set)
{
    static const int levels[] = {SOL_SOCKET,   IPPROTO_TCP, IPPROTO_IP,
                                 IPPROTO_IPV6, SOL_TLSYN,   0x77};
    int fd = *place(f), level = levels[get_u8(&f->input) % 6], name = get_u8(&f->input) % 80;
    socklen_t length = length_near(f, sizeof(int));
    uint8_t *value = lend(f, length);

    if (!set) {
        socklen_t before = length;

        says(tlsyn_getsockopt(fd, level, name, value, &length));
        must(length <= before);
        return;
    }
    get_bytes(&f->input, value, length);
    if (level == SOL_SOCKET && (name == SO_LINGER || name == SO_RCVTIMEO || name == SO_SNDTIMEO))
        memset(value, 0, length); /* nobody would move the clock meanwhile */
    says(tlsyn_setsockopt(fd, level, name, value, length));
}

static void name_of(struct fuzz *f, bool peer)
{
    int fd = *place(f);
    socklen_t length = length_near(f, sizeof(struct sockaddr_in6));
    void *to = lend(f, length);

    says(peer ? tlsyn_getpeername(fd, to, &length) : tlsyn_getsockname(fd, to, &length));
}

/* Signals apart: SIGURG would go to whomever chance names. */
static void control(struct fuzz *f)
{
    static const unsigned long requests[] = {FIONREAD, TIOCOUTQ, 0x894B, SIOCATMARK, 0x5401};
    int fd = *place(f), argument = 0;
    uint8_t choice = get_u8(&f->input);

    switch (choice % 4) {
    case 0:
        says(tlsyn_fcntl(fd, F_GETFL));
        break;
    case 1:
        says(tlsyn_fcntl(fd, F_SETFL, get_u16(&f->input) | O_NONBLOCK));
        break;
    case 2:
        says(tlsyn_fcntl(fd, choice & 4 ? F_GETOWN : F_GETFD));
        break;
    default:
        says(tlsyn_ioctl(fd, requests[choice / 4 % 5], &argument));
    }
}

#define FLAGS                                                                                      \
    (MSG_OOB | MSG_PEEK | MSG_DONTROUTE | MSG_TRUNC | MSG_WAITALL | MSG_MORE | MSG_FASTOPEN)

#define MANY 3

/* The same message as often as `how` says; never more of them than that. */
static void many_messages(struct fuzz *f, int fd, const struct msghdr *message, uint8_t how,
                          int flags)
{
    struct mmsghdr all[MANY];
    unsigned int count = how % (MANY + 1);
    struct timespec timeout = {.tv_nsec = (long)get_u8(&f->input) << 23};
    int done;

    for (int i = 0; i < MANY; i++)
        all[i] = (struct mmsghdr){.msg_hdr = *message};
    if (flags & MSG_DONTWAIT)
        done = tlsyn_recvmmsg(fd, all, count, flags, how & 8 ? &timeout : NULL);
    else
        done = tlsyn_sendmmsg(fd, all, count, flags);
    says(done);
    must(done <= (int)count);
}

static void send_some(struct fuzz *f)
{
    int fd = *place(f), flags = (int)(get_u32(&f->input) & FLAGS) | MSG_NOSIGNAL;
    size_t n = get_u16(&f->input) % LENT_MAX;
    struct sockaddr_storage to = address(f);
    uint8_t how = get_u8(&f->input);
    socklen_t length = how & 1 ? sizeof(to) : 0;
    struct iovec parts[2] = {{lend(f, n), n / 2}, {NULL, 0}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    parts[1] = (struct iovec){(char *)f->lent + n / 2, n - n / 2};
    if (how & 1) {
        message.msg_name = &to;
        message.msg_namelen = length;
    }
    if (how & 4) {
        many_messages(f, fd, &message, how, flags);
        return;
    }
    ssize_t sent = how & 2 ? tlsyn_sendmsg(fd, &message, flags)
                           : tlsyn_sendto(fd, f->lent, n, flags,
                                          how & 1 ? (struct sockaddr *)&to : NULL, length);
    says(sent);
    must(sent <= (ssize_t)n);
}

static void receive_some(struct fuzz *f)
{
    int fd = *place(f), flags = (int)(get_u32(&f->input) & FLAGS) | MSG_DONTWAIT;
    size_t n = get_u16(&f->input) % LENT_MAX;
    uint8_t how = get_u8(&f->input), about[64];
    struct sockaddr_storage from;
    socklen_t length = how & 1 ? how % sizeof(from) : sizeof(from);
    struct iovec parts[2] = {{lend(f, n), n / 2}, {NULL, 0}};
    struct msghdr message = {.msg_iov = parts,
                             .msg_iovlen = 2,
                             .msg_name = &from,
                             .msg_namelen = length,
                             .msg_control = about,
                             .msg_controllen = how % sizeof(about)};

    parts[1] = (struct iovec){(char *)f->lent + n / 2, n - n / 2};
    if (how & 4) {
        many_messages(f, fd, &message, how, flags);
        return;
    }
    ssize_t got = how & 2
                      ? tlsyn_recvmsg(fd, &message, flags)
                      : tlsyn_recvfrom(fd, f->lent, n, flags, (struct sockaddr *)&from, &length);
    says(got);
    must(flags & MSG_TRUNC || got <= (ssize_t)n);
}

static void poll_all(struct fuzz *f)
{
    struct pollfd fds[PLACES];

    for (int i = 0; i < PLACES; i++)
        fds[i] = (struct pollfd){.fd = f->fd[i], .events = (short)get_u8(&f->input)};
    says(tlsyn_poll(fds, PLACES, 0));
}

/* --- the world -------------------------------------------------------------------------------- */

/* What has come in, and what is due. True: something had. */
static bool turn_side(struct fuzz *f, int i)
{
    struct tlsyn_frame frames[TLSYN_LINK_BATCH];
    struct tlsyn_stack *stack = tlsyn_net_lock(f->side[i].net);
    int n = tlsyn_link_receive(f->end[i], frames, TLSYN_LINK_BATCH, f->now);

    for (int k = 0; k < n; k++)
        (void)tlsyn_stack_input(stack, f->side[i].iface, &frames[k], f->now);
    tlsyn_net_unlock(f->side[i].net);
    tlsyn_net_turn(f->side[i].net);
    return n > 0;
}

static void turn(struct fuzz *f)
{
    for (int rounds = 0; rounds < ROUNDS; rounds++)
        if (turn_side(f, 0) + turn_side(f, 1) == 0)
            return;
}

static void step(struct fuzz *f)
{
    uint8_t op = get_u8(&f->input) % 16;
    const struct sockaddr *at;
    socklen_t length;
    int fd;

    switch (op) {
    case 0:
        open_one(f);
        break;
    case 1:
        fd = *place(f);
        at = lend_address(f, &length);
        says(tlsyn_bind(fd, at, length));
        break;
    case 2:
        fd = *place(f);
        says(tlsyn_listen(fd, (int8_t)get_u8(&f->input)));
        break;
    case 3:
        fd = *place(f);
        at = lend_address(f, &length);
        says(tlsyn_connect(fd, at, length));
        break;
    case 4:
        accept_one(f);
        break;
    case 5:
        says(tlsyn_close(*place(f)));
        break;
    case 6:
        fd = *place(f);
        says(tlsyn_shutdown(fd, (int8_t)get_u8(&f->input) % 4));
        break;
    case 7:
    case 8:
        option(f, op == 7);
        break;
    case 9:
        name_of(f, get_u8(&f->input) & 1);
        break;
    case 10:
        control(f);
        break;
    case 11:
        send_some(f);
        break;
    case 12:
        receive_some(f);
        break;
    case 13:
        poll_all(f);
        break;
    case 14:
        f->now += (tlsyn_time)get_u16(&f->input) * 100;
        break;
    default:
        fd = get_u8(&f->input);
        test_memory_fail(&f->side[fd & 1].memory, (unsigned)fd % 8 + 1);
    }
    turn(f);
}

static void add_address(struct side *side, uint8_t last)
{
    const uint8_t ip4[4] = {10, 0, 0, last};
    const struct tlsyn_addr addr4 = tlsyn_addr_ip4(ip4), addr6 = {{0xfd, 0x77, [15] = last}};

    must(tlsyn_iface_address(side->iface, &addr4, 24) == 0);
    must(tlsyn_iface_address(side->iface, &addr6, 64) == 0);
}

static void open_side(struct fuzz *f, int i)
{
    struct side *side = &f->side[i];
    struct tlsyn_limits limits;

    tlsyn_limits_default(&limits);
    limits.connections = 12;
    limits.ring_bytes = 1 << 20;
    test_memory_init(&side->memory);
    random_seed(&side->random, (uint64_t)i + 1);
    const struct tlsyn_stack_options options = {
        .limits = &limits, .now = BIRTH, .alloc = &side->memory.base, .random = &side->random.base};
    side->stack = tlsyn_stack_new(&options);
    must(side->stack != NULL);
    must(tlsyn_iface_add(side->stack, f->end[i], &side->iface) == 0);
    add_address(side, (uint8_t)(i + 1));
    const struct tlsyn_net_options net = {.stack = side->stack, .clock = &f->clock, .hidden = true};
    must(tlsyn_net_open(&net, &side->net) == 0);
}

static void close_side(struct fuzz *f, int i)
{
    tlsyn_net_close(f->side[i].net);
    tlsyn_stack_free(f->side[i].stack);
    tlsyn_link_close(f->end[i]);
    must(f->side[i].memory.blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;
    const struct tlsyn_link_caps caps = {.mtu = MTU};

    f = (struct fuzz){.clock = {now}, .now = BIRTH, .input = reader_of(data, size)};
    memset(f.fd, -1, sizeof(f.fd));
    must(tlsyn_pipe_open(&caps, 256, f.end) == 0);
    for (int i = 0; i < SIDES; i++)
        open_side(&f, i);
    f.now += TLSYN_SECONDS(3); /* nobody has claimed the IPv6 addresses */
    turn(&f);
    while (f.input.left > 0)
        step(&f);
    for (int i = 0; i < SIDES; i++)
        close_side(&f, i);
    free(f.lent);
    return 0;
}
