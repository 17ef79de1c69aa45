/*
 * tcp/ecn.h: explicit congestion notification on a connection: RFC 3168, and AccECN (RFC 9768)
 * where the peer knows it.
 *
 *     ask (SYN)  ->  mode, by what SYN-ACK or SYN say  ->  text leaves with ECT(0)
 *
 * Each end has two parts, which the comments tell apart. As a receiver we count the marks of what
 * arrives and feed them back; as a sender we reduce, once a round trip, when marks are fed back to
 * us.
 */
#ifndef TLSYN_TCP_ECN_H
#define TLSYN_TCP_ECN_H

#include "wire/tcp.h"

struct tlsyn_conn;

enum ecn_mode {
    ECN_OFF,
    ECN_CLASSIC,  /* RFC 3168: one bit of feedback a round trip */
    ECN_ACCURATE, /* RFC 9768: a counter of marked segments */
};

struct ecn {
    enum ecn_mode mode : 8;
    bool asked : 1;         /* our SYN does, as long as it is not plain */
    bool asked_classic : 1; /* for RFC 3168 alone */
    bool mute : 1;  /* nothing of ours leaves with ECT: the path mangles it, or the SYN was plain */
    bool deaf : 1;  /* accurate sender: the counter arrived zeroed, and is not believed */
    bool heard : 1; /* accurate sender: it has arrived once */
    bool echo : 1;  /* classic receiver: ECE until CWR comes */
    bool cwr_due : 1;            /* classic sender: the next new text says that we have reduced */
    bool reducing : 1;           /* sender: snd_una has not reached `reduced` since */
    bool handshake_due : 1;      /* accurate client: a pure ACK says how the SYN-ACK arrived */
    bool option_seen : 1;        /* accurate sender: the peer's counters come in options too */
    bool option_mangled : 1;     /* they arrived zeroed: not to be believed */
    bool synack_marked : 1;      /* accurate client: the SYN-ACK's mark is counted in `marked` */
    bool ce_last : 1;            /* accurate receiver: the last segment was marked */
    unsigned syn_codepoint : 2;  /* accurate: of the SYN or SYN-ACK, as it arrived */
    unsigned last_codepoint : 2; /* accurate receiver: of the last segment with text */
    unsigned options_due : 2;    /* accurate receiver: pure ACKs that shall carry the counters */
    unsigned unreported : 2; /* accurate receiver: marked segments since the last ACK, up to 3 */
    unsigned ace : 3;        /* accurate sender: the peer's counter, three bits */
    uint32_t marked;         /* receiver: segments that arrived marked (r.cep - 5) */
    uint32_t bytes[3];       /* accurate receiver: text by codepoint - 1: ECT(1), ECT(0), CE */
    tcp_seq reduced;         /* snd_nxt at the last reduction */
};

/** What the peer has told of ours. */
struct ecn_told {
    uint32_t marked;    /* segments of ours that arrived marked */
    uint32_t bytes;     /* 24 bits of the peer's counter of marked text */
    uint32_t credit;    /* bytes; how much less that is than `marked` leaves room for */
    uint32_t delivered; /* tcp_delivered() when it told last */
    uint16_t per_ack;   /* segments per ACK, eighths of an average */
};

/** A SYN arrived for a passive open: what it asks for decides the mode. */
void ecn_syn_arrives(struct tlsyn_conn *conn, const struct wire_tcp *syn);

/** It comes again. If it does not ask for ECN now, we send no ECT. False, and a reason to reset, if
 * it asks for the other kind of feedback (RFC 9768 3.1.5). */
bool ecn_syn_repeated(struct tlsyn_conn *conn, const struct wire_tcp *syn);

/** For SYN cookies: sets the bits of the SYN-ACK. `classic`: RFC 3168 may be agreed on, because the
 * cookie can hold that; true if it was. */
bool ecn_answer(const struct wire_tcp *syn, struct wire_tcp *synack, bool classic);

/** For SYN cookies: sets the bits that the forgotten SYN must have had, as the first segment that
 * follows shows (RFC 9768 5.1): with AccECN its counter is 2 or more, else less. `classic`: what
 * ecn_answer() returned. */
void ecn_recall(struct wire_tcp *syn, const struct wire_tcp *segment, bool classic);

/** The SYN-ACK arrived: RFC 3168 6.1.1, RFC 9768 table 2. */
void ecn_synack_arrives(struct tlsyn_conn *conn, const struct wire_tcp *synack);

/** It comes again: our next ACK tells how it arrived. */
void ecn_synack_repeated(struct tlsyn_conn *conn, const struct wire_tcp *synack);

/** The first acceptable segment behind our SYN-ACK: RFC 9768 3.2.2.2 and 3.2.2.4. */
void ecn_open_completes(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** An acceptable segment: counts how it arrived, for our feedback. Before its text is taken. */
void ecn_take(struct tlsyn_conn *conn, const struct wire_tcp *segment);

/** Takes the feedback of an ACK that no later one has overtaken, and that has moved snd_una by
 * `acked`. */
void ecn_take_feedback(struct tlsyn_conn *conn, const struct wire_tcp *segment, uint32_t acked);

/** Sets the bits of a segment that leaves. */
void ecn_mark(struct tlsyn_conn *conn, struct wire_tcp *segment);

/** What pure ACKs have in addition; after ecn_mark(). */
void ecn_mark_pure(struct tlsyn_conn *conn, struct wire_tcp *segment);

/** The codepoint for the IP header of text; `fresh`: never sent before. */
uint8_t ecn_codepoint(const struct tlsyn_conn *conn, bool fresh);

/** Whether segments that leave now carry CWR: they can't leave as a train, because segmentation
 * offload clears it in all but the first. */
bool ecn_sends_cwr(const struct tlsyn_conn *conn);

/** The window was reduced, for whatever reason (RFC 3168 6.1.2). */
void ecn_window_reduced(struct tlsyn_conn *conn);

#endif
