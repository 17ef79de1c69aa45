/*
 * fuzz_wire, ether: the input is an Ethernet frame. What is parsed lies inside and is emitted to
 * the same octets.
 */
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/ether.h"

void fuzz_ether(const uint8_t *data, size_t size)
{
    uint8_t bytes[ETHER_HEADER_LEN];
    struct wire_ether ether;

    if (wire_ether_parse(data, size, &ether) < 0) {
        must(size < ETHER_HEADER_LEN);
        return;
    }
    must(inside(ether.payload, ether.payload_len, data, size));
    must(ether.payload_len + ETHER_HEADER_LEN == size);
    must(wire_ether_emit(&ether, bytes, sizeof(bytes)) == ETHER_HEADER_LEN);
    must(memcmp(bytes, data, ETHER_HEADER_LEN) == 0);
}
