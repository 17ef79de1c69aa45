/*
 * support/cable.c: see cable.h.
 */
#include "support/cable.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/must.h"

#define FRAME_MAX   (66 << 10)
#define BUFFER_SIZE (4 << 20)

/* What a frame has beside its bytes; goes in front of them. */
struct label {
    uint8_t flags, gso_type;
    uint16_t gso_size, hdr_len, csum_start, csum_offset;
};

struct cable {
    struct tlsyn_link link;
    int fd;
    struct label label[TLSYN_LINK_BATCH];
    uint8_t memory[TLSYN_LINK_BATCH][FRAME_MAX];
};

static struct cable *cable_of(struct tlsyn_link *link)
{
    return (struct cable *)(void *)link; /* first member */
}

static int receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max, tlsyn_time now)
{
    struct cable *c = cable_of(link);
    int n = 0;

    (void)now;
    for (; n < max; n++) {
        struct label *l = &c->label[n];
        struct iovec parts[2] = {{l, sizeof(*l)}, {c->memory[n], FRAME_MAX}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t len = recvmsg(c->fd, &message, MSG_DONTWAIT);

        if (len <= (ssize_t)sizeof(*l))
            break;
        frames[n] = (struct tlsyn_frame){
            .iov = {{c->memory[n], (size_t)len - sizeof(*l)}},
            .iovcnt = 1,
            .flags = l->flags & TLSYN_FRAME_CSUM_PARTIAL
                         ? TLSYN_FRAME_CSUM_PARTIAL | TLSYN_FRAME_CSUM_VERIFIED
                         : 0,
            .gso_type = l->gso_type,
            .gso_size = l->gso_size,
            .hdr_len = l->hdr_len,
            .csum_start = l->csum_start,
            .csum_offset = l->csum_offset,
        };
    }
    return n;
}

static int transmit_one(struct cable *c, const struct tlsyn_frame *f)
{
    struct label l = {f->flags,   f->gso_type,   f->gso_size,
                      f->hdr_len, f->csum_start, f->csum_offset};
    struct iovec parts[4] = {{&l, sizeof(l)}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 1u + f->iovcnt};

    for (int i = 0; i < f->iovcnt; i++)
        parts[i + 1] = f->iov[i];
    return sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -ENOBUFS : 0;
}

static int transmit(struct tlsyn_link *link, const struct tlsyn_frame *f, int n, tlsyn_time now)
{
    (void)now;
    for (int i = 0; i < n; i++)
        if (transmit_one(cable_of(link), &f[i]) < 0)
            return i ? i : -ENOBUFS;
    return n;
}

static int descriptor(struct tlsyn_link *link)
{
    return cable_of(link)->fd;
}

static void close_end(struct tlsyn_link *link)
{
    (void)close(cable_of(link)->fd);
    free(link);
}

static struct tlsyn_link *make(int fd, uint8_t number, uint32_t gso)
{
    static const struct tlsyn_link_ops ops = {
        .receive = receive, .transmit = transmit, .fd = descriptor, .close = close_end};
    struct cable *c = calloc(1, sizeof(*c));
    const int size = BUFFER_SIZE;

    must(c != NULL);
    c->link.ops = &ops;
    c->link.caps = (struct tlsyn_link_caps){
        .mtu = 1500, .gso_max = gso, .csum = gso > 0, .hwaddr = {2, 0, 0, 0, 1, number}};
    c->fd = fd;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return &c->link;
}

void cable_open(uint32_t gso, struct tlsyn_link *ends[2])
{
    int fds[2];

    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
    for (int i = 0; i < 2; i++)
        ends[i] = make(fds[i], (uint8_t)(i + 1), gso);
}
