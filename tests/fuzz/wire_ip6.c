/*
 * fuzz_wire, ip6: the input is a datagram. What is parsed lies inside, is emitted, and is parsed to
 * the same again; the walk over its extension headers ends inside.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/ip6.h"

static void compare(const struct wire_ip6 *a, const struct wire_ip6 *b)
{
    must(tlsyn_addr_eq(&a->src, &b->src) && tlsyn_addr_eq(&a->dst, &b->dst));
    must(a->tos == b->tos && a->flow == b->flow && a->next == b->next);
    must(a->hop_limit == b->hop_limit && a->payload_len == b->payload_len);
}

void fuzz_ip6(const uint8_t *data, size_t size)
{
    uint8_t bytes[IP6_HEADER_LEN];
    struct wire_ip6 ip, quoted, back;
    struct wire_ip6_chain chain;
    int result = wire_ip6_parse(data, size, &ip);

    if (wire_ip6_parse_quoted(data, size, &quoted) < 0) {
        must(result < 0);
        return;
    }
    must(inside(quoted.payload, quoted.payload_there, data, size));
    compare(&ip, &quoted);
    must(wire_ip6_emit(&quoted, bytes, sizeof(bytes)) == IP6_HEADER_LEN);
    must(wire_ip6_parse_quoted(bytes, sizeof(bytes), &back) == 0);
    compare(&quoted, &back);
    must(memcmp(bytes, data, sizeof(bytes)) == 0);
    switch (wire_ip6_walk(&quoted, &chain)) {
    case 0:
        must(inside(chain.payload, chain.payload_len, data, size));
        must(chain.protocol_at < size && data[chain.protocol_at] == chain.protocol);
        break;
    case -EPROTO:
        must(chain.problem <= 2 && chain.problem_pointer < size + 1);
        break;
    default:
        break;
    }
}
