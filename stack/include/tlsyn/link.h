/*
 * tlsyn/link.h: where Ethernet frames come from and go to.
 *
 * A link is a table of four or five operations and a description of what it can do. Drivers (`afpacket`,
 * `pcap`, `pipe`) end at something outside; wrappers (`capture`, `impair`) hold another link and do
 * something on the way. The stack sees only this file.
 *
 *     afpacket_open() -> [capture_wrap()] -> [impair_wrap()] -> tlsyn_iface -> ... -> tlsyn_link_close()
 *
 * Closing a wrapper closes what it wraps. A link belongs to one thread.
 *
 * Offload metadata follows `struct virtio_net_hdr` (OASIS VIRTIO 1.2, 5.1.6): a frame may be longer than the
 * MTU when it carries `gso_size`, and its transport checksum may be left to the other side.
 */
#ifndef TLSYN_LINK_H
#define TLSYN_LINK_H

#include <tlsyn/types.h>

struct tlsyn_link;

enum tlsyn_gso {
    TLSYN_GSO_NONE = 0,
    TLSYN_GSO_TCP4,
    TLSYN_GSO_TCP6,
};

enum tlsyn_frame_flags {
    /** The checksum at csum_start + csum_offset covers csum_start to the end and holds, so far, the folded
     * pseudo-header sum only: whoever puts the frame on a real wire finishes it. */
    TLSYN_FRAME_CSUM_PARTIAL = 1 << 0,
    /** Received: somebody trusted has verified the transport checksum. Includes partial ones. */
    TLSYN_FRAME_CSUM_VERIFIED = 1 << 1,
};

/**
 * One Ethernet frame, header first, without FCS.
 *
 * Received frames are contiguous (iovcnt 1) and stay valid until the next receive on the link.
 * Transmitted frames are up to three pieces and must stay valid only during the call.
 */
struct tlsyn_frame {
    struct iovec iov[3];
    uint8_t iovcnt;
    uint8_t flags;        /* enum tlsyn_frame_flags */
    uint8_t gso_type;     /* enum tlsyn_gso */
    uint16_t gso_size;    /* bytes of TCP text per segment, when gso_type is set */
    uint16_t hdr_len;     /* bytes of Ethernet, IP and TCP header, when gso_type is set */
    uint16_t csum_start;  /* bytes from the frame's start, when CSUM_PARTIAL */
    uint16_t csum_offset; /* bytes from csum_start, when CSUM_PARTIAL */
    tlsyn_time when;      /* received: when the driver learnt of it, or 0 where it can't tell */
};

static inline size_t tlsyn_frame_len(const struct tlsyn_frame *f)
{
    size_t n = 0;

    for (int i = 0; i < f->iovcnt; i++)
        n += f->iov[i].iov_len;
    return n;
}

/** What a link can do; filled by its driver, copied through by wrappers, constant afterwards. */
struct tlsyn_link_caps {
    uint16_t mtu;        /* bytes of IP datagram */
    uint32_t gso_max;    /* longest TCP text that may leave in one frame; 0: the link can't segment */
    bool csum;           /* CSUM_PARTIAL frames may be transmitted */
    uint8_t hwaddr[6];   /* our Ethernet address */
};

struct tlsyn_link_ops {
    /** Up to `max` frames; the count, 0 when there is none now, or -errno (the link is dead: -ENETDOWN ...). */
    int (*receive)(struct tlsyn_link *, struct tlsyn_frame *, int max, tlsyn_time now);
    /** The number of frames taken, in order; fewer than n when a queue is full, then -ENOBUFS for none.
     * Keeps no pointer after return. */
    int (*transmit)(struct tlsyn_link *, const struct tlsyn_frame *, int n, tlsyn_time now);
    /** A descriptor that becomes readable when receive has something, or -1. */
    int (*fd)(struct tlsyn_link *);
    /** When receive should next be called although nothing came in (a wrapper that holds frames back), or
     * TLSYN_NEVER. NULL means TLSYN_NEVER. */
    tlsyn_time (*next_timeout)(struct tlsyn_link *);
    void (*close)(struct tlsyn_link *);
};

/** Embedded first in each driver's own structure. */
struct tlsyn_link {
    const struct tlsyn_link_ops *ops;
    struct tlsyn_link_caps caps;
};

static inline int tlsyn_link_receive(struct tlsyn_link *l, struct tlsyn_frame *f, int max,
                                     tlsyn_time now)
{
    return l->ops->receive(l, f, max, now);
}

static inline int tlsyn_link_transmit(struct tlsyn_link *l, const struct tlsyn_frame *f, int n,
                                      tlsyn_time now)
{
    return l->ops->transmit(l, f, n, now);
}

static inline int tlsyn_link_fd(struct tlsyn_link *l)
{
    return l->ops->fd(l);
}

static inline tlsyn_time tlsyn_link_next_timeout(struct tlsyn_link *l)
{
    return l->ops->next_timeout ? l->ops->next_timeout(l) : TLSYN_NEVER;
}

/** NULL is allowed. */
static inline void tlsyn_link_close(struct tlsyn_link *l)
{
    if (l)
        l->ops->close(l);
}

/* --- drivers ----------------------------------------------------------------------------------------- */

/** Options of tlsyn_afpacket_open(); all zero gives the defaults. */
struct tlsyn_afpacket_options {
    bool no_vnet_hdr;       /* do without PACKET_VNET_HDR even if the kernel has it */
    bool promiscuous;       /* take frames for other Ethernet addresses too: a bridge */
    uint8_t hwaddr[6];      /* our Ethernet address; all zero: the interface's own */
    uint32_t buffer_bytes;  /* kernel receive buffer; 0: 8 MiB where allowed */
};

/**
 * Opens an AF_PACKET socket on an interface of this network namespace. Needs CAP_NET_RAW during the call only.
 * Returns 0 or -errno: -ENODEV no such interface, -EPERM no CAP_NET_RAW, -ENETDOWN the interface is down.
 */
int tlsyn_afpacket_open(const char *interface, const struct tlsyn_afpacket_options *options,
                        struct tlsyn_link **link);

/**
 * Captures through libpcap with a compiled BPF filter (`filter`, in pcap-filter(7) syntax, or NULL) and injects
 * through libnet at the link layer. On failure returns -errno, and a sentence in `message` (256 bytes).
 */
int tlsyn_pcap_open(const char *interface, const char *filter, char *message,
                    struct tlsyn_link **link);

/** Reads frames from a capture file instead, in its order; transmitted frames are swallowed. At the end of the file
 * receive returns -ENODATA. */
int tlsyn_pcap_open_file(const char *path, const char *filter, char *message,
                         struct tlsyn_link **link);

/** Two links in memory, each the other's far end; deterministic. `caps` (hwaddr excepted: ends get 02:..:01 and
 * 02:..:02) says what both pretend to. `depth` frames are queued at most per direction. */
int tlsyn_pipe_open(const struct tlsyn_link_caps *caps, int depth, struct tlsyn_link *ends[2]);

/* --- wrappers ---------------------------------------------------------------------------------------- */

/** Writes every frame of either direction to a pcapng file. */
int tlsyn_capture_wrap(struct tlsyn_link *inner, const char *path, struct tlsyn_link **link);

/** Adds a line in SSLKEYLOGFILE format (without newline) to the capture, as a Decryption Secrets Block: in the file
 * it stands before the packets that come after, so tshark needs no other file. */
int tlsyn_capture_secret(struct tlsyn_link *capture, const char *line);

/** What a path does to frames in one direction. Zero is a perfect path. */
struct tlsyn_impairment {
    tlsyn_time delay;     /* constant part */
    tlsyn_time jitter;    /* uniform in [0, jitter] on top, order kept */
    uint64_t rate;        /* bits per second of Ethernet frame, 0: unlimited */
    uint32_t queue_bytes; /* drop-tail bound of what waits for `rate`; 0: 1 MiB */
    double loss;          /* probabilities in [0, 1] per frame, independent */
    double reorder;       /* sent at once instead of after the delay, overtaking */
    double duplicate;
    double corrupt;       /* one bit flipped behind the Ethernet header */
    uint64_t seed;        /* the same seed and the same frames give the same fate */
};

struct tlsyn_impair_stats {
    uint64_t in, out, lost, queue_full, reordered, duplicated, corrupted;
};

/** Impairs what is transmitted (`out`) and what is received (`in`); either may be NULL for a perfect direction. A delay
 * counts from the frame's `when` if it has one, and a received frame's `when` is the time at which it was due. */
int tlsyn_impair_wrap(struct tlsyn_link *inner, const struct tlsyn_impairment *out,
                      const struct tlsyn_impairment *in, struct tlsyn_link **link);

/** Replaces the impairments of a running wrapper; frames already held keep their times. */
int tlsyn_impair_set(struct tlsyn_link *impair, const struct tlsyn_impairment *out,
                     const struct tlsyn_impairment *in);

void tlsyn_impair_stats(const struct tlsyn_link *impair, struct tlsyn_impair_stats *out,
                        struct tlsyn_impair_stats *in);

#endif
