/*
 * study/transfer/flow_end.h: one end of a transfer: what it is told, what it tells. Private to
 * flow*.c.
 */
#ifndef STUDY_TRANSFER_FLOW_END_H
#define STUDY_TRANSFER_FLOW_END_H

#include "peer/digest.h"
#include "study/transfer/flow.h"

/** What an end is; lives in the harness's memory, of which the child has a copy. */
struct flow_end {
    struct flow_order order;
    enum flow_stack stack;
    enum lab_host host;
    bool opens, sends;
    int control;            /* this end's; messages below */
    const char *own, *peer; /* addresses in text */
};

enum flow_word { FLOW_READY, FLOW_GO, FLOW_REPORT, FLOW_STOP };

/** Half of the outcome. Times are CLOCK_MONOTONIC, which all processes of a machine share. */
struct flow_report {
    tlsyn_time opened, ended; /* the open call; the end of the stream was read. 0: not this end's */
    uint64_t bytes;           /* sent or received */
    tlsyn_time mark, marked_until;
    uint64_t mark_bytes; /* between the two */
    double mark_cpu;     /* s */
    uint32_t retransmits, timeouts;
    bool wrong; /* what was received isn't what is sent */
    uint8_t digest[PEER_DIGEST_LEN];
};

struct flow_message {
    enum flow_word word;
    int error; /* of READY and REPORT: 0, or -errno and */
    char reason[FLOW_REASON_MAX];
    struct flow_report report;
};

/* --- what both kinds of end do ---------------------------------------------------------------- */

/** The bytes of the stream: FLOW_PATTERN pseudo-random ones again and again. The length is prime,
 * so that bytes that were put in a wrong place by any block's size are found out; it is short
 * enough to stay in a core's cache, as what a sender has just computed or read. */
#define FLOW_PATTERN 131071u

/** An end at work: counts, compares, marks. */
struct flow_meter {
    const struct flow_end *end;
    uint8_t *pattern;
    uint64_t bytes; /* so far */
    uint64_t next_sample;
    tlsyn_time first, mark;
    uint64_t bytes_at_mark;
    double cpu_at_mark;
    struct peer_digest *digest;
    struct flow_report report;
};

/** 0 or -ENOMEM. */
int flow_meter_open(struct flow_meter *meter, const struct flow_end *end);
void flow_meter_close(struct flow_meter *meter);

/** The next bytes to send: at most `want`, contiguous; 0 when there are no more. They count with
 * flow_meter_sent(). */
size_t flow_meter_next(struct flow_meter *meter, size_t want, const uint8_t **bytes);
void flow_meter_sent(struct flow_meter *meter, size_t n);

void flow_meter_received(struct flow_meter *meter, const uint8_t *bytes, size_t n);

/** The last byte was handed over, or the end of the stream was read: closes the report's
 * figures. */
void flow_meter_finish(struct flow_meter *meter);

/** Fills the stream's first `bytes` into a digest: what a receiver of all of it must
 * have. 0 or -ENOMEM. */
int flow_digest(uint64_t bytes, uint8_t digest[PEER_DIGEST_LEN]);

/** A message to the harness. 0 or -errno. */
int flow_tell(const struct flow_end *end, enum flow_word word, int error, const char *reason,
              const struct flow_report *report);

/** Ends: each tells READY, obeys, tells its REPORT, and returns 0 or -errno. */
int flow_kernel(const struct flow_end *end);
int flow_tlsyn(const struct flow_end *end);
int flow_lwip(const struct flow_end *end);

/** On the TAP interface between lwIP and the kernel: a /24 of their own. */
#define FLOW_TAP_ADDRESS  "10.78.0.1"
#define FLOW_LWIP_ADDRESS "10.78.0.2"

#endif
