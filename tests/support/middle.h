/*
 * support/middle.h: a router between two hosts, as far as it matters here: what it can't send on.
 */
#ifndef TEST_SUPPORT_MIDDLE_H
#define TEST_SUPPORT_MIDDLE_H

#include <tlsyn/link.h>

#define MIDDLE_REPLY_MAX 256

/** 0: the frame, every segment of it if it is a train, fits a link of `mtu` octets. Else the length
 * of `reply`: the router's ICMP error to its sender (RFC 1191 4, RFC 4443 3.2). */
size_t middle_stops(const struct tlsyn_frame *frame, uint16_t mtu, uint8_t reply[MIDDLE_REPLY_MAX]);

#endif
