/*
 * link/afpacket.c: Ethernet frames through an AF_PACKET socket.
 *
 * Read first: packet(7); linux/virtio_net.h; OASIS VIRTIO 1.2, 5.1.6.
 *
 * Frames come in through a ring (packet_ring.h) or by recvmmsg(2) (packet_messages.h), whichever
 * was asked for or, if the kernel has no ring for us, works. The figures of both are in
 * docs/MEASURING.md, those of the system calls alone in bench/micro/link_receive.c. Frames leave by
 * sendmmsg(2): a transmit ring would need a copy into its slots, or slots that are kept until they
 * are acknowledged. They take the way through the queueing discipline: PACKET_QDISC_BYPASS would
 * drop each super-frame that the device can't segment itself.
 *
 * PACKET_VNET_HDR puts a virtio_net_hdr in front of each frame in both directions. With it a kernel
 * neighbour's super-frame of up to 64 KiB is known for what it is, and our own leave as one.
 * Without it they arrive all the same, as the tap is behind the kernel's coalescing and a veth peer
 * never cuts them; then PACKET_AUXDATA says at least that the checksum is unfinished. So slots hold
 * 64 KiB in any case.
 *
 * The socket is bound last, so that no frame from another interface or with other
 * options ever gets in.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/frame.h"
#include "link/interface.h"
#include "link/packet_messages.h"
#include "link/packet_ring.h"
#include "link/packet_socket.h"
#include "wire/vnet.h"

/* for room in the socket's buffer: a drop would cost a round trip */
#define TRANSMIT_WAIT_MS 1
#define VLAN_ID_MASK     0x0fff
/* how often a ring's socket is asked: a ring doesn't tell that the interface went down */
#define ERROR_INTERVAL TLSYN_MS(1)

struct transmit_slot {
    struct iovec iov[FRAME_PIECES];
    uint8_t vnet[VNET_HEADER_LEN];
};

struct afpacket {
    struct tlsyn_link link;
    int fd;
    int vnet_len; /* bytes in front of each frame: VNET_HEADER_LEN or 0 */
    bool promiscuous;
    bool stamps; /* frames are to say when they came */
    int error;   /* the link is dead */
    struct packet_ring ring;
    struct packet_messages messages;
    tlsyn_time asked; /* the socket, when the ring was empty, for its error */
    uint64_t missed;
    struct transmit_slot tx[TLSYN_LINK_BATCH];
    struct mmsghdr tx_msg[TLSYN_LINK_BATCH];
};

static struct afpacket *afpacket_of(struct tlsyn_link *link)
{
    return container_of(link, struct afpacket, link);
}

/* ---- receive --------------------------------------------------------------------------------- */

/* Is it for us? A tag was taken off the frame before we saw it, so only the slot tells
 * of another VLAN. */
static bool is_wanted(const struct afpacket *ap, const struct packet_slot *slot)
{
    if ((slot->status & TP_STATUS_VLAN_VALID) && (slot->vlan_tci & VLAN_ID_MASK))
        return false;
    if (ap->promiscuous || (slot->bytes[0] & 1)) /* group addresses, broadcast among them */
        return true;
    return memcmp(slot->bytes, ap->link.caps.hwaddr, sizeof(ap->link.caps.hwaddr)) == 0;
}

/* Reads offload metadata of the frame behind a virtio_net_hdr, or what the slot has to say where
 * there is none. */
static bool read_offload(const struct afpacket *ap, const struct packet_slot *slot,
                         struct tlsyn_frame *frame)
{
    if (ap->vnet_len)
        return vnet_parse(slot->bytes - ap->vnet_len, frame) == 0;
    if (slot->status & TP_STATUS_CSUMNOTREADY)
        frame_mark_unfinished(frame);
    else if (slot->status & TP_STATUS_CSUM_VALID)
        frame->flags |= TLSYN_FRAME_CSUM_VERIFIED;
    return true;
}

/* False: the frame is to be passed over. */
static bool take_frame(const struct afpacket *ap, const struct packet_slot *slot,
                       struct tlsyn_frame *frame)
{
    if (slot->there < FRAME_ETHER_LEN || !is_wanted(ap, slot))
        return false;
    *frame = (struct tlsyn_frame){.iovcnt = 1, .when = slot->when};
    frame->iov[0].iov_base = slot->bytes;
    frame->iov[0].iov_len = slot->there;
    return read_offload(ap, slot, frame);
}

/* Brings times of arrival to the clock of `now`; a ring tells them unasked. */
static void set_times(const struct afpacket *ap, struct tlsyn_frame *frames, int n, tlsyn_time now)
{
    tlsyn_time offset = ap->stamps && n > 0 ? interface_clock_offset() : 0;

    for (int i = 0; i < n; i++) {
        if (!ap->stamps)
            frames[i].when = 0;
        else if (frames[i].when)
            frames[i].when = frames[i].when + offset < now ? frames[i].when + offset : now;
    }
}

/* The count, or -errno: the link is dead. */
static int read_messages(struct afpacket *ap, struct packet_slot *slots, int max)
{
    int n = packet_messages_take(&ap->messages, ap->fd, slots, max);

    if (n < 0)
        ap->error = n;
    return n;
}

/* Nothing in the ring: is the interface down? */
static int ask_for_error(struct afpacket *ap, tlsyn_time now)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (now - ap->asked < ERROR_INTERVAL && ap->asked)
        return 0;
    ap->asked = now;
    if (getsockopt(ap->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    ap->error = -error;
    return ap->error;
}

/* What the ring has; the socket has those that were too long for it, in the same order. */
static int read_ring(struct afpacket *ap, struct packet_slot *slots, int max, tlsyn_time now)
{
    struct packet_slot whole[TLSYN_LINK_BATCH];
    int n = (int)packet_ring_take(&ap->ring, slots, (uint32_t)max);
    int queued = 0, read = 0, next = 0;

    if (n == 0)
        return ask_for_error(ap, now);
    for (int i = 0; i < n; i++)
        queued += (slots[i].status & TP_STATUS_COPY) != 0;
    if (queued > 0)
        read = read_messages(ap, whole, queued);
    for (int i = 0; i < n && next < read; i++) {
        if (!(slots[i].status & TP_STATUS_COPY))
            continue;
        slots[i].bytes = whole[next].bytes;
        slots[i].there = whole[next].there;
        slots[i].len = whole[next].len;
        next++;
    }
    return n;
}

static int afpacket_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                            tlsyn_time now)
{
    struct afpacket *ap = afpacket_of(link);
    struct packet_slot slots[TLSYN_LINK_BATCH];
    int n, taken = 0;

    if (ap->error)
        return ap->error;
    if (max > TLSYN_LINK_BATCH)
        max = TLSYN_LINK_BATCH;
    n = ap->ring.memory ? read_ring(ap, slots, max, now) : read_messages(ap, slots, max);
    for (int i = 0; i < n; i++) {
        if (slots[i].there < slots[i].len)
            ap->missed++;
        else if (take_frame(ap, &slots[i], &frames[taken]))
            taken++;
    }
    set_times(ap, frames, taken, now);
    return n < 0 ? n : taken;
}

/* The kernel's count begins anew whenever it is read. */
static uint64_t afpacket_missed(struct tlsyn_link *link)
{
    struct afpacket *ap = afpacket_of(link);
    struct tpacket_stats stats = {0};
    socklen_t size = sizeof(stats);

    if (getsockopt(ap->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
        ap->missed += stats.tp_drops;
    return ap->missed;
}

/* ---- transmit -------------------------------------------------------------------------------- */

static int prepare_message(struct afpacket *ap, int i, const struct tlsyn_frame *frame)
{
    struct transmit_slot *slot = &ap->tx[i];
    struct msghdr *msg = &ap->tx_msg[i].msg_hdr;
    int pieces = frame_pieces(frame, &ap->link.caps, ap->vnet_len ? slot->vnet : NULL, slot->iov);

    if (pieces < 0)
        return pieces;
    msg->msg_iov = slot->iov;
    msg->msg_iovlen = (size_t)pieces;
    return 0;
}

/* Prepares up to a batch; stops before the first frame that can't be sent. The number
 * prepared, or its error. */
static int prepare_batch(struct afpacket *ap, const struct tlsyn_frame *frames, int n)
{
    for (int i = 0; i < n && i < TLSYN_LINK_BATCH; i++) {
        int error = prepare_message(ap, i, &frames[i]);

        if (error)
            return i > 0 ? i : error;
    }
    return n < TLSYN_LINK_BATCH ? n : TLSYN_LINK_BATCH;
}

/* Hands prepared messages to the kernel; waits once, and shortly, for room. The number
 * sent, or -errno. */
static int send_batch(struct afpacket *ap, int n)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        int sent = sendmmsg(ap->fd, ap->tx_msg, (unsigned)n, MSG_DONTWAIT);
        struct pollfd room = {.fd = ap->fd, .events = POLLOUT};

        if (sent > 0)
            return sent;
        if (errno == EMSGSIZE || errno == EINVAL)
            return -errno;
        if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
            ap->error = -errno;
            return ap->error;
        }
        if (attempt == 0)
            poll(&room, 1, TRANSMIT_WAIT_MS);
    }
    return -ENOBUFS;
}

static int afpacket_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                             tlsyn_time now)
{
    struct afpacket *ap = afpacket_of(link);
    int sent = 0;

    (void)now;
    if (ap->error)
        return ap->error;
    while (sent < n) {
        int batch = prepare_batch(ap, frames + sent, n - sent);

        if (batch > 0)
            batch = send_batch(ap, batch);
        if (batch < 0)
            return sent > 0 ? sent : batch;
        sent += batch;
    }
    return sent;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* A socket that can't, says 0. */
static void afpacket_stamp(struct tlsyn_link *link)
{
    struct afpacket *ap = afpacket_of(link);

    ap->stamps = true;
    if (!ap->ring.memory)
        (void)packet_socket_set(ap->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
}

static int afpacket_fd(struct tlsyn_link *link)
{
    return afpacket_of(link)->fd;
}

static void afpacket_close(struct tlsyn_link *link)
{
    struct afpacket *ap = afpacket_of(link);

    packet_ring_close(&ap->ring);
    if (ap->fd >= 0)
        close(ap->fd);
    packet_messages_close(&ap->messages);
    link_free(ap);
}

static const struct tlsyn_link_ops afpacket_ops = {
    .receive = afpacket_receive,
    .transmit = afpacket_transmit,
    .fd = afpacket_fd,
    .missed = afpacket_missed,
    .stamp = afpacket_stamp,
    .close = afpacket_close,
};

/* A ring's slots say of themselves what messages are asked to bring along. */
static int choose_way(struct afpacket *ap, const struct tlsyn_afpacket_options *options,
                      uint16_t mtu)
{
    if (options->way == TLSYN_AFPACKET_RING && packet_ring_open(&ap->ring, ap->fd, mtu) == 0)
        return 0;
    return packet_socket_set(ap->fd, SOL_PACKET, PACKET_AUXDATA, 1);
}

/* Takes over the interface's description; with an Ethernet address of its own, if it has one. */
static void describe(struct afpacket *ap, const struct interface *interface,
                     const struct tlsyn_afpacket_options *options, bool own)
{
    struct tlsyn_link_caps *caps = &ap->link.caps;

    memcpy(caps->hwaddr, own ? options->hwaddr : interface->hwaddr, sizeof(caps->hwaddr));
    caps->mtu = interface->mtu;
    caps->csum = ap->vnet_len != 0;
    caps->gso_max = ap->vnet_len ? FRAME_GSO_MAX : 0;
}

/* Asks the interface for the frames that we want. */
static int join(struct afpacket *ap, int index, const struct tlsyn_afpacket_options *options,
                bool own)
{
    static const uint8_t none[6];
    int error = 0;

    ap->promiscuous = options->promiscuous;
    if (ap->promiscuous)
        return packet_socket_join(ap->fd, index, PACKET_MR_PROMISC, none);
    if (own)
        error = packet_socket_join(ap->fd, index, PACKET_MR_UNICAST, options->hwaddr);
    /* IPv6 asks for a neighbour by a group that depends on the address asked for */
    return error ? error : packet_socket_join(ap->fd, index, PACKET_MR_ALLMULTI, none);
}

static int open_socket(struct afpacket *ap, const char *name,
                       const struct tlsyn_afpacket_options *options)
{
    static const uint8_t none[6];
    bool own = memcmp(options->hwaddr, none, sizeof(none)) != 0;
    struct interface interface = {0};
    int vnet = 0, error;
    socklen_t length = sizeof(vnet);

    ap->fd = options->socket ? options->socket : tlsyn_afpacket_socket(options);
    if (ap->fd < 0)
        return ap->fd;
    error = interface_query(ap->fd, name, &interface);
    if (!error && getsockopt(ap->fd, SOL_PACKET, PACKET_VNET_HDR, &vnet, &length) < 0)
        error = -errno;
    ap->vnet_len = vnet ? VNET_HEADER_LEN : 0;
    describe(ap, &interface, options, own);
    if (options->socket) {
        packet_socket_empty(ap->fd);
        (void)packet_socket_set(ap->fd, SOL_PACKET, PACKET_QDISC_BYPASS, 0); /* see above */
    }
    if (!error)
        error = packet_messages_open(&ap->messages, ap->vnet_len);
    if (!error)
        error = choose_way(ap, options, interface.mtu);
    if (!error)
        error = join(ap, interface.index, options, own);
    if (!error)
        error = packet_socket_bind(ap->fd, interface.index);
    return error;
}

int tlsyn_afpacket_open(const char *interface, const struct tlsyn_afpacket_options *options,
                        struct tlsyn_link **link)
{
    static const struct tlsyn_afpacket_options defaults;
    struct afpacket *ap = link_alloc(sizeof(*ap));
    int error;

    if (!ap)
        return -ENOMEM;
    ap->link.ops = &afpacket_ops;
    error = open_socket(ap, interface, options ? options : &defaults);
    if (error) {
        if (options && options->socket) /* still the caller's */
            ap->fd = -1;
        afpacket_close(&ap->link);
        return error;
    }
    *link = &ap->link;
    return 0;
}
