/*
 * fuzz_wire, udp: the input is a UDP datagram. What is parsed lies inside and is emitted to
 * the same octets.
 */
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/udp.h"

void fuzz_udp(const uint8_t *data, size_t size)
{
    uint8_t bytes[UDP_HEADER_LEN];
    struct wire_udp udp;

    if (wire_udp_parse(data, size, &udp) < 0)
        return;
    must(inside(udp.payload, udp.payload_len, data, size));
    must(udp.payload_len + UDP_HEADER_LEN == udp.len);
    must(wire_udp_emit(&udp, bytes, sizeof(bytes)) == UDP_HEADER_LEN);
    must(memcmp(bytes, data, UDP_HEADER_LEN) == 0);
}
