/*
 * support/datagram.h: IP datagrams of both families as octets, built and read, for tests that stand
 * beside the stack.
 *
 *     peer 10.0.0.2, fd77::2   -->   us 10.0.0.1, fd77::1
 */
#ifndef TEST_SUPPORT_DATAGRAM_H
#define TEST_SUPPORT_DATAGRAM_H

#include "ip/ip.h"
#include "wire/tcp.h"

#define DATAGRAM_HEADER_MAX 40 /* what datagram_emit() writes in front of the payload */

struct tlsyn_addr our_addr(bool ip6);
struct tlsyn_addr peer_addr(bool ip6);

/** IP header of `d`, with a payload of `d->len` octets behind it; `d->payload` is copied there,
 * unless it is NULL. The datagram's length. */
size_t datagram_emit(const struct ip_datagram *d, uint8_t *bytes);

/** The header alone. */
size_t datagram_emit_header(const struct ip_datagram *d, uint8_t *bytes);

/** A whole TCP segment between `d`'s addresses, with the right checksum; `text` NULL: zeros. The
 * datagram's length. */
size_t datagram_emit_tcp(const struct ip_datagram *d, const struct wire_tcp *segment,
                         const uint8_t *text, size_t text_len, uint8_t *bytes);

/** The sum of addresses, protocol and payload; ICMP over IPv4 has the payload alone. 0 says that a
 * checksum inside is right. */
uint16_t datagram_checksum(const struct ip_datagram *d);

/** Reads a datagram. False: its header is not right. IPv6 extension headers are not looked at. */
bool datagram_read(const uint8_t *bytes, size_t len, struct ip_datagram *d);

#endif
