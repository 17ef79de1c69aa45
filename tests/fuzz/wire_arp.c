/*
 * fuzz_wire, arp: the input is an ARP packet. What is parsed is emitted to the same octets.
 */
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/arp.h"

void fuzz_arp(const uint8_t *data, size_t size)
{
    uint8_t bytes[ARP_LEN];
    struct wire_arp arp;

    if (wire_arp_parse(data, size, &arp) < 0)
        return;
    must(wire_arp_emit(&arp, bytes, sizeof(bytes)) == ARP_LEN);
    must(memcmp(bytes, data, ARP_LEN) == 0);
}
