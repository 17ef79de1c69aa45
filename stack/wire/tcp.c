/*
 * wire/tcp.c: the TCP header. Read first: RFC 9293 3.1.
 */
#include "wire/tcp.h"

#include <errno.h>

#include "wire/bytes.h"

int wire_tcp_parse(const uint8_t *bytes, size_t len, struct wire_tcp *tcp)
{
    struct reader r = reader_of(bytes, len);
    const uint8_t *options;
    size_t header_len;

    tcp->src_port = get_u16(&r);
    tcp->dst_port = get_u16(&r);
    tcp->seq = get_u32(&r);
    tcp->ack = get_u32(&r);
    uint8_t offset = get_u8(&r);
    header_len = (size_t)(offset >> 4) * 4;
    tcp->ae = offset & 1;
    tcp->codepoint = 0;
    tcp->count = 1;
    tcp->flags = get_u8(&r);
    tcp->wnd = get_u16(&r);
    get_skip(&r, 2); /* checksum */
    tcp->urg = get_u16(&r);
    if (r.overrun || header_len < TCP_HEADER_LEN)
        return -EMSGSIZE;
    options = get_span(&r, header_len - TCP_HEADER_LEN);
    if (!options)
        return -EMSGSIZE;
    tcp->text = r.at;
    tcp->text_len = (uint32_t)r.left;
    /* MUST-5 */
    return tcp_options_parse(options, header_len - TCP_HEADER_LEN, &tcp->options);
}

int wire_tcp_emit(const struct wire_tcp *tcp, uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);
    int options_len;
    uint8_t *options;

    if (room < TCP_HEADER_LEN)
        return -ENOSPC;
    options = bytes + TCP_HEADER_LEN;
    options_len = tcp_options_emit(&tcp->options, options, room - TCP_HEADER_LEN);
    if (options_len < 0)
        return options_len;
    put_u16(&w, tcp->src_port);
    put_u16(&w, tcp->dst_port);
    put_u32(&w, tcp->seq);
    put_u32(&w, tcp->ack);
    put_u8(&w, (uint8_t)((TCP_HEADER_LEN + options_len) / 4 << 4 | tcp->ae));
    put_u8(&w, tcp->flags);
    put_u16(&w, tcp->wnd);
    put_u16(&w, 0); /* checksum */
    put_u16(&w, tcp->urg);
    return TCP_HEADER_LEN + options_len;
}
