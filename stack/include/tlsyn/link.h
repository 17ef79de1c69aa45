/*
 * tlsyn/link.h: where Ethernet frames come from and go to.
 *
 * A link is a table of operations and a description of what it can do. Drivers (`afpacket`, `tap`,
 * `pcap`, `pipe`, `loopback`) are where frames end; wrappers (`capture`, `impair`, `middlebox`)
 * hold another link and do something on the way. The stack sees only this file.
 *
 *     tlsyn_afpacket_open -> [tlsyn_capture_wrap] -> [tlsyn_impair_wrap] -> tlsyn_iface_add
 *         -> ... -> tlsyn_link_close
 *
 * Closing a wrapper closes what it wraps. A link belongs to one thread.
 *
 * Offload metadata follows `struct virtio_net_hdr` (OASIS VIRTIO 1.2, 5.1.6): a frame may be longer
 * than the MTU when it carries `gso_size`, and its transport checksum may be left to the other
 * side.
 */
#ifndef TLSYN_LINK_H
#define TLSYN_LINK_H

#include <tlsyn/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tlsyn_link;

enum tlsyn_gso {
    TLSYN_GSO_NONE = 0,
    TLSYN_GSO_TCP4,
    TLSYN_GSO_TCP6,
};

enum tlsyn_frame_flags {
    /** The checksum at csum_start + csum_offset covers csum_start to the end and holds, so far, the
     * folded pseudo-header sum only: whoever puts the frame on a real wire finishes it. */
    TLSYN_FRAME_CSUM_PARTIAL = 1 << 0,
    /** Received: somebody trusted has verified the transport checksum. Includes partial ones. */
    TLSYN_FRAME_CSUM_VERIFIED = 1 << 1,
};

/**
 * One Ethernet frame, header first, without FCS.
 *
 * Received frames are contiguous (iovcnt 1) and stay valid until the next receive on the link.
 * Transmitted frames are up to three pieces and must stay valid only during the call.
 *
 * `when` of a received frame is never later than `now`: the kernel's receive timestamp where there
 * is one and somebody has asked for it (tlsyn_link_stamp()), the time at which an impairment owed
 * it, the time at which the other end of a pipe sent it; 0 where nobody can tell. It is ignored in
 * transmit. Whoever forwards frames from one link to another knows by it how late each frame
 * leaves.
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
    tlsyn_time when;      /* received: when it arrived, on the clock of `now`; see above */
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
    uint16_t mtu;     /* bytes of IP datagram */
    uint32_t gso_max; /* longest TCP text that may leave in one frame; 0: the link can't segment */
    bool csum;        /* CSUM_PARTIAL frames may be transmitted */
    /** One other end that takes whatever is sent, a tunnel's: nobody is asked for Ethernet
     * addresses (no ARP, no neighbour discovery, no MLD), frames leave for 0:0:0:0:0:0. A driver
     * whose far side speaks in bare datagrams puts an Ethernet header, to its own hwaddr, before
     * what comes in and takes it from what leaves. */
    bool point_to_point;
    bool loopback;     /* what is sent comes back: the way from and to the stack's own addresses */
    uint8_t hwaddr[6]; /* our Ethernet address */
};

/** The number of frames that one call moves at best; callers pass at most this many to receive. */
#define TLSYN_LINK_BATCH 32

struct tlsyn_link_ops {
    /** Up to `max` frames; the count, 0 when there is none now, or -errno when the link is dead:
     * -ENETDOWN (the interface went down or away, the other end of a pipe was closed), -ENODATA
     * (end of a capture file). */
    int (*receive)(struct tlsyn_link *, struct tlsyn_frame *, int max, tlsyn_time now);
    /** The number of frames taken, in order. If not even the first was taken, -errno says why:
     * -ENOBUFS, a queue is full, try later or drop it; -EMSGSIZE or -EINVAL, this frame can never
     * be taken (longer than the MTU, or in need of an offload that the caps don't offer), go on
     * with the next; anything else, the link is dead. Keeps no pointer after return. */
    int (*transmit)(struct tlsyn_link *, const struct tlsyn_frame *, int n, tlsyn_time now);
    /** A descriptor that becomes readable when receive has something, or -1. */
    int (*fd)(struct tlsyn_link *);
    /** When receive should next be called although nothing came in (a wrapper that holds frames
     * back), or TLSYN_NEVER. NULL means TLSYN_NEVER. */
    tlsyn_time (*next_timeout)(struct tlsyn_link *);
    /** Frames for us, since the opening, that never got as far as receive: a queue was full when
     * they came, or they were too long. NULL means 0. */
    uint64_t (*missed)(struct tlsyn_link *);
    /** From now on frames are to say `when` they came, which costs something with each. NULL: they
     * do so anyway, or never. */
    void (*stamp)(struct tlsyn_link *);
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

static inline uint64_t tlsyn_link_missed(struct tlsyn_link *l)
{
    return l->ops->missed ? l->ops->missed(l) : 0;
}

static inline void tlsyn_link_stamp(struct tlsyn_link *l)
{
    if (l->ops->stamp)
        l->ops->stamp(l);
}

/** NULL is allowed. */
static inline void tlsyn_link_close(struct tlsyn_link *l)
{
    if (l)
        l->ops->close(l);
}

/* --- drivers ---------------------------------------------------------------------------------- */

/** How frames come in. */
enum tlsyn_afpacket_way {
    TLSYN_AFPACKET_CALLS, /* by batched system calls */
    TLSYN_AFPACKET_RING,  /* through a ring shared with the kernel; by calls, if it has none for us:
                             small frames come sooner, a kernel's bulk is slower */
};

/** Options of tlsyn_afpacket_open(); all zero gives the defaults. */
struct tlsyn_afpacket_options {
    enum tlsyn_afpacket_way way;
    bool no_vnet_hdr;      /* do without PACKET_VNET_HDR even if the kernel has it: no offload */
    bool promiscuous;      /* take frames for other Ethernet addresses too: a bridge */
    uint8_t hwaddr[6];     /* our Ethernet address; all zero: the interface's own */
    uint32_t buffer_bytes; /* kernel receive buffer; 0: 8 MiB; the kernel's rmem_max bounds it for
                              ordinary users */
    int socket;            /* one of tlsyn_afpacket_socket(), taken over on success; 0: none */
};

/**
 * Opens an AF_PACKET socket on an Ethernet interface of this network namespace. Needs CAP_NET_RAW
 * during the call only. Frames for other Ethernet addresses, frames of a VLAN and frames sent by
 * this host itself are passed over. Returns 0 or -errno: -ENODEV no such interface, -EPERM no
 * CAP_NET_RAW, -ENETDOWN the interface is down, -EPFNOSUPPORT the interface isn't an Ethernet (as
 * "lo").
 */
int tlsyn_afpacket_open(const char *interface, const struct tlsyn_afpacket_options *options,
                        struct tlsyn_link **link);

/** The part of that which needs CAP_NET_RAW, for whoever has the right to hand to whoever has not:
 * a socket on no interface yet. The descriptor (close-on-exec), or -errno. */
int tlsyn_afpacket_socket(const struct tlsyn_afpacket_options *options);

/** Bytes of an interface's name, with its end. */
#define TLSYN_TAP_NAME 16

/**
 * Opens a TAP interface, whose other side is this machine's kernel: an existing one, or one that
 * goes with the link, under `name` or, for NULL, under one that the kernel chooses; `made` gets it.
 * It is brought up, with offload of checksums and TCP segmentation, and our end gets an Ethernet
 * address of its own. Addresses of the other side are the caller's business. Needs CAP_NET_ADMIN
 * during the call, or an interface that is this user's and up. Returns 0 or -errno: -EPERM or
 * -EACCES no right to, -ENOENT no TAP device here, -EBUSY somebody has it, -ENODEV no such name can
 * be, -EINVAL an interface of another kind.
 */
int tlsyn_tap_open(const char *name, char made[TLSYN_TAP_NAME], struct tlsyn_link **link);

/** The descriptor alone, non-blocking, for a stack that isn't this one; `vnet`: with a
 * virtio_net_hdr in front of each frame. It, or -errno as above. */
int tlsyn_tap_attach(const char *name, bool vnet, char made[TLSYN_TAP_NAME]);

/** Bytes of the `message` that the pcap drivers fill in on failure. */
#define TLSYN_PCAP_MESSAGE 256

/**
 * Captures through libpcap with a compiled BPF filter (`filter`, in pcap-filter(7) syntax, or NULL)
 * and injects through libnet at the link layer: no offload. On failure returns -errno (as
 * tlsyn_afpacket_open(), and -EINVAL for a filter that doesn't compile) and a sentence in
 * `message`, which may be NULL.
 *
 * A neighbour on the same machine hands frames over with the transport checksum unfinished, and
 * libpcap doesn't say so. A frame whose checksum field equals the folded pseudo-header sum is
 * therefore taken for one of these. A frame damaged on a real wire looks so once in 65536 times,
 * which is also how often a damaged frame passes the checksum itself.
 */
int tlsyn_pcap_open(const char *interface, const char *filter, char *message,
                    struct tlsyn_link **link);

/** Reads Ethernet frames from a capture file (pcap or pcapng) instead, in its order; transmitted
 * frames are swallowed. `when` is the capture's timestamp, microseconds since 1970. At the end of
 * the file receive returns -ENODATA. */
int tlsyn_pcap_open_file(const char *path, const char *filter, char *message,
                         struct tlsyn_link **link);

/**
 * Two links in memory, each the other's far end; deterministic. `caps` (hwaddr excepted: ends get
 * 02:..:01 and 02:..:02) says what both pretend to: what leaves one end with an unfinished checksum
 * or as a super-frame arrives so at the other. `depth` frames are queued at most per direction,
 * then -ENOBUFS. Both ends belong to one thread, are closed separately, and have no descriptor. 0,
 * -EINVAL, -ENOMEM.
 */
int tlsyn_pipe_open(const struct tlsyn_link_caps *caps, int depth, struct tlsyn_link *ends[2]);

/**
 * A link whose other end it is itself, in memory. The interface on it takes 127.0.0.1 and ::1; with
 * it a stack reaches all of its own addresses, whatever interface they are on, and none of that is
 * seen elsewhere. It should be the last one added. 0, -ENOMEM.
 */
int tlsyn_loopback_open(struct tlsyn_link **link);

/* --- capture ---------------------------------------------------------------------------------- */

/**
 * Writes every frame of either direction to a pcapng file: what the inner link received, and what
 * it took. Timestamps are the link's clock plus the distance to the wall clock at this call. An
 * unfinished checksum is finished in the file's copy, so that readers don't complain; a super-frame
 * is written as the one big packet that it is.
 *
 * What was seen reaches the file 100 ms later at most while the link is served, so that a file
 * whose writer was killed is readable. On failure -errno, and the inner link stays the caller's.
 */
int tlsyn_capture_wrap(struct tlsyn_link *inner, const char *path, struct tlsyn_link **link);

/** Adds a line in SSLKEYLOGFILE format (without newline) to the capture, as a Decryption Secrets
 * Block: in the file it stands before the packets of the last receive and all that come after, so
 * tshark needs no other file. */
int tlsyn_capture_secret(struct tlsyn_link *capture, const char *line);

/** Writes out what has not reached the file yet. 0, or the first error of any write to it, sticky
 * (-ENOSPC: the disk is full). The link works on after an error; the file then ends with the last
 * whole packet before it or inside the next. */
int tlsyn_capture_flush(struct tlsyn_link *capture);

/* --- impairment ------------------------------------------------------------------------------- */

/** The longest delay, and the most jitter on top. */
#define TLSYN_IMPAIR_TIME_MAX TLSYN_SECONDS(3600)

/**
 * What a path does to frames in one direction. Zero is a perfect path.
 *
 *     arrives -> [queue | rate] -> lost? -> marked? -> corrupted? -> [delay + jitter] -> leaves
 *                      |                                            reordered: passes  (twice, if
 *                   dropped when full                               the delay by       duplicated)
 *
 * Every frame draws its whole fate in a fixed order, whatever the probabilities: so another
 * probability of loss doesn't change which frames are reordered. The path hits frames: if one frame
 * is a super-frame of many segments, all of them are lost together, and the rate counts their
 * headers once. Where that matters, offload must be switched off at the sender. A corrupted frame
 * has its checksum finished first, so that the receiver sees the damage; a super-frame to be
 * corrupted is thrown away instead, as nothing could carry the damage through segmentation.
 *
 * Marking is that of a router with ECN (RFC 3168 5): IP datagrams with ECT(0) or ECT(1) get CE, by
 * chance or because they find a long queue before the rate; others pass as they are. Whether a
 * frame is marked changes nothing of its fate.
 */
struct tlsyn_impairment {
    tlsyn_time delay;  /* constant part; at most TLSYN_IMPAIR_TIME_MAX, as */
    tlsyn_time jitter; /* uniform in [0, jitter] on top, order kept */
    uint64_t rate; /* bits per second of Ethernet frame (no preamble, gap or FCS), 0: unlimited */
    uint32_t queue_bytes; /* drop-tail bound of what waits for `rate`; 0: 1 MiB */
    double loss;          /* probabilities in [0, 1] per frame, independent */
    double reorder;       /* sent at once instead of after the delay, overtaking */
    double duplicate;
    double corrupt;      /* one bit flipped behind the Ethernet header */
    double mark;         /* of the frames with ECT */
    uint32_t mark_queue; /* all with ECT that find more bytes than this waiting; 0: none */
    uint64_t seed;       /* the same seed and the same frames give the same fate */
};

/** in + duplicated = out + lost + queue_full + held, where corrupted super-frames count as lost
 * too. */
struct tlsyn_impair_stats {
    uint64_t in;  /* frames that came */
    uint64_t out; /* frames that left, duplicates included */
    uint64_t lost, queue_full, reordered, duplicated, corrupted, marked;
    uint64_t held; /* on their way now */
};

/**
 * Impairs what is transmitted (`out`) and what is received (`in`); either may be NULL for a perfect
 * direction. A delay counts from the frame's `when` if it has one, and a received frame's `when` is
 * the time at which it was due.
 *
 * Frames on their way are copies, at most 256 MiB per direction; beyond, the queue is full.
 * Transmitted frames that become due leave in receive or transmit, whichever is called first:
 * next_timeout says when. If `out` is given, caps.gso_max is 0, so that a stack above sends single
 * packets. To bridge two links, wrap each with `in`, and transmit on one what was received on the
 * other. On failure -errno (-EINVAL: a probability outside [0, 1], a time that is negative or
 * above TLSYN_IMPAIR_TIME_MAX), and the inner link stays the caller's.
 */
int tlsyn_impair_wrap(struct tlsyn_link *inner, const struct tlsyn_impairment *out,
                      const struct tlsyn_impairment *in, struct tlsyn_link **link);

/** Replaces the impairments of a running wrapper, and starts its random sequences anew; frames
 * already held keep their times, and order is kept across the change. 0 or -EINVAL. */
int tlsyn_impair_set(struct tlsyn_link *impair, const struct tlsyn_impairment *out,
                     const struct tlsyn_impairment *in);

/** Since the wrapping. `out` or `in` may be NULL. */
void tlsyn_impair_stats(const struct tlsyn_link *impair, struct tlsyn_impair_stats *out,
                        struct tlsyn_impair_stats *in);

/* --- a middlebox ------------------------------------------------------------------------------ */

/** What a box in front of a server does to TCP's opening; any of these together. */
enum tlsyn_middlebox {
    TLSYN_MIDDLEBOX_STRIP_TEXT = 1 << 0,   /* takes the text out of SYNs */
    TLSYN_MIDDLEBOX_STRIP_OPTION = 1 << 1, /* writes NOPs over Fast Open options */
    TLSYN_MIDDLEBOX_DROP_SYN = 1 << 2,     /* drops SYNs with text ... */
    TLSYN_MIDDLEBOX_RESET_SYN = 1 << 3,    /* ... and answers them with RST */
    TLSYN_MIDDLEBOX_DROP_ANSWER = 1 << 4,  /* drops SYN-ACKs with text */
    TLSYN_MIDDLEBOX_SWALLOW = 1 << 5,      /* drops what the client sends behind a SYN with text */
    /* Answers SYNs itself, as if with SYN cookies, and opens the server's side when the client's
     * ACK has come: text of a SYN is lost, and no option but the MSS passes. */
    TLSYN_MIDDLEBOX_PROXY = 1 << 6,
};

/**
 * What is transmitted goes to the server, what is received comes from it. It does nothing until
 * rules are set, and knows the last 64 connections. Frames are taken as they are; IPv4 and IPv6. On
 * failure -errno, and the inner link stays the caller's.
 */
int tlsyn_middlebox_wrap(struct tlsyn_link *inner, struct tlsyn_link **link);

/** Other rules (enum tlsyn_middlebox) from now on, and no connection is known any more. */
void tlsyn_middlebox_set(struct tlsyn_link *middlebox, unsigned rules);

#ifdef __cplusplus
}
#endif

#endif
