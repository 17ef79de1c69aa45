/*
 * differential/plan.h: what happens to both stacks: a sequence of segments and users' calls, all of
 * it chosen by a seed.
 *
 * Numbers in a plan are distances from marks (what is expected next, the right edge of the window,
 * ...), which each stack sets by what it sends: so the same plan means the same to both, though
 * their initial sequence numbers and windows differ.
 */
#ifndef DIFFERENTIAL_PLAN_H
#define DIFFERENTIAL_PLAN_H

#include "wire/tcp.h"

#define PLAN_STEPS 24
#define PLAN_TEXT  1400 /* bytes of a segment, at most */

enum act {
    ACT_SEGMENT,
    ACT_WRITE,    /* `len` bytes */
    ACT_SHUTDOWN, /* the user closes its direction, and goes on reading */
    ACT_ABORT,
};

enum mark {
    MARK_PEER_NXT, /* what the stack expects next, by its last ACK; before, the peer's ISS */
    MARK_EDGE,     /* behind the last byte of its window */
    MARK_PEER_ISS,
    MARK_SND_UNA, /* of the stack: what it has had acknowledged */
    MARK_SND_NXT,
    MARK_ISS,
    MARK_OLD_ACK, /* RFC 5961 5.2: the lowest ACK that is still acceptable, SND.UNA - MAX.SND.WND */
    MARK_ZERO,    /* no mark: the distance is the number */
};

struct place {
    enum mark mark;
    int32_t distance;
};

enum stamp { STAMP_NONE, STAMP_NOW, STAMP_OLD, STAMP_ANCIENT, STAMP_AHEAD };

struct step {
    enum act act;
    uint32_t len; /* of text */
    uint8_t flags;
    struct place seq, ack;
    uint16_t wnd;
    enum stamp stamp; /* of segments once timestamps are agreed on, and of SYNs with the option */
    int32_t echo;     /* distance of its TSecr from what the stack sent last */
    struct tcp_options offer; /* of SYNs: MSS, window scale, SACK */
    uint16_t urgent;
};

struct plan {
    uint64_t seed;
    bool ip6;
    bool active; /* the stack opens */
    bool stamps; /* the peer offers timestamps */
    tcp_seq peer_iss;
    const char *towards; /* the state that the first steps lead to */
    int prologue;        /* their number */
    int count;
    struct step step[PLAN_STEPS];
};

void plan_make(struct plan *plan, uint64_t seed);

/** One line about a step. */
void plan_print(const struct step *step, char *line, size_t room);

#endif
