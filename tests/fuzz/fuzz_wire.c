/*
 * fuzz_wire: the first octet of the input picks a parser of stack/wire, the others are what it
 * gets. One program for all of them: each is so small that an hour of its own would find nothing
 * new after its first minute.
 */
#include "fuzz/wire.h"
#include "support/must.h"

/* In the order of the alphabet; a new one goes last, so that the corpus keeps its meaning. */
static void (*const parser[])(const uint8_t *data, size_t size) = {
    fuzz_arp, fuzz_dhcp,  fuzz_ether, fuzz_icmp4,       fuzz_icmp6, fuzz_ip4,
    fuzz_ip6, fuzz_print, fuzz_tcp,   fuzz_tcp_options, fuzz_udp,   fuzz_vnet,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] < sizeof(parser) / sizeof(*parser))
        parser[data[0]](data + 1, size - 1);
    return 0;
}
