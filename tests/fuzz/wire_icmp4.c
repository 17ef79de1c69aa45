/*
 * fuzz_wire, icmp4: the input is an ICMP message. What is parsed lies inside, quotes a datagram if
 * it is an error, is emitted, and is parsed to the same again.
 */
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"

static void compare(const struct wire_icmp4 *a, const struct wire_icmp4 *b)
{
    must(a->type == b->type && a->code == b->code);
    must(a->id == b->id && a->sequence == b->sequence);
    must(a->mtu == b->mtu && a->pointer == b->pointer);
    must(a->payload_len == b->payload_len);
    must(memcmp(a->payload, b->payload, a->payload_len) == 0);
}

void fuzz_icmp4(const uint8_t *data, size_t size)
{
    static uint8_t bytes[UINT16_MAX];
    struct wire_icmp4 icmp, back;
    struct wire_ip4 quoted;
    int len;

    if (size > sizeof(bytes) || wire_icmp4_parse(data, size, &icmp) < 0)
        return;
    must(inside(icmp.payload, icmp.payload_len, data, size));
    if (icmp4_is_error(icmp.type)) {
        must(wire_ip4_parse_quoted(icmp.payload, icmp.payload_len, &quoted) == 0);
        must(quoted.payload_len >= ICMP4_QUOTED_MIN);
    }
    len = wire_icmp4_emit(&icmp, bytes, sizeof(bytes));
    must(len == (int)size);
    must(wire_icmp4_checksum_good(bytes, (size_t)len));
    must(wire_icmp4_parse(bytes, (size_t)len, &back) == 0);
    compare(&icmp, &back);
}
