/*
 * differential/subject.h: a TCP under comparison: the kernel's or ours, behind one table; and the
 * peer's view of it, which is made of what it puts on the wire.
 */
#ifndef DIFFERENTIAL_SUBJECT_H
#define DIFFERENTIAL_SUBJECT_H

#include <tlsyn/conn.h>

#include "differential/plan.h"
#include "support/datagram.h"

#define LISTEN_PORT 443

/** What a stack sent in answer to one step. */
struct answer {
    bool syn, ack, text, fin; /* ack: a segment without SYN, FIN, RST and text */
    enum {
        RST_NONE,
        RST_BY_ACK,
        RST_BY_SEQ,
        RST_OTHER
    } rst; /* RFC 9293 3.5.2: numbered by the segment's ACK, or by its SEQ */
};

/** Where a stack stands after a step. Numbers are relative to the initial ones. */
struct standing {
    bool known; /* its user has a connection, or has had one: else the rest means nothing */
    enum tlsyn_state state; /* CLOSED includes TIME-WAIT, of which the user does not hear */
    int64_t rcv_nxt, snd_una;
    uint32_t snd_wnd;
    bool took_wnd;      /* SND.WND is what the segment said */
    bool time_wait;     /* ours: the connection is there, though its user has heard of the end */
    bool syn_received;  /* ours: not the user's yet */
    bool stamps_on;     /* ours: timestamps were agreed on */
    uint32_t ts_recent; /* ours */
    bool fin_seen;      /* ours: a FIN has come, maybe out of order */
    tcp_seq wl1;        /* ours: SND.WL1 */
    uint64_t delivered; /* bytes that the user got */
    bool wrong;         /* and some of them not those of the stream */
};

struct subject {
    const struct subject_ops *ops;
    const struct plan *plan;
    struct tlsyn_endpoint local, peer;   /* local: the stack's */
    tcp_seq iss, snd_nxt, rcv_nxt, edge; /* of the stack, seen from outside */
    bool iss_known, synchronized;
    bool reopened;        /* a second SYN of its own: another connection between the same ports */
    tcp_seq irs;          /* of the SYN that it took */
    struct wire_tcp sent; /* the last segment that it was sent; text_len is right */
    bool peer_scales, stack_scales;
    uint8_t peer_shift, stack_shift; /* of windows */
    uint32_t max_wnd;
    uint32_t echo; /* its last timestamp */
    struct answer answer;
    struct standing standing;
};

struct subject_ops {
    const char *name;
    /** The plan begins: a listener is there, or the connection is being opened. */
    void (*begin)(struct subject *);
    void (*datagram)(struct subject *, const uint8_t *bytes, size_t len);
    void (*user)(struct subject *, const struct step *);
    /** Fills in `standing`; what arrived is read first. */
    void (*look)(struct subject *);
    /** Nothing of the plan stays. */
    void (*end)(struct subject *);
};

/** The stream's byte behind `at` others. */
static inline uint8_t stream_byte(uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 8));
}

void subject_begin(struct subject *s, const struct plan *plan);

/** Takes one step; `answer` and `standing` tell what came of it. */
void subject_step(struct subject *s, int n);

/** The stack has sent this. */
void subject_sees(struct subject *s, const uint8_t *bytes, size_t len);

/** The user has got this. */
void subject_reads(struct subject *s, const uint8_t *bytes, size_t len);

/** The window that a segment of the peer's tells of. */
uint32_t subject_window(const struct subject *s, const struct wire_tcp *segment);

/** A number of the plan's, as this stack has it. */
tcp_seq subject_place(const struct subject *s, const struct place *place);

#endif
