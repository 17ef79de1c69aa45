/*
 * fuzz_wire, ip4: the input is a datagram. What is parsed lies inside, is emitted (without its
 * options), and is parsed to the same again.
 */

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/ip4.h"

static void compare(const struct wire_ip4 *a, const struct wire_ip4 *b)
{
    must(tlsyn_addr_eq(&a->src, &b->src) && tlsyn_addr_eq(&a->dst, &b->dst));
    must(a->tos == b->tos && a->ttl == b->ttl && a->protocol == b->protocol);
    must(a->id == b->id && a->df == b->df && a->mf == b->mf && a->offset == b->offset);
    must(a->total_len == b->total_len && a->payload_len == b->payload_len);
}

void fuzz_ip4(const uint8_t *data, size_t size)
{
    static uint8_t bytes[UINT16_MAX];
    struct wire_ip4 ip, quoted, back;
    int result = wire_ip4_parse(data, size, &ip);
    int result_quoted = wire_ip4_parse_quoted(data, size, &quoted);

    /* A whole datagram is as good as a quoted one, and no quoted one is better than its header. */
    must(result_quoted == 0 || result == result_quoted);
    if (result_quoted == 0) {
        must(inside(quoted.payload, quoted.payload_len, data, size));
        wire_ip4_checksum_good(data, quoted.header_len); /* reads nothing outside */
    }
    if (result < 0)
        return;
    compare(&ip, &quoted);
    must(inside(ip.payload, ip.payload_len, data, size));
    must(ip.payload_len == ip.total_len - ip.header_len);
    ip.total_len = (uint16_t)(ip.total_len - (ip.header_len - IP4_HEADER_LEN));
    must(wire_ip4_emit(&ip, bytes, sizeof(bytes)) == IP4_HEADER_LEN);
    must(wire_ip4_checksum_good(bytes, IP4_HEADER_LEN));
    must(wire_ip4_parse(bytes, ip.total_len, &back) == 0);
    compare(&ip, &back);
}
