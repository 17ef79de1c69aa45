/*
 * wire/ether.c: the Ethernet II header. Read first: RFC 894.
 */
#include "wire/ether.h"

#include <errno.h>

#include "wire/bytes.h"

int wire_ether_parse(const uint8_t *bytes, size_t len, struct wire_ether *ether)
{
    struct reader r = reader_of(bytes, len);

    get_bytes(&r, ether->dst, ETHER_ADDR_LEN);
    get_bytes(&r, ether->src, ETHER_ADDR_LEN);
    ether->type = get_u16(&r);
    ether->payload = r.at;
    ether->payload_len = r.left;
    return r.overrun ? -EMSGSIZE : 0;
}

int wire_ether_emit(const struct wire_ether *ether, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_bytes(&w, ether->dst, ETHER_ADDR_LEN);
    put_bytes(&w, ether->src, ETHER_ADDR_LEN);
    put_u16(&w, ether->type);
    return w.overrun ? -ENOSPC : ETHER_HEADER_LEN;
}
