/*
 * lab/netlink.h: one rtnetlink request: built attribute by attribute, sent, its acknowledgement
 * awaited. Read first: RFC 3549 2.2, 2.3; netlink(7), rtnetlink(7).
 *
 *     netlink_begin -> { netlink_put, netlink_nest .. netlink_end }* -> netlink_talk
 *
 * A request that outgrew its buffer is refused as a whole by netlink_talk(), so building
 * needs no checks.
 */
#ifndef LAB_NETLINK_H
#define LAB_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink_request {
    union {
        struct nlmsghdr header;
        uint8_t bytes[1024];
    };
    size_t len;
    bool overflow;
};

/** An rtnetlink socket for the network namespace that the caller is in now. The
 * descriptor, or -errno. */
int netlink_open(void);

/** Starts a request of `type` (RTM_..) with NLM_F_REQUEST, NLM_F_ACK and `flags`, and copies the
 * family's own header behind netlink's. */
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
                   const void *family_header, size_t size);

/** Appends raw bytes, padded to NLMSG_ALIGNTO: the header inside VETH_INFO_PEER. */
void netlink_append(struct netlink_request *request, const void *bytes, size_t size);

/** Appends an attribute. */
void netlink_put(struct netlink_request *request, uint16_t type, const void *value, size_t size);
void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value);
void netlink_put_text(struct netlink_request *request, uint16_t type, const char *text);

/** Opens an attribute that holds what is appended until netlink_end() with the returned offset. */
size_t netlink_nest(struct netlink_request *request, uint16_t type);
void netlink_end(struct netlink_request *request, size_t nest);

/** Sends the request and waits for the kernel's answer: 0 or the kernel's -errno. -EMSGSIZE:
 * outgrew its buffer. */
int netlink_talk(int fd, struct netlink_request *request);

#endif
