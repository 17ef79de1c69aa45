/*
 * study/flood/forge.h: Ethernet frames with SYNs that carry a ClientHello, from sources that did
 * not send them. Read first: RFC 9293 3.1, RFC 7413 4.1.1, RFC 2544 C.2.2 (198.18.0.0/15).
 */
#ifndef STUDY_FLOOD_FORGE_H
#define STUDY_FLOOD_FORGE_H

#include <stddef.h>
#include <stdint.h>

#include "measure/rng.h"

enum { FORGE_FRAME_MAX = 1514, FORGE_HELLO_MAX = 1024, FORGE_COOKIE_MAX = 16 };

/** The first of the addresses that are forged, and how many there are. */
#define FORGE_SOURCE  UINT32_C(0xc6120000)
#define FORGE_SOURCES (1u << 17)

/** What the frames of a flood have in common. Addresses are in the host's order. */
struct forge {
    uint8_t from_hw[6], to_hw[6];
    uint32_t to;
    uint16_t to_port;
    const uint8_t *text;
    size_t text_len;
    uint8_t cookie[FORGE_COOKIE_MAX];
    uint8_t cookie_len; /* 0: asks for one */
};

/** Writes a frame of this source. Its length. */
size_t forge_syn(const struct forge *forge, uint32_t source, uint16_t port, uint32_t seq,
                 uint8_t frame[FORGE_FRAME_MAX]);

/** Where a SYN-ACK to `source` in this frame has a Fast Open cookie; its length, 0: it is none, or
 * has none. */
size_t forge_find_cookie(const uint8_t *frame, size_t len, uint32_t source, const uint8_t **cookie);

#endif
