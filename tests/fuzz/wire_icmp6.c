/*
 * fuzz_wire, icmp6: the input is an ICMPv6 message. What is parsed lies inside, is emitted, and is
 * parsed to the same again: errors, echo, neighbour discovery, and queries for listeners.
 */
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/icmp6.h"
#include "wire/mld.h"
#include "wire/ndp.h"

static void try_icmp6(const uint8_t *data, size_t size)
{
    static uint8_t bytes[UINT16_MAX];
    const struct tlsyn_addr nobody = {{0}};
    struct wire_icmp6 icmp, back;

    if (wire_icmp6_parse(data, size, &icmp) < 0)
        return;
    must(inside(icmp.payload, icmp.payload_len, data, size));
    must(wire_icmp6_emit(&icmp, bytes, sizeof(bytes)) == (int)size);
    wire_icmp6_checksum(&nobody, &nobody, bytes, size);
    must(wire_icmp6_checksum_good(&nobody, &nobody, bytes, size));
    must(wire_icmp6_parse(bytes, size, &back) == 0);
    must(icmp.type == back.type && icmp.code == back.code);
    must(icmp.id == back.id && icmp.sequence == back.sequence);
    must(icmp.mtu == back.mtu && icmp.pointer == back.pointer);
    must(icmp.payload_len == back.payload_len);
    must(memcmp(icmp.payload, back.payload, icmp.payload_len) == 0);
}

static void compare(const struct wire_ndp *a, const struct wire_ndp *b)
{
    must(a->type == b->type && a->prefix_count == b->prefix_count);
    must(tlsyn_addr_eq(&a->target, &b->target) && tlsyn_addr_eq(&a->destination, &b->destination));
    must(a->router == b->router && a->solicited == b->solicited && a->override == b->override);
    must(a->hop_limit == b->hop_limit && a->lifetime == b->lifetime && a->mtu == b->mtu);
    must(a->reachable_ms == b->reachable_ms && a->retrans_ms == b->retrans_ms);
    must(a->has_source_hw == b->has_source_hw && a->has_target_hw == b->has_target_hw);
    must(memcmp(a->source_hw, b->source_hw, 6) == 0 && memcmp(a->target_hw, b->target_hw, 6) == 0);
    for (int i = 0; i < a->prefix_count; i++) {
        must(tlsyn_addr_eq(&a->prefix[i].prefix, &b->prefix[i].prefix));
        must(a->prefix[i].len == b->prefix[i].len && a->prefix[i].valid == b->prefix[i].valid);
    }
}

static void try_ndp(const uint8_t *data, size_t size)
{
    uint8_t bytes[NDP_MESSAGE_MAX];
    struct wire_ndp ndp, back;
    int len;

    if (wire_ndp_parse(data, size, &ndp) < 0)
        return;
    must(ndp.prefix_count <= NDP_PREFIXES_MAX);
    len = wire_ndp_emit(&ndp, bytes, sizeof(bytes));
    must(len > 0);
    must(wire_ndp_parse(bytes, (size_t)len, &back) == 0);
    compare(&ndp, &back);
}

void fuzz_icmp6(const uint8_t *data, size_t size)
{
    struct wire_mld_query query;

    if (size > UINT16_MAX)
        return;
    try_icmp6(data, size);
    try_ndp(data, size);
    if (wire_mld_query_parse(data, size, &query) == 0)
        must(query.version1 == (size == MLD1_LEN));
}
