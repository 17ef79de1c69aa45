/*
 * lab/netlink.c: one rtnetlink request and its answer.
 * Read first: RFC 3549 2.2, 2.3; netlink(7), rtnetlink(7).
 */
#include "lab/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int netlink_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    return fd < 0 ? -errno : fd;
}

/* Room for `size` bytes at the end, zeroed and padded; NULL when there is none. */
static uint8_t *grow(struct netlink_request *request, size_t size)
{
    size_t padded = NLMSG_ALIGN(size);
    uint8_t *room = request->bytes + request->len;

    if (request->overflow || padded > sizeof(request->bytes) - request->len) {
        request->overflow = true;
        return NULL;
    }
    memset(room, 0, padded);
    request->len += padded;
    return room;
}

void netlink_append(struct netlink_request *request, const void *bytes, size_t size)
{
    uint8_t *room = grow(request, size);

    if (room && size > 0)
        memcpy(room, bytes, size);
}

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
                   const void *family_header, size_t size)
{
    memset(request, 0, sizeof(*request));
    request->len = NLMSG_HDRLEN;
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    netlink_append(request, family_header, size);
}

void netlink_put(struct netlink_request *request, uint16_t type, const void *value, size_t size)
{
    struct rtattr attribute = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(size)};
    uint8_t *room = grow(request, RTA_LENGTH(size));

    if (!room)
        return;
    memcpy(room, &attribute, sizeof(attribute));
    if (size > 0)
        memcpy(room + RTA_LENGTH(0), value, size);
}

void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value)
{
    netlink_put(request, type, &value, sizeof(value));
}

void netlink_put_text(struct netlink_request *request, uint16_t type, const char *text)
{
    netlink_put(request, type, text, strlen(text) + 1);
}

size_t netlink_nest(struct netlink_request *request, uint16_t type)
{
    size_t nest = request->len;

    netlink_put(request, type, NULL, 0);
    return nest;
}

void netlink_end(struct netlink_request *request, size_t nest)
{
    uint16_t len = (uint16_t)(request->len - nest);

    if (!request->overflow)
        memcpy(request->bytes + nest + offsetof(struct rtattr, rta_len), &len, sizeof(len));
}

/* The kernel answers a request that asked for it with NLMSG_ERROR, whose error 0 is the
 * acknowledgement. */
static int await_answer(int fd, uint32_t sequence)
{
    union {
        struct nlmsghdr header;
        uint8_t bytes[4096];
    } answer;

    for (;;) {
        ssize_t got = recv(fd, &answer, sizeof(answer), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if ((size_t)got < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
            return -EBADMSG;
        if (answer.header.nlmsg_seq != sequence || answer.header.nlmsg_type != NLMSG_ERROR)
            continue;
        struct nlmsgerr verdict;
        memcpy(&verdict, answer.bytes + NLMSG_HDRLEN, sizeof(verdict));
        return verdict.error;
    }
}

int netlink_talk(int fd, struct netlink_request *request)
{
    static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    if (request->overflow)
        return -EMSGSIZE;
    request->header.nlmsg_len = (uint32_t)request->len;
    request->header.nlmsg_seq = 1;
    ssize_t sent = sendto(fd, request->bytes, request->len, 0, (const struct sockaddr *)&kernel,
                          sizeof(kernel));
    if (sent < 0)
        return -errno;
    return await_answer(fd, request->header.nlmsg_seq);
}
