/*
 * support/bsd.c: see bsd.h.
 */
#include "support/bsd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/cable.h"
#include "support/must.h"

#define PATIENCE_MS 5000

static const char *const addresses[BSD_SIDES] = {"10.9.0.1/24,fd09::1/64",
                                                 "10.9.0.2/24,fd09::2/64"};

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
}

void bsd_ours(struct bsd *b)
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
    cable_open(0, b->link);
    for (int i = 0; i < BSD_SIDES; i++) {
        const struct tlsyn_net_options options = {
            .link = b->link[i], .address = addresses[i], .no_dad = true};

        must(tlsyn_net_open(&options, &b->net[i]) == 0);
    }
}

void bsd_end(struct bsd *b)
{
    for (int i = 0; i < BSD_SIDES; i++) {
        tlsyn_net_close(b->net[i]);
        tlsyn_link_close(b->link[i]);
    }
}

int bsd_socket(struct bsd *b, enum bsd_side side, int domain, int type, int protocol)
{
    return b->net[side] ? tlsyn_socket(b->net[side], domain, type, protocol)
                        : socket(domain, type, protocol);
}

struct sockaddr_in bsd_address(const struct bsd *b, enum bsd_side side, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

    at.sin_addr.s_addr = htonl(!b->net[side] ? INADDR_LOOPBACK : 0x0a090001u + side);
    return at;
}

struct sockaddr_in6 bsd_address6(const struct bsd *b, enum bsd_side side, uint16_t port)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    at.sin6_addr.s6_addr[15] = (uint8_t)(b->net[side] ? side + 1 : 1);
    if (b->net[side])
        memcpy(at.sin6_addr.s6_addr, (const uint8_t[2]){0xfd, 0x09}, 2);
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

static char *run(void (*scenario)(struct bsd *), void (*open)(struct bsd *))
{
    struct bsd b;
    char *text = NULL;
    size_t size;

    open(&b);
    b.log = open_memstream(&text, &size);
    scenario(&b);
    (void)fclose(b.log);
    bsd_end(&b);
    return text;
}

/* The first lines that differ, on stderr. */
static void tell(char *kernel, char *ours)
{
    char *k = kernel, *o = ours;
    int told = 0;

    while (*k && *o && told < 8) {
        size_t nk = strcspn(k, "\n"), no = strcspn(o, "\n");

        if ((nk != no || memcmp(k, o, nk) != 0) && told++ < 8)
            fprintf(stderr, "the kernel  %.*s\nours        %.*s\n", (int)nk, k, (int)no, o);
        k += nk + (k[nk] == '\n');
        o += no + (o[no] == '\n');
    }
}

void bsd_compare(void (*scenario)(struct bsd *))
{
    char *kernel = run(scenario, bsd_kernel);
    char *ours = run(scenario, bsd_ours);
    bool same = strcmp(kernel, ours) == 0;

    if (!same)
        tell(kernel, ours);
    free(kernel);
    free(ours);
    must(same);
}
