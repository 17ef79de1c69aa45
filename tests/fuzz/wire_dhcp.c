/*
 * fuzz_wire, dhcp: the input is a DHCP message. What is parsed can be emitted, and is parsed to
 * the same again.
 */

#include "fuzz/wire.h"
#include "support/must.h"
#include "wire/dhcp.h"

void fuzz_dhcp(const uint8_t *data, size_t size)
{
    uint8_t bytes[DHCP_MESSAGE_MAX];
    struct wire_dhcp once, twice;

    if (wire_dhcp_parse(data, size, &once) < 0)
        return;
    int len = wire_dhcp_emit(&once, bytes, sizeof(bytes));
    must(len >= DHCP_MESSAGE_MIN && len <= DHCP_MESSAGE_MAX);
    must(wire_dhcp_parse(bytes, (size_t)len, &twice) == 0);
    must(once.type == twice.type && once.xid == twice.xid && once.lease == twice.lease);
    must(tlsyn_addr_eq(&once.yiaddr, &twice.yiaddr) && once.dns_count == twice.dns_count);
}
