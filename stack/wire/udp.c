/*
 * wire/udp.c: the UDP header. Read first: RFC 768.
 */
#include "wire/udp.h"

#include <errno.h>

#include "wire/bytes.h"

int wire_udp_parse(const uint8_t *bytes, size_t len, struct wire_udp *udp)
{
    struct reader r = reader_of(bytes, len);

    udp->src_port = get_u16(&r);
    udp->dst_port = get_u16(&r);
    udp->len = get_u16(&r);
    udp->checksum = get_u16(&r);
    if (r.overrun)
        return -EMSGSIZE;
    if (udp->len < UDP_HEADER_LEN)
        return -EBADMSG;
    udp->payload_len = (size_t)(udp->len - UDP_HEADER_LEN);
    udp->payload = get_span(&r, udp->payload_len);
    return r.overrun ? -EMSGSIZE : 0;
}

int wire_udp_emit(const struct wire_udp *udp, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);

    put_u16(&w, udp->src_port);
    put_u16(&w, udp->dst_port);
    put_u16(&w, udp->len);
    put_u16(&w, udp->checksum);
    return w.overrun ? -ENOSPC : UDP_HEADER_LEN;
}
