/*
 * study/transfer/flow.h: one bulk transfer through the laboratory: a process in each host, one
 * connection, bytes one way.
 *
 *     harness                      opener                        listener
 *        |---- start -------------------------------------------> listens
 *        |<--- ready ---------------------------------------------|
 *        |---- start --------------> connects to a closed port: both ends know the other's
 *        |                          | Ethernet address then
 *        |<--- ready ---------------|
 *     sets the link
 *        |---- go ----------------> connects; the sender sends, the receiver reads it all
 *        |<--- report of the receiver ----------------------------|
 *        |---- stop --------------> and
 *        |<--- report of the sender |
 *
 * Either end may be the sender. Every transfer has processes of its own, so none inherits another's
 * memory, metrics or bugs, and getrusage(2) tells what it cost. Both ends are the same program:
 * messages are structures.
 */
#ifndef STUDY_TRANSFER_FLOW_H
#define STUDY_TRANSFER_FLOW_H

#include "lab/lab.h"
#include "study/observer.h"

enum flow_stack { FLOW_TLSYN, FLOW_KERNEL, FLOW_LWIP, FLOW_STACKS };

/** "tlsyn", "kernel", "lwip" */
const char *flow_stack_name(enum flow_stack stack);

struct flow_order {
    enum flow_stack sender, receiver;
    bool receiver_opens; /* else the sender does */
    int family;          /* AF_INET, AF_INET6 */
    uint64_t bytes;      /* to transfer; or, when 0, */
    tlsyn_time span;     /* to send for */
    tlsyn_time timeout;  /* of the whole transfer */
    char controller[16]; /* of the sender's congestion; "": the stack's default */
    uint32_t ring;       /* bytes of our stack's rings; 0: its default. The kernel tunes its own */
    bool copies;         /* our stack's sender has its bytes copied instead of lending them */
    bool digest;         /* the receiver takes a SHA-256 of everything; else samples are compared */
    bool pin;            /* the sender on the first core, the receiver on the second */
    bool rings;          /* our stack receives through a ring, not by system calls */
    bool plain;          /* our stack does without PACKET_VNET_HDR: it cuts and sums itself */
    uint16_t port;       /* the listener's; nobody may listen on the next one */
    bool impaired;       /* the link is set to these, once the ends know each other */
    struct tlsyn_impairment to_server, to_client;
    char capture[256]; /* "": none; else a pcapng file of what our stack's client end saw */
};

enum { FLOW_REASON_MAX = 160 };

struct flow_outcome {
    int error;      /* 0; or -errno and a reason: this transfer failed, or its bytes were wrong */
    double seconds; /* from the open call until the receiver had read the end of the stream */
    uint64_t bytes; /* received */
    /* After the first FLOW_WARM, and so that short transfers have none: */
    double steady_seconds;
    uint64_t steady_bytes;
    double sender_cpu_per_gb, receiver_cpu_per_gb; /* s per 10^9 bytes, user and system */
    uint32_t retransmits, timeouts;                /* of the sender; the kernel tells no timeouts */
    char reason[FLOW_REASON_MAX];
};

/** The fields of a structure's `outcome` for study/journal.h. */
#define FLOW_FIELDS(structure)                                                                     \
    JOURNAL_FIELD(structure, outcome.error, JOURNAL_INT),                                          \
        JOURNAL_FIELD(structure, outcome.seconds, JOURNAL_DOUBLE),                                 \
        JOURNAL_FIELD(structure, outcome.bytes, JOURNAL_UINT64),                                   \
        JOURNAL_FIELD(structure, outcome.steady_seconds, JOURNAL_DOUBLE),                          \
        JOURNAL_FIELD(structure, outcome.steady_bytes, JOURNAL_UINT64),                            \
        JOURNAL_FIELD(structure, outcome.sender_cpu_per_gb, JOURNAL_DOUBLE),                       \
        JOURNAL_FIELD(structure, outcome.receiver_cpu_per_gb, JOURNAL_DOUBLE),                     \
        JOURNAL_FIELD(structure, outcome.retransmits, JOURNAL_UINT32),                             \
        JOURNAL_FIELD(structure, outcome.timeouts, JOURNAL_UINT32),                                \
        JOURNAL_FIELD(structure, outcome.reason, JOURNAL_TEXT)

/** What a flow's figures leave out at its beginning: slow start, page faults. */
#define FLOW_WARM TLSYN_MS(300)

/**
 * Transfers. The sender is in the client's host, but lwIP's end is in that of its peer, which must
 * be the kernel, and speaks with it over a TAP interface of its own. 0 with an outcome; -EINTR: the
 * observer said so; another -errno: the laboratory is broken.
 */
int flow_run(struct lab *lab, const struct flow_order *order, struct study_observer *observer,
             struct flow_outcome *outcome);

#endif
