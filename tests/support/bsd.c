/*
 * support/bsd.c: see bsd.h.
 */
#include "support/bsd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/cable.h"
#include "support/must.h"
#include "support/valve.h"
#include "support/wire.h"

#define PATIENCE_MS 5000

static void set_addresses(struct bsd *b, enum bsd_side side, const char *ip4, const char *ip6)
{
    b->at[side] = (struct sockaddr_in){.sin_family = AF_INET};
    b->at6[side] = (struct sockaddr_in6){.sin6_family = AF_INET6};
    must(inet_pton(AF_INET, ip4, &b->at[side].sin_addr) == 1);
    must(inet_pton(AF_INET6, ip6, &b->at6[side].sin6_addr) == 1);
}

void bsd_kernel(struct bsd *b)
{
    *b = (struct bsd){
        .name = "the kernel",
        .bind = bind,
        .listen = listen,
        .accept4 = accept4,
        .connect = connect,
        .sendto = sendto,
        .sendmsg = sendmsg,
        .recvfrom = recvfrom,
        .recvmsg = recvmsg,
        .sendmmsg = sendmmsg,
        .recvmmsg = recvmmsg,
        .read = read,
        .write = write,
        .readv = readv,
        .writev = writev,
        .shutdown = shutdown,
        .close = close,
        .getsockname = getsockname,
        .getpeername = getpeername,
        .getsockopt = getsockopt,
        .setsockopt = setsockopt,
        .fcntl = fcntl,
        .ioctl = ioctl,
        .poll = poll,
    };
    set_addresses(b, CLIENT, "127.0.0.1", "::1");
    set_addresses(b, SERVER, "127.0.0.1", "::1");
}

void bsd_calls(struct bsd *b)
{
    *b = (struct bsd){
        .name = "ours",
        .bind = tlsyn_bind,
        .listen = tlsyn_listen,
        .accept4 = tlsyn_accept4,
        .connect = tlsyn_connect,
        .sendto = tlsyn_sendto,
        .sendmsg = tlsyn_sendmsg,
        .recvfrom = tlsyn_recvfrom,
        .recvmsg = tlsyn_recvmsg,
        .sendmmsg = tlsyn_sendmmsg,
        .recvmmsg = tlsyn_recvmmsg,
        .read = tlsyn_read,
        .write = tlsyn_write,
        .readv = tlsyn_readv,
        .writev = tlsyn_writev,
        .shutdown = tlsyn_shutdown,
        .close = tlsyn_close,
        .getsockname = tlsyn_getsockname,
        .getpeername = tlsyn_getpeername,
        .getsockopt = tlsyn_getsockopt,
        .setsockopt = tlsyn_setsockopt,
        .fcntl = tlsyn_fcntl,
        .ioctl = tlsyn_ioctl,
        .poll = tlsyn_poll,
    };
}

void bsd_ours(struct bsd *b)
{
    bsd_calls(b);
    cable_open(0, b->link);
    for (int i = 0; i < BSD_SIDES; i++) {
        const struct tlsyn_net_options options = {.link = b->link[i],
                                                  .address = i == CLIENT ? "10.9.0.1/24,fd09::1/64"
                                                                         : "10.9.0.2/24,fd09::2/64",
                                                  .no_dad = true};

        must(tlsyn_net_open(&options, &b->net[i]) == 0);
    }
    set_addresses(b, CLIENT, "10.9.0.1", "fd09::1");
    set_addresses(b, SERVER, "10.9.0.2", "fd09::2");
}

void bsd_at_home(struct bsd *b)
{
    struct tlsyn_net_options options = {.address = "10.9.0.1/24,fd09::1/64", .no_dad = true};

    bsd_calls(b);
    b->name = "at home";
    cable_open(0, b->link);
    options.link = b->link[CLIENT];
    must(tlsyn_net_open(&options, &b->net[CLIENT]) == 0);
    b->net[SERVER] = b->net[CLIENT];
    set_addresses(b, CLIENT, "127.0.0.1", "::1");
    set_addresses(b, SERVER, "127.0.0.1", "::1");
}

/* --- both at once: whose a descriptor is decides ---------------------------------------------- */

static bool is_ours(int fd)
{
    return tlsyn_fcntl(fd, F_GETFL) >= 0;
}

#define EITHER(type, name, declared, ...)                                                          \
    static type either_##name declared                                                             \
    {                                                                                              \
        return is_ours(fd) ? tlsyn_##name(__VA_ARGS__) : name(__VA_ARGS__);                        \
    }

/* clang-format off */
EITHER(int, bind, (int fd, const struct sockaddr *a, socklen_t n), fd, a, n)
EITHER(int, listen, (int fd, int backlog), fd, backlog)
EITHER(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), fd, a, n, flags)
EITHER(int, connect, (int fd, const struct sockaddr *a, socklen_t n), fd, a, n)
EITHER(ssize_t, sendto, (int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t l), fd, p, n, flags, a, l)
EITHER(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), fd, m, flags)
EITHER(ssize_t, recvfrom, (int fd, void *p, size_t n, int flags, struct sockaddr *a, socklen_t *l), fd, p, n, flags, a, l)
EITHER(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), fd, m, flags)
EITHER(int, sendmmsg, (int fd, struct mmsghdr *m, unsigned int n, int flags), fd, m, n, flags)
EITHER(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned int n, int flags, struct timespec *t), fd, m, n, flags, t)
EITHER(ssize_t, read, (int fd, void *p, size_t n), fd, p, n)
EITHER(ssize_t, write, (int fd, const void *p, size_t n), fd, p, n)
EITHER(ssize_t, readv, (int fd, const struct iovec *v, int n), fd, v, n)
EITHER(ssize_t, writev, (int fd, const struct iovec *v, int n), fd, v, n)
EITHER(int, shutdown, (int fd, int how), fd, how)
EITHER(int, close, (int fd), fd)
EITHER(int, getsockname, (int fd, struct sockaddr *a, socklen_t *n), fd, a, n)
EITHER(int, getpeername, (int fd, struct sockaddr *a, socklen_t *n), fd, a, n)
EITHER(int, getsockopt, (int fd, int level, int name, void *p, socklen_t *n), fd, level, name, p, n)
EITHER(int, setsockopt, (int fd, int level, int name, const void *p, socklen_t n), fd, level, name, p, n)
/* clang-format on */

static int either_fcntl(int fd, int command, ...)
{
    va_list arguments;
    int argument;

    va_start(arguments, command);
    argument = va_arg(arguments, int);
    va_end(arguments);
    return is_ours(fd) ? tlsyn_fcntl(fd, command, argument) : fcntl(fd, command, argument);
}

static int either_ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return is_ours(fd) ? tlsyn_ioctl(fd, request, argument) : ioctl(fd, request, argument);
}

static void fill_either(struct bsd *b)
{
    *b = (struct bsd){
        .bind = either_bind,
        .listen = either_listen,
        .accept4 = either_accept4,
        .connect = either_connect,
        .sendto = either_sendto,
        .sendmsg = either_sendmsg,
        .recvfrom = either_recvfrom,
        .recvmsg = either_recvmsg,
        .sendmmsg = either_sendmmsg,
        .recvmmsg = either_recvmmsg,
        .read = either_read,
        .write = either_write,
        .readv = either_readv,
        .writev = either_writev,
        .shutdown = either_shutdown,
        .close = either_close,
        .getsockname = either_getsockname,
        .getpeername = either_getpeername,
        .getsockopt = either_getsockopt,
        .setsockopt = either_setsockopt,
        .fcntl = either_fcntl,
        .ioctl = either_ioctl,
        .poll = tlsyn_poll,
    };
}

bool bsd_mixed(struct bsd *b, enum bsd_side ours)
{
    struct tlsyn_net_options options = {.address = "10.0.0.2/24,fd00::2/64", .no_dad = true};
    enum bsd_side theirs = ours == CLIENT ? SERVER : CLIENT;

    if (!test_wire_open())
        return false;
    (void)test_wire_ip6();
    fill_either(b);
    b->name = ours == CLIENT ? "our client" : "our server";
    must(tlsyn_afpacket_open(TEST_WIRE_FAR, NULL, &b->link[ours]) == 0);
    options.link = b->link[ours] = valve_wrap(b->link[ours]);
    must(tlsyn_net_open(&options, &b->net[ours]) == 0);
    set_addresses(b, ours, "10.0.0.2", "fd00::2");
    set_addresses(b, theirs, "10.0.0.1", "fd00::1");
    return true;
}

void bsd_silence(struct bsd *b)
{
    valve_shut(b->link[b->net[CLIENT] ? CLIENT : SERVER]);
}

/* --- for scenarios ---------------------------------------------------------------------------- */

void bsd_end(struct bsd *b)
{
    for (int i = 0; i < BSD_SIDES; i++) {
        if (i == CLIENT || b->net[i] != b->net[CLIENT])
            tlsyn_net_close(b->net[i]);
    }
    for (int i = 0; i < BSD_SIDES; i++)
        tlsyn_link_close(b->link[i]);
}

int bsd_socket(struct bsd *b, enum bsd_side side, int domain, int type, int protocol)
{
    return b->net[side] ? tlsyn_socket(b->net[side], domain, type, protocol)
                        : socket(domain, type, protocol);
}

struct sockaddr_in bsd_address(const struct bsd *b, enum bsd_side side, uint16_t port)
{
    struct sockaddr_in at = b->at[side];

    at.sin_port = htons(port);
    return at;
}

struct sockaddr_in6 bsd_address6(const struct bsd *b, enum bsd_side side, uint16_t port)
{
    struct sockaddr_in6 at = b->at6[side];

    at.sin6_port = htons(port);
    return at;
}

int bsd_listener(struct bsd *b, struct sockaddr_in *at, int backlog)
{
    int fd = bsd_socket(b, SERVER, AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof(*at);

    *at = bsd_address(b, SERVER, 0);
    must(b->bind(fd, (struct sockaddr *)at, sizeof(*at)) == 0);
    must(b->listen(fd, backlog) == 0);
    must(b->getsockname(fd, (struct sockaddr *)at, &length) == 0);
    return fd;
}

void bsd_connection(struct bsd *b, int *client, int *server)
{
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 1);

    *client = bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0);
    must(b->connect(*client, (struct sockaddr *)&at, sizeof(at)) == 0);
    *server = b->accept4(listener, NULL, NULL, 0);
    must(*server >= 0);
    must(b->close(listener) == 0);
}

int bsd_await(struct bsd *b, int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    if (events)
        (void)b->poll(&p, 1, PATIENCE_MS);
    p.events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;
    (void)b->poll(&p, 1, 0);
    return p.revents;
}

void bsd_await_bytes(struct bsd *b, int fd, size_t n)
{
    char *bytes = malloc(n);

    for (int i = 0; i < PATIENCE_MS; i++) {
        if (b->recvfrom(fd, bytes, n, MSG_PEEK | MSG_DONTWAIT, NULL, NULL) == (ssize_t)n)
            break;
        (void)usleep(1000);
    }
    free(bytes);
}

long bsd_note(struct bsd *b, int line, const char *text, long result)
{
    int error = errno;

    if (result < 0)
        fprintf(b->log, "%d: %s = %ld %s\n", line, text, result, strerrorname_np(error));
    else
        fprintf(b->log, "%d: %s = %ld\n", line, text, result);
    return result;
}

static char *run(void (*scenario)(struct bsd *), struct bsd *b)
{
    char *text = NULL;
    size_t size;

    b->log = open_memstream(&text, &size);
    scenario(b);
    (void)fclose(b->log);
    bsd_end(b);
    return text;
}

void bsd_tell(char *kernel, char *ours, const char *name)
{
    char *k = kernel, *o = ours;
    int told = 0;

    while (*k && *o && told < 8) {
        size_t nk = strcspn(k, "\n"), no = strcspn(o, "\n");

        if ((nk != no || memcmp(k, o, nk) != 0) && told++ < 8)
            fprintf(stderr, "the kernel  %.*s\n%-11s %.*s\n", (int)nk, k, name, (int)no, o);
        k += nk + (k[nk] == '\n');
        o += no + (o[no] == '\n');
    }
}

static bool open_way(struct bsd *b, enum bsd_way way)
{
    if (way == BSD_OUR_CLIENT || way == BSD_OUR_SERVER)
        return bsd_mixed(b, way == BSD_OUR_CLIENT ? CLIENT : SERVER);
    if (way == BSD_AT_HOME)
        bsd_at_home(b);
    else
        bsd_ours(b);
    return true;
}

void bsd_compare(void (*scenario)(struct bsd *), enum bsd_way way)
{
    struct bsd b;
    char *kernel, *ours;
    bool same;

    bsd_kernel(&b);
    kernel = run(scenario, &b);
    if (!open_way(&b, way)) {
        free(kernel);
        return;
    }
    ours = run(scenario, &b);
    same = strcmp(kernel, ours) == 0;
    if (!same)
        bsd_tell(kernel, ours, b.name);
    free(kernel);
    free(ours);
    must(same);
}
