/*
 * link/packet_messages.c: frames of an AF_PACKET socket by recvmmsg(2). See packet_messages.h. Read
 * first: packet(7) on PACKET_AUXDATA, recvmmsg(2), socket(7) on SO_TIMESTAMPNS.
 */
#include "link/packet_messages.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <time.h>

#include "link/frame.h"

#define CONTROL_BYTES                                                                              \
    (CMSG_SPACE(sizeof(struct tpacket_auxdata)) + CMSG_SPACE(sizeof(struct timespec)))

struct packet_message {
    struct iovec iov;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
};

int packet_messages_open(struct packet_messages *m, int front)
{
    *m = (struct packet_messages){
        .message = link_alloc(TLSYN_LINK_BATCH * sizeof(*m->message)),
        .header = link_alloc(TLSYN_LINK_BATCH * sizeof(*m->header)),
        .memory = link_alloc((size_t)TLSYN_LINK_BATCH * FRAME_SLOT_BYTES),
        .front = front,
    };
    if (!m->message || !m->header || !m->memory) {
        packet_messages_close(m);
        return -ENOMEM;
    }
    for (int i = 0; i < TLSYN_LINK_BATCH; i++) {
        struct packet_message *message = &m->message[i];

        message->iov = (struct iovec){m->memory + (size_t)i * FRAME_SLOT_BYTES, FRAME_SLOT_BYTES};
        m->header[i].msg_hdr = (struct msghdr){.msg_iov = &message->iov,
                                               .msg_iovlen = 1,
                                               .msg_control = message->control,
                                               .msg_controllen = CONTROL_BYTES};
    }
    return 0;
}

/* What the kernel says beside a frame. */
static void read_notes(struct msghdr *msg, struct packet_slot *slot)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;

            memcpy(&t, CMSG_DATA(c), sizeof(t));
            slot->when = TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
        } else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;

            memcpy(&aux, CMSG_DATA(c), sizeof(aux));
            slot->status = aux.tp_status;
            slot->vlan_tci = aux.tp_vlan_tci;
        }
    }
}

/* A slot has room for the longest frame there is, so that one that was cut is a stray: how long it
 * was does not matter. */
static void read_message(const struct packet_messages *m, struct mmsghdr *header,
                         struct packet_slot *slot)
{
    uint32_t front = (uint32_t)m->front, len = header->msg_len;
    bool cut = header->msg_hdr.msg_flags & MSG_TRUNC;

    *slot = (struct packet_slot){
        .bytes = (uint8_t *)header->msg_hdr.msg_iov->iov_base + front,
        .there = len > front ? len - front : 0,
    };
    slot->len = cut ? slot->there + 1 : slot->there;
    read_notes(&header->msg_hdr, slot);
    header->msg_hdr.msg_controllen = CONTROL_BYTES; /* recvmmsg(2) overwrote it */
}

int packet_messages_take(struct packet_messages *m, int fd, struct packet_slot *slots, int max)
{
    int n = recvmmsg(fd, m->header, (unsigned)max, MSG_DONTWAIT, NULL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
    for (int i = 0; i < n; i++)
        read_message(m, &m->header[i], &slots[i]);
    return n;
}

void packet_messages_close(struct packet_messages *m)
{
    link_free(m->message);
    link_free(m->header);
    link_free(m->memory);
    *m = (struct packet_messages){0};
}
