/*
 * tlsyn/destination.h: what a stack has learnt of its peers, to be kept while there is no stack:
 * read out before one is freed, put into the next one. Times are spans, for a stack's clock has no
 * origin.
 *
 * A peer's Fast Open cookie and MSS (RFC 7413 4.1.3), the path's round trip (RFC 9040), and whether
 * embedded opens have failed with it (RFC 7413 4.1.3.1).
 */
#ifndef TLSYN_DESTINATION_H
#define TLSYN_DESTINATION_H

#include <tlsyn/conn.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TLSYN_COOKIE_MIN 4
#define TLSYN_COOKIE_MAX 16

struct tlsyn_destination {
    struct tlsyn_addr addr;
    uint16_t mss;       /* of its SYN; 0: not known */
    uint8_t cookie_len; /* 0: none; else even, TLSYN_COOKIE_MIN to TLSYN_COOKIE_MAX */
    uint8_t cookie[TLSYN_COOKIE_MAX];
    tlsyn_time srtt, rttvar; /* srtt 0: not known */
    tlsyn_time age;          /* of srtt */
    uint8_t failures;        /* of embedded opens, in a row */
    enum tlsyn_embedding failed_by;
    tlsyn_time off_for; /* until embedded opens are tried again */
    bool learnt;        /* out: this stack has learnt something since the entry was added */
};

/** A user's object that tlsyn_destination_walk() shows everything to. It must change nothing. False
 * ends the walk. */
struct tlsyn_destination_visitor {
    bool (*on_destination)(struct tlsyn_destination_visitor *, const struct tlsyn_destination *);
};

/** Shows all of them, the one used longest ago first. */
void tlsyn_destination_walk(struct tlsyn_stack *stack, struct tlsyn_destination_visitor *visitor);

/** Adds one, in the place of what was known. -EINVAL: no stack could have learnt that; -ENOMEM. */
int tlsyn_destination_add(struct tlsyn_stack *stack, const struct tlsyn_destination *destination);

#ifdef __cplusplus
}
#endif

#endif
