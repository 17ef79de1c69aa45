/*
 * support/fake_link.h: a link that keeps what is transmitted, each frame in one piece, for a
 * test to look at.
 */
#ifndef TEST_SUPPORT_FAKE_LINK_H
#define TEST_SUPPORT_FAKE_LINK_H

#include <tlsyn/link.h>

#define FAKE_LINK_FRAMES 512 /* kept; more are refused */

struct fake_frame {
    uint8_t *bytes;
    size_t len;
    struct tlsyn_frame
        as_sent; /* offload metadata; its iovs are those of the caller, and no longer good */
};

struct fake_link {
    struct tlsyn_link base;
    int room;    /* frames that it takes before it is full; negative: no bound of its own */
    size_t most; /* bytes of a frame that it can take, whatever its MTU says; 0: any */
    int batches; /* calls of transmit */
    int count;
    struct fake_frame frame[FAKE_LINK_FRAMES];
};

/** Ethernet address 02:00:00:00:00:01, MTU 1500, no offload. */
void fake_link_init(struct fake_link *link);

/** Forgets the frames. */
void fake_link_clear(struct fake_link *link);

#endif
