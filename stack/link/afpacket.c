/*
 * link/afpacket.c: Ethernet frames through an AF_PACKET socket.
 *
 * Read first: packet(7); linux/virtio_net.h; OASIS VIRTIO 1.2, 5.1.6.
 *
 * Frames come in through a ring (packet_ring.h) or by recvmmsg(2), whichever was asked for or, if
 * the kernel has no ring for us, works. The figures of both are in docs/MEASURING.md, those of the
 * system calls alone in bench/micro/link_receive.c. Frames leave by sendmmsg(2): a transmit ring
 * would need a copy into its slots, or slots that are kept until they are acknowledged. They take
 * the way through the queueing discipline: PACKET_QDISC_BYPASS would drop each super-frame that
 * the device can't segment itself.
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
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "link/frame.h"
#include "link/interface.h"
#include "link/packet_ring.h"
#include "wire/vnet.h"

#define RECEIVE_BUFFER_DEFAULT (8u << 20)
#define TRANSMIT_BUFFER        (4u << 20)
/* for room in the socket's buffer: a drop would cost a round trip */
#define TRANSMIT_WAIT_MS 1
#define VLAN_ID_MASK     0x0fff
#define STALE_FRAMES_MAX (1 << 16)
/* how often a ring's socket is asked: a ring doesn't tell that the interface went down */
#define ERROR_INTERVAL TLSYN_MS(1)

/* A slot for a virtio_net_hdr and the longest frame. Not a multiple of the page size: then
 * the first lines of all slots, which are all that a small frame touches, would share one
 * set of the cache. */
#define SLOT_BYTES (66 * 1024 + 192)
static_assert(SLOT_BYTES >= VNET_HEADER_LEN + FRAME_MAX, "a slot holds the longest frame");

#define CONTROL_BYTES                                                                              \
    (CMSG_SPACE(sizeof(struct tpacket_auxdata)) + CMSG_SPACE(sizeof(struct timespec)))

struct receive_slot {
    struct iovec iov;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
};

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
    tlsyn_time asked; /* the socket, when the ring was empty, for its error */
    uint64_t missed;
    uint8_t *memory;
    struct receive_slot rx[TLSYN_LINK_BATCH];
    struct mmsghdr rx_msg[TLSYN_LINK_BATCH];
    struct transmit_slot tx[TLSYN_LINK_BATCH];
    struct mmsghdr tx_msg[TLSYN_LINK_BATCH];
};

/* What the kernel says beside a received frame. */
struct receive_note {
    tlsyn_time when; /* CLOCK_REALTIME, or 0 */
    uint32_t status; /* TP_STATUS_* */
    uint16_t vlan_tci;
};

static struct afpacket *afpacket_of(struct tlsyn_link *link)
{
    return container_of(link, struct afpacket, link);
}

/* ---- receive --------------------------------------------------------------------------------- */

static struct receive_note read_note(struct msghdr *msg)
{
    struct receive_note note = {0};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;

            memcpy(&t, CMSG_DATA(c), sizeof(t));
            note.when = TLSYN_SECONDS(t.tv_sec) + t.tv_nsec / 1000;
        } else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;

            memcpy(&aux, CMSG_DATA(c), sizeof(aux));
            note.status = aux.tp_status;
            note.vlan_tci = aux.tp_vlan_tci;
        }
    }
    return note;
}

/* Is it for us? A tag was taken off the frame before we saw it, so only the note tells
 * of another VLAN. */
static bool is_wanted(const struct afpacket *ap, const uint8_t *bytes,
                      const struct receive_note *note)
{
    if ((note->status & TP_STATUS_VLAN_VALID) && (note->vlan_tci & VLAN_ID_MASK))
        return false;
    if (ap->promiscuous || (bytes[0] & 1)) /* group addresses, broadcast among them */
        return true;
    return memcmp(bytes, ap->link.caps.hwaddr, sizeof(ap->link.caps.hwaddr)) == 0;
}

/* Reads offload metadata of the frame behind a virtio_net_hdr, or what the note has to say where
 * there is none. */
static bool read_offload(const struct afpacket *ap, const uint8_t *vnet,
                         const struct receive_note *note, struct tlsyn_frame *frame)
{
    if (ap->vnet_len)
        return vnet_parse(vnet, frame) == 0;
    if (note->status & TP_STATUS_CSUMNOTREADY)
        frame_mark_unfinished(frame);
    else if (note->status & TP_STATUS_CSUM_VALID)
        frame->flags |= TLSYN_FRAME_CSUM_VERIFIED;
    return true;
}

/* Makes a frame of what lies at `vnet`, of `len` bytes; false if it is to be passed over. */
static bool take_frame(struct afpacket *ap, uint8_t *vnet, size_t len,
                       const struct receive_note *note, struct tlsyn_frame *frame)
{
    uint8_t *bytes = vnet + ap->vnet_len;

    if (len < (size_t)ap->vnet_len + FRAME_ETHER_LEN || !is_wanted(ap, bytes, note))
        return false;
    *frame = (struct tlsyn_frame){.iovcnt = 1, .when = note->when};
    frame->iov[0].iov_base = bytes;
    frame->iov[0].iov_len = len - (size_t)ap->vnet_len;
    return read_offload(ap, vnet, note, frame);
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

/* Messages that are there, up to `max`, or -errno if the link is dead. */
static int read_messages(struct afpacket *ap, int max)
{
    int n = recvmmsg(ap->fd, ap->rx_msg, (unsigned)max, MSG_DONTWAIT, NULL);

    if (n >= 0)
        return n;
    if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
        ap->error = -errno;
    return ap->error;
}

static int receive_calls(struct afpacket *ap, struct tlsyn_frame *frames, int max)
{
    int n = read_messages(ap, max), taken = 0;

    for (int i = 0; i < n; i++) {
        struct mmsghdr *m = &ap->rx_msg[i];
        struct receive_note note = read_note(&m->msg_hdr);

        if (m->msg_hdr.msg_flags & MSG_TRUNC)
            ap->missed++;
        else if (take_frame(ap, m->msg_hdr.msg_iov->iov_base, m->msg_len, &note, &frames[taken]))
            taken++;
        m->msg_hdr.msg_controllen = CONTROL_BYTES; /* recvmmsg(2) overwrote it */
    }
    return n < 0 ? n : taken;
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

/* Frames in the order of their slots; those too long for one come from the socket. */
static int receive_ring(struct afpacket *ap, struct tlsyn_frame *frames, int max, tlsyn_time now)
{
    struct packet_slot slots[TLSYN_LINK_BATCH];
    int n = (int)packet_ring_take(&ap->ring, slots, (uint32_t)max);
    int queued = 0, read = 0, next = 0, taken = 0;

    if (n == 0)
        return ask_for_error(ap, now);
    for (int i = 0; i < n; i++)
        queued += (slots[i].status & TP_STATUS_COPY) != 0;
    if (queued > 0)
        read = read_messages(ap, queued);
    for (int i = 0; i < n; i++) {
        const struct packet_slot *slot = &slots[i];
        struct receive_note note = {slot->when, slot->status, slot->vlan_tci};
        uint8_t *vnet = slot->bytes - ap->vnet_len;
        size_t len = (size_t)slot->there + (size_t)ap->vnet_len;

        if (slot->status & TP_STATUS_COPY) {
            const struct mmsghdr *m = &ap->rx_msg[next++];

            vnet = m->msg_hdr.msg_iov->iov_base;
            len = next <= read && !(m->msg_hdr.msg_flags & MSG_TRUNC) ? m->msg_len : 0;
        } else if (slot->there < slot->len) {
            len = 0;
        }
        if (len == 0)
            ap->missed++;
        else if (take_frame(ap, vnet, len, &note, &frames[taken]))
            taken++;
    }
    return read < 0 && taken == 0 ? read : taken;
}

static int afpacket_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                            tlsyn_time now)
{
    struct afpacket *ap = afpacket_of(link);
    int n;

    if (ap->error)
        return ap->error;
    if (max > TLSYN_LINK_BATCH)
        max = TLSYN_LINK_BATCH;
    n = ap->ring.memory ? receive_ring(ap, frames, max, now) : receive_calls(ap, frames, max);
    set_times(ap, frames, n, now);
    return n;
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

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* A socket that can't, says 0. */
static void afpacket_stamp(struct tlsyn_link *link)
{
    struct afpacket *ap = afpacket_of(link);

    ap->stamps = true;
    if (!ap->ring.memory)
        (void)set_option(ap->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
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
    link_free(ap->memory);
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

/* The forced size needs CAP_NET_ADMIN; the other is cut to the system's limit. */
static void set_buffer(int fd, int forced, int ordinary, uint32_t bytes)
{
    int size = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;

    if (set_option(fd, SOL_SOCKET, forced, size))
        set_option(fd, SOL_SOCKET, ordinary, size);
}

static int set_options(int fd, const struct tlsyn_afpacket_options *options)
{
    uint32_t buffer = options->buffer_bytes ? options->buffer_bytes : RECEIVE_BUFFER_DEFAULT;
    int error = set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);

    if (error)
        return error;
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, TRANSMIT_BUFFER);
    if (!options->no_vnet_hdr)
        (void)set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
    return 0;
}

/* A ring's slots say of themselves what messages are asked to bring along. */
static int choose_way(struct afpacket *ap, const struct tlsyn_afpacket_options *options,
                      uint16_t mtu)
{
    if (options->way == TLSYN_AFPACKET_RING && packet_ring_open(&ap->ring, ap->fd, mtu) == 0)
        return 0;
    return set_option(ap->fd, SOL_PACKET, PACKET_AUXDATA, 1);
}

static int add_membership(int fd, int index, int type, const uint8_t hwaddr[6])
{
    struct packet_mreq request = {
        .mr_ifindex = index,
        .mr_type = (unsigned short)type,
        .mr_alen = 6,
    };

    memcpy(request.mr_address, hwaddr, 6);
    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) < 0 ? -errno
                                                                                            : 0;
}

/* Takes over the interface's description, and asks it for the frames that we want. */
static int join(struct afpacket *ap, const struct interface *interface,
                const struct tlsyn_afpacket_options *options)
{
    static const uint8_t none[6];
    struct tlsyn_link_caps *caps = &ap->link.caps;
    bool own = memcmp(options->hwaddr, none, sizeof(none)) != 0;
    int error = 0;

    memcpy(caps->hwaddr, own ? options->hwaddr : interface->hwaddr, sizeof(caps->hwaddr));
    caps->mtu = interface->mtu;
    caps->csum = ap->vnet_len != 0;
    caps->gso_max = ap->vnet_len ? FRAME_GSO_MAX : 0;
    ap->promiscuous = options->promiscuous;
    if (ap->promiscuous)
        error = add_membership(ap->fd, interface->index, PACKET_MR_PROMISC, none);
    else if (own)
        error = add_membership(ap->fd, interface->index, PACKET_MR_UNICAST, caps->hwaddr);
    /* IPv6 asks for a neighbour by a group that depends on the address asked for */
    if (!error && !ap->promiscuous)
        error = add_membership(ap->fd, interface->index, PACKET_MR_ALLMULTI, none);
    return error;
}

static int bind_to(int fd, int index)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = index,
    };

    return bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0 ? -errno
                                                                                          : 0;
}

int tlsyn_afpacket_socket(const struct tlsyn_afpacket_options *options)
{
    static const struct tlsyn_afpacket_options defaults;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = fd < 0 ? -errno : set_options(fd, options ? options : &defaults);

    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

/* One that served somebody before us has his frames in its queue. */
static void empty(int fd)
{
    uint8_t bytes[FRAME_ETHER_LEN];
    int n = 0;

    while (n < STALE_FRAMES_MAX && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
        n++;
}

static int open_socket(struct afpacket *ap, const char *name,
                       const struct tlsyn_afpacket_options *options)
{
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
    if (options->socket) {
        empty(ap->fd);
        (void)set_option(ap->fd, SOL_PACKET, PACKET_QDISC_BYPASS, 0); /* see above */
    }
    if (!error)
        error = choose_way(ap, options, interface.mtu);
    if (!error)
        error = join(ap, &interface, options);
    if (!error)
        error = bind_to(ap->fd, interface.index);
    return error;
}

static int make_slots(struct afpacket *ap)
{
    ap->memory = link_alloc((size_t)TLSYN_LINK_BATCH * SLOT_BYTES);
    if (!ap->memory)
        return -ENOMEM;
    for (int i = 0; i < TLSYN_LINK_BATCH; i++) {
        struct receive_slot *slot = &ap->rx[i];
        struct msghdr *msg = &ap->rx_msg[i].msg_hdr;

        slot->iov = (struct iovec){ap->memory + (size_t)i * SLOT_BYTES, SLOT_BYTES};
        msg->msg_iov = &slot->iov;
        msg->msg_iovlen = 1;
        msg->msg_control = slot->control;
        msg->msg_controllen = CONTROL_BYTES;
    }
    return 0;
}

int tlsyn_afpacket_open(const char *interface, const struct tlsyn_afpacket_options *options,
                        struct tlsyn_link **link)
{
    static const struct tlsyn_afpacket_options defaults;
    struct afpacket *ap = link_alloc(sizeof(*ap));
    int error;

    if (!ap)
        return -ENOMEM;
    ap->fd = -1;
    ap->link.ops = &afpacket_ops;
    error = make_slots(ap);
    if (!error)
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
