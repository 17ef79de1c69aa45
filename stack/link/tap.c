/*
 * link/tap.c: Ethernet frames through a TAP interface, whose other side is the kernel's.
 *
 * Read first: Documentation/networking/tuntap.rst of Linux; linux/if_tun.h; link/afpacket.c.
 *
 * What we write is what the interface receives, and what is sent to the interface we read: there
 * is one far side, this machine's kernel (or whatever it bridges or forwards to). IFF_VNET_HDR puts
 * a virtio_net_hdr in front of each frame; TUNSETOFFLOAD says what may be handed to us unfinished:
 * checksums, and TCP's super-frames of both IP versions. Where that is refused, frames come
 * finished; without the header the link does not open.
 *
 * One frame per system call: a TAP's descriptor is no socket, so there are no batched calls.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "link/frame.h"
#include "link/interface.h"
#include "wire/vnet.h"

#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)

struct tap {
    struct tlsyn_link link;
    int fd;
    int vnet_len; /* bytes in front of each frame: VNET_HEADER_LEN or 0 */
    int error;    /* the link is dead */
    uint64_t missed;
    uint8_t *memory; /* TLSYN_LINK_BATCH slots */
};

static struct tap *tap_of(struct tlsyn_link *link)
{
    return container_of(link, struct tap, link);
}

/* EIO: the interface is down, which it may well be before it comes up again; EBADFD, ENXIO: it is
 * gone. */
static int note_error(struct tap *tap, int error)
{
    if (error != EAGAIN && error != EINTR && error != EIO)
        tap->error = error == EBADFD ? -ENETDOWN : -error;
    return tap->error;
}

/* ---- receive --------------------------------------------------------------------------------- */

static bool take_frame(struct tap *tap, uint8_t *slot, size_t len, struct tlsyn_frame *frame)
{
    if (len < (size_t)tap->vnet_len + FRAME_ETHER_LEN)
        return false;
    *frame = (struct tlsyn_frame){.iovcnt = 1};
    frame->iov[0].iov_base = slot + tap->vnet_len;
    frame->iov[0].iov_len = len - (size_t)tap->vnet_len;
    return !tap->vnet_len || vnet_parse(slot, frame) == 0;
}

static int tap_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max, tlsyn_time now)
{
    struct tap *tap = tap_of(link);
    int taken = 0;

    (void)now;
    if (tap->error)
        return tap->error;
    for (int i = 0; i < max && i < TLSYN_LINK_BATCH; i++) {
        uint8_t *slot = tap->memory + (size_t)i * FRAME_SLOT_BYTES;
        ssize_t len = read(tap->fd, slot, FRAME_SLOT_BYTES);

        if (len < 0) {
            int error = note_error(tap, errno);

            return taken > 0 ? taken : error;
        }
        if (take_frame(tap, slot, (size_t)len, &frames[taken]))
            taken++;
        else
            tap->missed++;
    }
    return taken;
}

/* ---- transmit -------------------------------------------------------------------------------- */

static int send_frame(struct tap *tap, const struct tlsyn_frame *frame)
{
    uint8_t vnet[VNET_HEADER_LEN];
    struct iovec iov[FRAME_PIECES];
    int pieces = frame_pieces(frame, &tap->link.caps, tap->vnet_len ? vnet : NULL, iov);

    if (pieces < 0)
        return pieces;
    if (writev(tap->fd, iov, pieces) >= 0)
        return 0;
    if (errno == EINVAL || errno == EMSGSIZE)
        return -errno;
    return note_error(tap, errno) ? tap->error : -ENOBUFS;
}

static int tap_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                        tlsyn_time now)
{
    struct tap *tap = tap_of(link);

    (void)now;
    if (tap->error)
        return tap->error;
    for (int i = 0; i < n; i++) {
        int error = send_frame(tap, &frames[i]);

        if (error < 0)
            return i > 0 ? i : error;
    }
    return n;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int tap_fd(struct tlsyn_link *link)
{
    return tap_of(link)->fd;
}

static uint64_t tap_missed(struct tlsyn_link *link)
{
    return tap_of(link)->missed;
}

static void tap_close(struct tlsyn_link *link)
{
    struct tap *tap = tap_of(link);

    if (tap->fd >= 0)
        close(tap->fd);
    link_free(tap->memory);
    link_free(tap);
}

static const struct tlsyn_link_ops tap_ops = {
    .receive = tap_receive,
    .transmit = tap_transmit,
    .fd = tap_fd,
    .missed = tap_missed,
    .close = tap_close,
};

int tlsyn_tap_attach(const char *name, bool vnet, char made[TLSYN_TAP_NAME])
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    const char *wanted = name ? name : "tlsyn%d"; /* the kernel fills the number in */
    int fd, error;

    static_assert(TLSYN_TAP_NAME == sizeof(request.ifr_name), "a name fits");
    if (strlen(wanted) >= sizeof(request.ifr_name))
        return -ENODEV;
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    memcpy(request.ifr_name, wanted, strlen(wanted));
    if (vnet)
        request.ifr_flags |= IFF_VNET_HDR;
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        error = -errno;
        close(fd);
        return error;
    }
    memcpy(made, request.ifr_name, sizeof(request.ifr_name));
    return fd;
}

/* Our end has an address of its own: the interface's is the kernel's. Derived from it, so that it
 * is the same each time if that is. */
static void choose_hwaddr(const uint8_t interface[6], uint8_t hwaddr[6])
{
    memcpy(hwaddr, interface, 6);
    hwaddr[0] = (uint8_t)((hwaddr[0] | 2) & ~1); /* locally administered, of one station */
    hwaddr[5] ^= 1;
}

static int describe(struct tap *tap, const char *name)
{
    struct interface interface = {0};
    struct tlsyn_link_caps *caps = &tap->link.caps;
    int size = VNET_HEADER_LEN;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? -errno : interface_set_up(fd, name);

    if (!error)
        error = interface_query(fd, name, &interface);
    if (fd >= 0)
        close(fd);
    if (!error && ioctl(tap->fd, TUNSETVNETHDRSZ, &size) < 0)
        error = -errno;
    if (error)
        return error;
    choose_hwaddr(interface.hwaddr, caps->hwaddr);
    caps->mtu = interface.mtu;
    caps->csum = true;
    caps->gso_max = FRAME_GSO_MAX;
    /* What may come in unfinished; we take it in any case. */
    (void)ioctl(tap->fd, TUNSETOFFLOAD, (unsigned long)OFFLOADS);
    tap->vnet_len = VNET_HEADER_LEN;
    return 0;
}

int tlsyn_tap_open(const char *name, char made[TLSYN_TAP_NAME], struct tlsyn_link **link)
{
    struct tap *tap = link_alloc(sizeof(*tap));
    int error = 0;

    if (!tap)
        return -ENOMEM;
    tap->link.ops = &tap_ops;
    tap->memory = link_alloc((size_t)TLSYN_LINK_BATCH * FRAME_SLOT_BYTES);
    tap->fd = tap->memory ? tlsyn_tap_attach(name, true, made) : -ENOMEM;
    error = tap->fd < 0 ? tap->fd : describe(tap, made);
    if (error) {
        tap_close(&tap->link);
        return error;
    }
    *link = &tap->link;
    return 0;
}
